/** The sound of an alert: made in the browser, so that no file has to be loaded when it matters. */
import { effect } from '@preact/signals';
import { activeAlerts, loaded } from './live.js';
import { sound } from './prefs.js';

let context: AudioContext | undefined;
const heard = new Set<string>();
let primed = false;

function beep(notes: readonly number[]): void {
  context ??= new AudioContext();
  if (context.state === 'suspended') void context.resume();
  let at = context.currentTime + 0.02;
  for (const frequency of notes) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.18);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.2);
    at += 0.2;
  }
}

const TUNES = { info: [], warning: [660], breach: [740, 590], sos: [880, 660, 880, 660, 880] } as const;
const ORDER = ['sos', 'breach', 'warning', 'info'] as const;

/** Sounds once for every alert that begins after the page was opened; nothing sounds for what had ended. */
export function soundAlerts(): () => void {
  return effect(() => {
    if (!loaded.value) return;
    const fresh = activeAlerts.value.filter((alert) => !heard.has(alert.id));
    for (const alert of fresh) heard.add(alert.id);
    if (!primed) {
      primed = true;
      return;
    }
    if (sound.peek() === 'off') return;
    const worst = ORDER.find((severity) => fresh.some((alert) => alert.severity === severity));
    if (worst && TUNES[worst].length > 0) beep(TUNES[worst]);
  });
}
