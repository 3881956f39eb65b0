import { EVENT_TYPES } from './domain/reduce.js';

/** The wanted types that no event can have: neither a type nor `*` nor the `.*` of a subject. */
export function unknownTypes(types: string | readonly string[]): string[] {
  return listed(types).filter((one) => {
    if (one === '*' || EVENT_TYPES.includes(one)) return false;
    return !one.endsWith('.*') || !EVENT_TYPES.some((type) => type.startsWith(one.slice(0, -1)));
  });
}

const listed = (types: string | readonly string[]): string[] =>
  (typeof types === 'string' ? types.split(',') : types).map((one) => one.trim()).filter(Boolean);

/** A filter from `?types=`: exact types, or a subject with `.*`; nothing or `*` takes all. */
export function typeFilter(types: string | readonly string[] | undefined): (type: string) => boolean {
  const wanted = listed(types ?? []);
  if (wanted.length === 0 || wanted.includes('*')) return () => true;
  const exact = new Set(wanted.filter((one) => !one.endsWith('.*')));
  const subjects = wanted.filter((one) => one.endsWith('.*')).map((one) => one.slice(0, -1));
  return (type) => exact.has(type) || subjects.some((subject) => type.startsWith(subject));
}
