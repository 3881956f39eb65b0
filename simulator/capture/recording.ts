import { fromHex, toHex } from '../../protocol/index.js';

/**
 * A recorded stream: what went over connections, when. As text, one line each:
 *
 *     # linecrew recording 1, started 2026-03-14T08:00:00.000Z
 *     0 1 open
 *     12 1 up 7e0100…7e
 *     31 1 down 7e8100…7e
 *     95300 1 close
 *
 * Milliseconds since the start, number of the connection, what happened, bytes. A line with nothing but hex is a piece
 * of the terminal's side of connection 1 without a time: such files, as other tools write them, replay at a fixed pace.
 */
export interface Piece {
  /** Since the start of the recording; undefined where the file says none. */
  ms: number | undefined;
  connection: number;
  kind: 'open' | 'up' | 'down' | 'close';
  bytes: Uint8Array;
}

/** A line that cannot be read, by its number. */
export class RecordingError extends Error {}

const noBytes = new Uint8Array(0);

export function formatPiece(piece: Piece): string {
  const head = `${Math.round(piece.ms ?? 0)} ${piece.connection} ${piece.kind}`;
  return piece.bytes.length === 0 ? head : `${head} ${toHex(piece.bytes)}`;
}

/** First line of a recording. */
export function formatHeader(startedAt: number): string {
  return `# linecrew recording 1, started ${new Date(startedAt).toISOString()}`;
}

/** @throws RecordingError that names the line, what was found and what was expected */
export function parseRecording(text: string): Piece[] {
  const pieces: Piece[] = [];
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    pieces.push(parseLine(line, index + 1));
  });
  return pieces;
}

function parseLine(line: string, number: number): Piece {
  const full = /^(\d+)\s+(\d+)\s+(open|up|down|close)(?:\s+(\S+))?$/.exec(line);
  if (full !== null) {
    const kind = full[3] as Piece['kind'];
    const bytes = full[4] === undefined ? noBytes : hex(full[4], number);
    return { ms: Number(full[1]), connection: Number(full[2]), kind, bytes };
  }
  return { ms: undefined, connection: 1, kind: 'up', bytes: hex(line, number) };
}

function hex(text: string, number: number): Uint8Array {
  try {
    return fromHex(text);
  } catch {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw new RecordingError(
      `line ${number}: expected "<ms> <connection> <open|up|down|close> <hex>" or hex alone, found "${shown}"`,
    );
  }
}
