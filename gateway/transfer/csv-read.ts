/** CSV (RFC 4180) with the line of every row, as a spreadsheet or an editor counts them. */

export interface CsvRow {
  /** Line of its first character, from 1. */
  line: number;
  cells: string[];
}

export class CsvError extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(message);
  }
}

/** @throws {CsvError} for a quoted cell that never ends, or text behind one */
export function readCsv(text: string): CsvRow[] {
  const source = text.replace(/^\uFEFF/, '');
  const rows: CsvRow[] = [];
  let at = 0;
  let line = 1;

  const quoted = (): string => {
    const opened = line;
    let value = '';
    for (at++; ; at++) {
      const char = source[at];
      if (char === undefined) throw new CsvError(opened, 'a quoted cell never ends');
      if (char === '"' && source[at + 1] !== '"') break;
      if (char === '"') at++;
      if (char === '\n') line++;
      value += char;
    }
    at++;
    if (at < source.length && !',\r\n'.includes(source[at]!)) throw new CsvError(line, 'text behind a quoted cell');
    return value;
  };
  const bare = (): string => {
    const from = at;
    while (at < source.length && !',\r\n'.includes(source[at]!)) at++;
    return source.slice(from, at).trim();
  };

  while (at < source.length) {
    const row: CsvRow = { line, cells: [] };
    for (;;) {
      row.cells.push(source[at] === '"' ? quoted() : bare());
      if (source[at] !== ',') break;
      at++;
    }
    if (source[at] === '\r') at++;
    if (source[at] === '\n') at++;
    line++;
    if (row.cells.some((cell) => cell !== '')) rows.push(row);
  }
  return rows;
}
