/** CSV (RFC 4180) for spreadsheets: a byte order mark, so that they read UTF-8, and no cell that could be a formula. */

/** Cells that a spreadsheet would run: a customer's text must stay a text. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const raw = typeof value === 'string' ? value : JSON.stringify(value);
  const text = typeof value === 'string' && FORMULA.test(raw) ? `'${raw}` : raw;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvLine = (cells: readonly unknown[]): string => cells.map(cell).join(',') + '\r\n';
export const CSV_START = '\uFEFF';

/** The whole file: a line of column names, then one for each row. */
export function csv(columns: readonly string[], rows: readonly Record<string, unknown>[]): string {
  return CSV_START + csvLine(columns) + rows.map((row) => csvLine(columns.map((column) => row[column]))).join('');
}
