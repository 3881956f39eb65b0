/** Text out of forms and out of values whose shape is the server's. */

/** A text field, without the spaces around it; empty where it is absent or a file. */
export function textOf(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

/** A string or number as text; empty for everything else. */
export const plainText = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
