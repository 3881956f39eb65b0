import { toHex } from '../bytes/hex.js';
import { DecodeError } from '../errors.js';
import { Reader, type Field, type Shape, type Trace } from '../field/index.js';
import { canWords } from './can.js';
import { toJson } from './to-json.js';
import { detectEdition, type Edition } from './edition.js';
import { readExtra } from './extras.js';
import { lookAtRefused } from './explain-refusal.js';
import { noItemWords, spelledOut, wordsOf } from './explain-value.js';
import { framingNamed, type Framing, type FramingName } from './framing.js';
import type { Frame } from './frame.js';
import { companionMessages, declarationOf } from './messages.js';
import { readParameter } from './parameters.js';
import { FrameSplitter } from './splitter.js';

/** Some bytes in words. The rows of one call lie one behind the other and cover every byte. */
export interface ExplainRow {
  /** First byte, from the start of the input. */
  offset: number;
  length: number;
  /** The bytes as they came, escapes included. */
  hex: string;
  /** Where in the message, e.g. `body.extras[0].id`. */
  field: string;
  meaning: string;
  /** The value in words; empty where the bytes have none. */
  value: string;
}

interface Leaf {
  path: string;
  start: number;
  end: number;
  value: unknown;
  shape: Shape;
}

/** Collects the leaves of a body with their paths. */
class Leaves implements Trace {
  readonly found: Leaf[] = [];
  private readonly path: string[] = [];

  enter(name: string): void {
    this.path.push(name);
  }

  leave(): void {
    this.path.pop();
  }

  leaf(start: number, end: number, value: unknown, shape: Shape): void {
    if (end > start) this.found.push({ path: joinPath(this.path), start, end, value, shape });
  }

  mark(): number {
    return this.found.length * 1000 + this.path.length;
  }

  rollback(mark: number): void {
    this.found.length = Math.floor(mark / 1000);
    this.path.length = mark % 1000;
  }
}

function joinPath(path: readonly string[]): string {
  return path.join('.').replace(/\.\[/g, '[');
}

/** A row over plain (unescaped) bytes, before it is laid over the wire bytes. */
interface PlainRow {
  start: number;
  end: number;
  field: string;
  meaning: string;
  value: string;
}

/**
 * Explains every byte of a stream: flags, header, body fields, checksum, and what is no frame. Nothing is left out:
 * the lengths of the rows add up to the length of the input.
 * @param edition of frames with a short header, when it is known
 * @param framingName flags and escapes; by default as the first byte tells
 */
export function explainFrame(
  bytes: Uint8Array,
  edition?: Edition,
  framingName: FramingName | 'auto' = 'auto',
): ExplainRow[] {
  const rows: ExplainRow[] = [];
  const framing = framingNamed(framingName, bytes);
  const { flag } = framing;
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === flag) {
      rows.push(wireRow(bytes, at, at + 1, 'flag', 'frame boundary', ''));
      at += 1;
      continue;
    }
    const close = bytes.indexOf(flag, at);
    const end = close < 0 ? bytes.length : close;
    rows.push(...explainPiece(bytes, at, end, close >= 0, framing, edition));
    at = end;
  }
  return rows;
}

function wireRow(
  bytes: Uint8Array,
  start: number,
  end: number,
  field: string,
  meaning: string,
  value: string,
): ExplainRow {
  return { offset: start, length: end - start, hex: toHex(bytes, start, end), field, meaning, value };
}

/** A piece between two flags: the rows of its frame, or one row that says why it is none. */
function explainPiece(
  bytes: Uint8Array,
  start: number,
  end: number,
  closed: boolean,
  framing: Framing,
  edition?: Edition,
): ExplainRow[] {
  if (!closed) return [wireRow(bytes, start, end, 'unterminated', 'bytes without a closing flag', '')];
  const rows: ExplainRow[] = [];
  const splitter = new FrameSplitter({ shortSerial: true, framing: framing.name });
  let covered = start;
  splitter.push(bytes.subarray(start, end + 1), {
    frame(frame) {
      const plain = explainContent(frame, edition);
      const made = layOverWire(bytes, covered, end, plain, framing);
      covered = made.at;
      rows.push(...made.rows);
    },
    refused(error) {
      const from = start + error.offset;
      const to = Math.min(end, from + error.length);
      const { words, frame } = lookAtRefused(error.code, bytes, from, to, framing);
      if (frame !== undefined && from === covered) {
        // The checksum comes last: all before it is read as if it were right.
        const before = explainContent(frame, edition).slice(0, -1);
        const made = layOverWire(bytes, covered, to, before, framing);
        covered = made.at;
        rows.push(...made.rows);
      }
      rows.push(wireRow(bytes, covered, to, 'refused', `no frame: ${error.code}`, words));
      covered = to;
    },
  });
  if (covered < end) rows.push(wireRow(bytes, covered, end, 'rest', 'bytes that belong to no frame', ''));
  return rows;
}

/** Wire bytes of the plain rows in order; escapes make a row longer on the wire than in the frame. */
function layOverWire(
  bytes: Uint8Array,
  start: number,
  end: number,
  plain: PlainRow[],
  { escapeA, escapeB, plain: plainOf }: Framing,
): { rows: ExplainRow[]; at: number } {
  const rows: ExplainRow[] = [];
  let at = start;
  for (const row of plain) {
    const from = at;
    for (let left = row.end - row.start; left > 0 && at < end; left--) {
      const byte = bytes[at]!;
      const escapes = byte === escapeA || byte === escapeB;
      const isPair = escapes && at + 1 < end && plainOf(byte, bytes[at + 1]!) >= 0;
      at += isPair ? 2 : 1;
    }
    const escaped = at - from > row.end - row.start ? ' (escaped on the wire)' : '';
    if (at > from) rows.push(wireRow(bytes, from, at, row.field, row.meaning + escaped, row.value));
  }
  return { rows, at };
}

function explainContent(frame: Frame, known: Edition | undefined): PlainRow[] {
  const edition = detectEdition(frame, known);
  const rows = [...explainHeader(frame), ...explainBody(frame, edition)];
  if (frame.warning !== 'checksum_was_flag') {
    const meaning = 'XOR over header and body';
    rows.push({
      start: frame.end,
      end: frame.end + 1,
      field: 'checksum',
      meaning,
      value: hexNumber(frame.bytes[frame.end]!, 2),
    });
  }
  return rows;
}

const hexNumber = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

function explainHeader(frame: Frame): PlainRow[] {
  const { start, phoneStart, phoneEnd, bodyStart } = frame;
  const declaration = declarationOf(frame.messageId);
  const title = declaration?.title ?? companionMessages[frame.messageId]?.title ?? 'not a declared message';
  const rows: PlainRow[] = [
    headerRow(start, start + 2, 'messageId', title, hexNumber(frame.messageId, 4)),
    headerRow(start + 2, start + 4, 'attributes', attributeWords(frame), hexNumber(frame.attributes, 4)),
  ];
  if (phoneStart > start + 4) {
    rows.push(headerRow(start + 4, phoneStart, 'protocolVersion', 'protocol version', String(frame.protocolVersion)));
  }
  rows.push(headerRow(phoneStart, phoneEnd, 'phone', 'terminal number', frame.phone));
  const serialEnd = phoneEnd + (frame.shortSerial ? 1 : 2);
  rows.push(headerRow(phoneEnd, serialEnd, 'serial', 'serial number', String(frame.serial)));
  if (bodyStart > serialEnd) {
    rows.push(headerRow(serialEnd, serialEnd + 2, 'total', 'parts of the message', String(frame.total)));
    rows.push(headerRow(serialEnd + 2, bodyStart, 'index', 'number of this part', String(frame.index)));
  }
  return rows;
}

function headerRow(start: number, end: number, field: string, meaning: string, value: string): PlainRow {
  return { start, end, field: `header.${field}`, meaning, value };
}

function attributeWords(frame: Frame): string {
  const words = [`body of ${frame.attributes & 0x3ff} bytes`];
  if (frame.encryption !== 0) words.push(`encryption ${frame.encryption}`);
  if ((frame.attributes & 0x2000) !== 0) words.push('sub-packaged');
  if (frame.versionFlag) words.push('version flag');
  if ((frame.attributes & 0x8000) !== 0) words.push('reserved bit 15');
  if (frame.warning !== undefined) words.push(`warning: ${frame.warning}`);
  return words.join(', ');
}

function explainBody(frame: Frame, edition: Edition): PlainRow[] {
  const { bodyStart, bodyEnd } = frame;
  if (bodyStart === bodyEnd) return [];
  if (frame.encryption !== 0) return [bodyRow(bodyStart, bodyEnd, 'body', 'encrypted body', '')];
  const isPart = frame.total > 0 && !(frame.messageId === 0x0801 && frame.index === 1);
  if (isPart) return [bodyRow(bodyStart, bodyEnd, 'body', `part ${frame.index} of ${frame.total}`, '')];
  const declaration = declarationOf(frame.messageId);
  if (declaration === undefined) return [bodyRow(bodyStart, bodyEnd, 'body', 'body of an undeclared message', '')];
  const leaves = new Leaves();
  const reader = new Reader(frame.bytes, bodyStart, bodyEnd, edition, leaves);
  let fault: DecodeError | undefined;
  try {
    (declaration.body as Field<unknown>).read(reader);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    fault = error;
  }
  const rows = leaves.found.map((leaf, i) => leafRow(frame, leaf, leaves.found[i - 1], edition));
  return fillGaps(rows, bodyStart, bodyEnd, fault);
}

function bodyRow(start: number, end: number, field: string, meaning: string, value: string): PlainRow {
  return { start, end, field, meaning, value };
}

/** A leaf in words. The value of an additional item or a parameter is read by the id that stands before it. */
function leafRow({ bytes, messageId }: Frame, leaf: Leaf, before: Leaf | undefined, edition: Edition): PlainRow {
  const { path, start, end, value, shape } = leaf;
  const field = `body.${path}`;
  const name = path.replace(/^.*\./, '').replace(/\[\d+\]$/, '');
  const id = idBefore(bytes, leaf, before);
  if (id !== undefined && /extras\[\d+\]\.value$/.test(path)) {
    const reading = readExtra(id, bytes, start, end, edition);
    if (reading !== undefined) {
      const words = JSON.stringify(toJson(reading.value));
      return bodyRow(start, end, field, reading.title, `${reading.name} ${words}`);
    }
    return bodyRow(start, end, field, `additional item ${hexNumber(id, 2)}`, wordsOf(value, shape, edition));
  }
  if (id !== undefined && /parameters\[\d+\]\.value$/.test(path)) {
    const reading = readParameter(id, bytes.subarray(start, end));
    const unit = reading.unit === undefined ? '' : ` ${reading.unit}`;
    return bodyRow(start, end, field, reading.name ?? `parameter ${hexNumber(id, 4)}`, `${reading.value}${unit}`);
  }
  const ofItems = path === 'trailing' ? messageId === 0x0200 : /location(s\[\d+\])?\.trailing$/.test(path);
  if (ofItems) return bodyRow(start, end, field, 'no whole item', noItemWords(bytes.subarray(start, end)));
  return bodyRow(start, end, field, spelledOut(name), idWords(path, value) ?? wordsOf(value, shape, edition));
}

/** Ids that everybody writes as hex: of items, parameters, CAN frames, the message that is answered. */
function idWords(path: string, value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined;
  if (/extras\[\d+\]\.id$/.test(path)) return hexNumber(value, 2);
  if (/parameters\[\d+\]\.id$/.test(path)) return hexNumber(value, 4);
  if (/items\[\d+\]\.canId$/.test(path)) return `${hexNumber(value, 8)} = ${canWords(value)}`;
  if (path !== 'replyId') return undefined;
  return [hexNumber(value, 4), declarationOf(value)?.title].filter(Boolean).join(' = ');
}

/** The id in front of an item's value: the bytes before its length byte. */
function idBefore(bytes: Uint8Array, leaf: Leaf, before: Leaf | undefined): number | undefined {
  if (before === undefined || !before.path.endsWith('.length')) return undefined;
  const isParameter = leaf.path.includes('parameters[');
  let id = 0;
  for (let at = before.start - (isParameter ? 4 : 1); at < before.start; at++) id = id * 256 + bytes[at]!;
  return id;
}

/** Bytes that no field took get rows of their own, so that every byte is covered. */
function fillGaps(rows: PlainRow[], start: number, end: number, fault: DecodeError | undefined): PlainRow[] {
  const filled: PlainRow[] = [];
  let at = start;
  for (const row of rows) {
    if (row.start > at) filled.push(bodyRow(at, row.start, 'body', 'not read', ''));
    if (row.end <= at) continue;
    filled.push(row);
    at = row.end;
  }
  if (at < end) {
    const meaning = fault === undefined ? 'behind the declared fields' : `does not fit: ${fault.message}`;
    filled.push(bodyRow(at, end, fault === undefined ? 'trailing' : 'body', meaning, ''));
  }
  return filled;
}
