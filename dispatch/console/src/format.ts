/** How times, durations, distances and phones are written. */
import { computed } from '@preact/signals';
import { language, t } from './i18n/index.js';

/** The depot's zone, from the server; everything on the page is in it. */
export let timeZone = 'Asia/Shanghai';
export function setTimeZone(zone: string): void {
  timeZone = zone;
  cache.clear();
}

const cache = new Map<string, Intl.DateTimeFormat>();
function formatter(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.value}/${kind}`;
  let found = cache.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(language.value, { hourCycle: 'h23', timeZone, ...options });
    cache.set(key, found);
  }
  return found;
}

type Time = string | number | null | undefined;
export const millis = (at: Time): number | undefined =>
  at === undefined || at === null || at === '' ? undefined : typeof at === 'number' ? at : Date.parse(at);

function format(kind: string, at: Time, options: Intl.DateTimeFormatOptions): string {
  const ms = millis(at);
  return ms === undefined || Number.isNaN(ms) ? '–' : formatter(kind, options).format(ms);
}

export const clockTime = (at: Time): string =>
  format('clock', at, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const shortTime = (at: Time): string => format('short', at, { hour: '2-digit', minute: '2-digit' });
export const dateTime = (at: Time): string =>
  format('full', at, { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** `12:04`, `1:02:04`, with a minus sign when negative. Whole seconds, rounded down. */
export function countdown(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const text = hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
  return ms < 0 ? `−${text}` : text;
}

/** Rough words for an age or a wait: `8 s`, `3 min`, `2 h`, `4 d`. */
export function rough(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return t('unit.seconds', { n: s });
  if (s < 5400) return t('unit.minutes', { n: Math.round(s / 60) });
  if (s < 129_600) return t('unit.hours', { n: Math.round(s / 3600) });
  return t('unit.days', { n: Math.round(s / 86_400) });
}

export const minutes = (ms: number): string => t('unit.minutes', { n: Math.round(ms / 60_000) });

export function distance(metres: number): string {
  return metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(metres < 10_000 ? 1 : 0)} km`;
}

export const zoneName = computed(() => {
  const parts = new Intl.DateTimeFormat(language.value, { timeZone, timeZoneName: 'shortOffset' }).formatToParts(0);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? timeZone;
});
