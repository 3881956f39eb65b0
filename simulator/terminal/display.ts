import type { DispatchScreen } from './dispatch-screen.js';
import { serialPrefix } from './keys.js';
import type { Profile, TerminalEvent } from './types.js';
import type { WireHooks } from './wire.js';

/** What a terminal of this profile shows of what comes for its display: nothing on a tracker, texts alone on `text`. */
export function displayHooks(
  profile: Profile,
  screen: DispatchScreen,
  tell: (event: TerminalEvent) => void,
): Pick<WireHooks, 'text' | 'list' | 'question'> {
  return {
    text: (text, urgent, now) => {
      if (profile === 'tracker') return false;
      screen.showText(text, urgent, now);
      return true;
    },
    list: (setting, items, now) => {
      if (profile !== 'menu') return false;
      screen.setEvents(setting, items, now);
      return true;
    },
    question: (serial, text, answers, now) => {
      if (profile === 'tracker' || profile === 'text') return false;
      const choices = answers.map((answer) => answer.text);
      const question = { kind: 'question', text, choices } as const;
      tell({ at: now, type: 'question', deliveryId: `${serialPrefix}${serial}`, question });
      return true;
    },
  };
}
