/** What a person sets for this browser: theme, sound. */
import { effect, signal } from '@preact/signals';

function stored<T extends string>(name: string, values: readonly T[], otherwise: T) {
  const key = `linecrew.${name}`;
  const found = localStorage.getItem(key) as T | null;
  const value = signal<T>(found && values.includes(found) ? found : otherwise);
  effect(() => localStorage.setItem(key, value.value));
  return value;
}

export const theme = stored('theme', ['auto', 'light', 'dark'] as const, 'auto');
export const sound = stored('sound', ['on', 'off'] as const, 'on');
/** Areas that the chosen vehicle's terminal watches, on the map. */
export const mapAreas = stored('mapAreas', ['on', 'off'] as const, 'off');
export const boardView = stored('board', ['columns', 'list'] as const, 'columns');

const darkMedia = matchMedia('(prefers-color-scheme: dark)');
export const dark = signal(false);
function apply(): void {
  dark.value = theme.value === 'dark' || (theme.value === 'auto' && darkMedia.matches);
  document.documentElement.dataset.theme = dark.value ? 'dark' : 'light';
}
effect(apply);
darkMedia.addEventListener('change', apply);
