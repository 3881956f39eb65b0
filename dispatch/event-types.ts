/** A filter from `?types=`: exact types, or a subject with `.*`; nothing or `*` takes all. */
export function typeFilter(types: string | readonly string[] | undefined): (type: string) => boolean {
  const wanted = (typeof types === 'string' ? types.split(',') : (types ?? []))
    .map((one) => one.trim())
    .filter(Boolean);
  if (wanted.length === 0 || wanted.includes('*')) return () => true;
  const exact = new Set(wanted.filter((one) => !one.endsWith('.*')));
  const subjects = wanted.filter((one) => one.endsWith('.*')).map((one) => one.slice(0, -1));
  return (type) => exact.has(type) || subjects.some((subject) => type.startsWith(subject));
}
