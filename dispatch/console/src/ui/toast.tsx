/** Short messages about what was done or refused, with an undo where the rules allow one. */
import { signal } from '@preact/signals';
import { Problem } from '../api/client.js';
import { language, t, tValue } from '../i18n/index.js';
import { Icon } from './icons.js';

interface Toast {
  id: number;
  tone: 'good' | 'bad';
  text: string;
  undo?: () => void;
}
const toasts = signal<readonly Toast[]>([]);
let lastId = 0;
const MAX_SHOWN = 4;

function show(toast: Omit<Toast, 'id'>, ms: number): void {
  const id = (lastId += 1);
  toasts.value = [...toasts.value, { ...toast, id }].slice(-MAX_SHOWN);
  setTimeout(() => dismiss(id), ms);
}
function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export const say = (text: string, undo?: () => void): void =>
  show({ tone: 'good', text, ...(undo ? { undo } : {}) }, undo ? 12_000 : 4_000);

/** Says why something was refused: the server's words. */
export function sayProblem(error: unknown): void {
  const words = problemWords(error);
  show({ tone: 'bad', text: words }, 9_000);
}

export function problemWords(error: unknown): string {
  if (error instanceof Problem && error.code === 'offline') return t('problem.offline');
  if (error instanceof Problem) {
    // The server's own words name the order and the place, in English.
    const known = tValue('problem', error.code);
    if (known === error.code || (language.value === 'en' && error.message)) return error.message;
    // Which value is wrong, only the server's words say.
    return error.code.startsWith('invalid') ? `${known} (${error.message})` : known;
  }
  return (error as Error).message;
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`}>
          <Icon name={toast.tone === 'good' ? 'check' : 'alert'} />
          <span>{toast.text}</span>
          {toast.undo && (
            <button
              class="quiet"
              onClick={() => {
                toast.undo?.();
                dismiss(toast.id);
              }}
            >
              <Icon name="undo" /> {t('do.undo')}
            </button>
          )}
          <button class="icon-only quiet" aria-label={t('do.close')} onClick={() => dismiss(toast.id)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
