/** The keys, on one card. */
import { signal } from '@preact/signals';
import { t, type Key } from '../i18n/index.js';
import { Dialog } from '../ui/dialog.js';

export const keyHelpOpen = signal(false);
const KEYS: [string, Key][] = [
  ['/', 'keys.search'],
  ['N', 'keys.new'],
  ['A', 'keys.alerts'],
  ['M', 'keys.map'],
  ['B', 'keys.board'],
  ['C', 'keys.calls'],
  ['R', 'keys.replay'],
  ['↑ ↓ ← →', 'keys.cards'],
  ['Enter', 'keys.open'],
  ['Alt ↑ ↓', 'keys.reorder'],
  ['Esc', 'keys.close'],
  ['?', 'keys.help'],
];

export function KeyHelp() {
  if (!keyHelpOpen.value) return null;
  return (
    <Dialog title={t('menu.keys')} onClose={() => (keyHelpOpen.value = false)}>
      <dl class="keys">
        {KEYS.map(([key, label]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(label)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
