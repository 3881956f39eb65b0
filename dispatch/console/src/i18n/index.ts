/** Words of the console in two languages; the keys are those of the Chinese dictionary. */
import { computed, signal } from '@preact/signals';
import en from './en.json';
import zh from './zh-CN.json';

export type Key = keyof typeof zh;
export type Language = 'zh-CN' | 'en';

const dictionaries: Record<Language, Record<Key, string>> = { 'zh-CN': zh, en };
const STORED = 'linecrew.language';

function initial(): Language {
  const stored = localStorage.getItem(STORED);
  return stored === 'en' || stored === 'zh-CN' ? stored : 'zh-CN';
}

export const language = signal<Language>(initial());
const words = computed(() => dictionaries[language.value]);

/** The server's language, for a browser in which nobody has chosen one. */
export function offerLanguage(to: Language | undefined): void {
  if (to && localStorage.getItem(STORED) === null) {
    language.value = to;
    document.documentElement.lang = to;
  }
}

export function setLanguage(to: Language): void {
  language.value = to;
  localStorage.setItem(STORED, to);
  document.documentElement.lang = to;
}

/** The words for a key; `{name}` in them is replaced by `values.name`. */
export function t(key: Key, values?: Record<string, string | number>): string {
  const text = words.value[key];
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whether there are words for a key that is put together at run time. */
export const known = (key: string): key is Key => key in zh;

/** The words for a value that the server names (`stage.received`); the value itself where no word is known. */
export function tValue(prefix: string, value: string | undefined | null): string {
  if (!value) return '';
  const key = `${prefix}.${value}`;
  return known(key) ? t(key) : value;
}
