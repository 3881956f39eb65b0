/** How a function of a terminal is asked for: its fields, and what the API gets of them. */
import type { Key } from '../../i18n/index.js';
import type { IconName } from '../../ui/icons.js';

export interface Argument {
  name: string;
  kind: 'text' | 'long' | 'number' | 'choice' | 'check' | 'lines' | 'time' | 'clock' | 'file';
  label: Key;
  required?: true;
  min?: number;
  max?: number;
  value?: string;
  /** Of `choice`: values and the prefix of their words. An empty one is left to the terminal. */
  options?: readonly string[];
  words?: string;
}

export interface FunctionLook {
  name: string;
  icon: IconName;
  arguments: readonly Argument[];
  /** Asked once more before it is sent: the terminal is away for a while, or forgets something. */
  confirm?: true;
  /** Not used every day: offered below the others. */
  rare?: true;
  /** Only for administrators. */
  maintenance?: true;
  /** Given up after so many seconds where nothing else is chosen; default 300. */
  timeoutS?: '86400';
  /** The API's arguments, where they are not the fields of the form as they stand. */
  given?(fields: Fields): Record<string, unknown>;
}

/** What was entered, by name; what was left empty is not there. */
export type Fields = Readonly<Record<string, unknown>>;

export const number = (name: string, label: Key, min: number, max: number, value?: number): Argument => ({
  name,
  kind: 'number',
  label,
  min,
  max,
  ...(value === undefined ? { required: true as const } : { value: String(value) }),
});
export const choice = (
  name: string,
  label: Key,
  words: string,
  options: readonly string[],
  value = options[0]!,
): Argument => ({
  name,
  kind: 'choice',
  label,
  words,
  options,
  value,
});
export const check = (name: string, label: Key, on = false): Argument => ({
  name,
  kind: 'check',
  label,
  ...(on ? { value: 'on' } : {}),
});
/** May be left empty. */
export const optionalNumber = (name: string, label: Key, min: number, max: number): Argument => ({
  name,
  kind: 'number',
  label,
  min,
  max,
});
export const text = (name: string, label: Key, required?: 'required'): Argument => ({
  name,
  kind: 'text',
  label,
  ...(required ? { required: true as const } : {}),
});
export const lines = (name: string, label: Key, required?: 'required'): Argument => ({
  ...text(name, label, required),
  kind: 'lines',
});
