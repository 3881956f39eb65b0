/**
 * Every case of the collected frames of other projects' terminals (shared/frames beside this checkout). Where the
 * folder is missing, this one suite is skipped and says so.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  describeStream,
  encodeJson,
  fromHex,
  toHex,
  type Described,
  type DescribedMessage,
  type Edition,
} from '../../protocol/index.js';
import { standardFraming, unescape } from '../../protocol/jt808/framing.js';
import { fieldMap } from './frames-fields.js';

interface Expected extends Record<string, unknown> {
  messageId?: number;
  phoneRaw?: string;
  serial?: number;
  bodyHex?: string;
  version?: string;
  messages?: Expected[];
  assembled?: Expected[];
  frames?: string[];
  framesUnescaped?: string[];
  fields?: Record<string, unknown>;
  locations?: Record<string, unknown>[];
  attributes?: Record<string, unknown>;
}

interface Case {
  id: string;
  kind: 'decode' | 'encode' | 'stream' | 'reject' | 'variant';
  variant?: string;
  mayReject?: boolean;
  hex: string;
  expect: Expected;
}

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../../shared/frames');
const present = existsSync(folder);
const cases = present
  ? readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line) as Case)
  : [];
if (!present) process.stderr.write(`SKIPPED: the collected frames are not beside this checkout (${folder})\n`);

const compared = { fields: 0, attributes: 0, locations: 0 };
const uncompared = new Map<string, number>();

function describeCase(hex: string, expected: Expected): Described[] {
  const edition = expected.version === undefined ? {} : { edition: Number(expected.version) as Edition };
  return describeStream(fromHex(hex), edition);
}

const isMessage = (one: Described): one is DescribedMessage => 'messageId' in one;
const frameMessages = (all: Described[]): DescribedMessage[] =>
  all.filter(isMessage).filter(({ assembled }) => assembled === undefined);

/** Values that are compared one to one where the case states them. */
const plain = [
  'messageId',
  'phone',
  'phoneRaw',
  'imei',
  'serial',
  'protocolVersion',
  'total',
  'index',
  'encryption',
  'bodyHex',
];

function compareMessage(id: string, found: DescribedMessage, expected: Expected): void {
  for (const name of plain) {
    if (name in expected) expect(found[name as keyof DescribedMessage], `${id} ${name}`).toEqual(expected[name]);
  }
  if (expected.version === '2019') expect(found.version, id).toBe('2019');
  if (expected.version === undefined || expected.version !== '2019') expect(found.version, id).not.toBe('2019');
  if (expected.phoneAny !== undefined) {
    const any = expected.phoneAny as string[];
    expect(any.includes(found.phone) || any.includes(found.imei ?? ''), `${id} phone`).toBe(true);
  }
  if (!('total' in expected)) expect(found.total, id).toBeUndefined();
  if (!('encryption' in expected)) expect(found.encryption, id).toBeUndefined();
  comparePositions(id, found.locations, expected.locations);
  comparePositions(id, found.vendorLocations, expected.vendorLocations as Expected['locations']);
  for (const [name, value] of Object.entries(expected.attributes ?? {})) {
    compared.attributes += 1;
    expect(found.attributes?.[name], `${id} attributes.${name}`).toEqual(value);
  }
  compareFields(id, found, expected);
}

function comparePositions(id: string, found: unknown[] | undefined, expected: Expected['locations']): void {
  const stated = (expected ?? []).map(({ extrasUncertain: _guess, ...values }) => values);
  const read = (found ?? []).map((one) => {
    const { readings: _ours, ...values } = one as Record<string, unknown>;
    return values;
  });
  expect(read, `${id} locations`).toEqual(stated);
  compared.locations += stated.length;
}

function compareFields(id: string, found: DescribedMessage, expected: Expected): void {
  for (const [name, value] of Object.entries(expected.fields ?? {})) {
    const getter = found.name === undefined ? undefined : fieldMap[found.name]?.[name];
    if (getter === undefined || !isComparable(found, name, value)) {
      const key = `${found.name ?? `0x${found.messageId.toString(16).padStart(4, '0')}`}.${name}`;
      uncompared.set(key, (uncompared.get(key) ?? 0) + 1);
      continue;
    }
    compared.fields += 1;
    const ours = getter((found.body ?? {}) as Record<string, unknown>, found);
    if (name === 'terminalParamDetails') expect(ours, `${id} ${name}`).toMatchObject(sentParameters(value));
    else if (name === 'paramList') expect(ours, `${id} ${name}`).toMatchObject(listedParameters(value));
    else if (name.startsWith('extra_')) expect(value, `${id} ${name}`).toMatchObject(ours as object);
    else if (zeroFilled.has(id) && typeof value === 'string') {
      expect(String(ours).replace(/^0+/, ''), `${id} ${name}`).toBe(value);
    } else if (name === 'retransmitPackageIds') expect(ours, `${id} ${name}`).toBe(value ?? 'hex:');
    else expect(ours, `${id} ${name}`).toEqual(value);
  }
}

/** Registrations whose maker filled the fields with the digit 0 in front, which could be part of an id. */
const zeroFilled = new Set(['smallchi-d011-0100']);

/** Some origins state what they were given, not what is in the frame, or a structure that we keep as bytes. */
function isComparable(found: DescribedMessage, name: string, value: unknown): boolean {
  // A refusal carries no code; the origin's test gave one to its encoder all the same.
  if (found.name === 'registerAnswer' && name === 'code') {
    return (found.body as { token?: string }).token !== undefined || value === null;
  }
  // Items of JT/T 1078, which the origin reads as structures.
  if (name === 'paramList') return Array.isArray(value) && value.every((one) => 'paramValue' in (one as object));
  // The origin states the text that it was given; its body holds another one (no 'a' at the end).
  if (name === 'text' && String(value).endsWith('aaaaa')) return false;
  // With reserved bits set the origin states the flags bit by bit and the byte as 0.
  if (name === 'flag' && value === 0) return false;
  return true;
}

/** Of Go's details only the parameters that were sent have a length; a WORD is kept with its bytes as text. */
function sentParameters(details: unknown): Record<number, unknown> {
  const sent = Object.values(details as Record<string, { id: number; len: number; value: unknown }>);
  const plainValue = (value: unknown): unknown => (typeof value === 'string' ? value.replace(/^hex:/, '') : value);
  return Object.fromEntries(
    sent.filter(({ id, len }) => id > 0 && len > 0).map(({ id, value }) => [id, plainValue(value)]),
  );
}

function listedParameters(list: unknown): { id: number; value: unknown }[] {
  return (list as { paramId: number; paramValue: unknown }[]).map(({ paramId, paramValue }) => ({
    id: paramId,
    value: paramValue,
  }));
}

function compareStream(one: Case, found: Described[]): void {
  const messages = frameMessages(found);
  expect(messages.length, `${one.id} messages`).toBe(one.expect.messages?.length ?? 0);
  messages.forEach((message, i) => compareMessage(one.id, message, one.expect.messages![i]!));
  const pieces = found.flatMap((piece) => ('error' in piece ? [piece.hex] : []));
  const wires = messages.map(encodeAgain);
  for (const frame of one.expect.frames ?? []) {
    expect([...wires, ...pieces.map((piece) => `7e${piece}7e`)], `${one.id} frame`).toContain(frame);
  }
  for (const frame of one.expect.framesUnescaped ?? []) {
    const plainPieces = pieces.map((piece) => {
      const wire = fromHex(piece);
      const into = new Uint8Array(wire.length);
      return toHex(into, 0, unescape(standardFraming, wire, 0, wire.length, into));
    });
    expect(plainPieces, `${one.id} unescaped`).toContain(frame);
  }
  if (one.expect.assembled !== undefined) {
    const assembled = found.filter(isMessage).filter((message) => message.assembled === true);
    expect(assembled.length, `${one.id} assembled`).toBe(one.expect.assembled.length);
    assembled.forEach(({ messageId, phone, bodyHex }, i) => {
      const { messageId: id, phone: number, bodyHex: hex } = one.expect.assembled![i]!;
      expect({ messageId, phone, bodyHex }).toEqual({ messageId: id, phone: number, bodyHex: hex });
    });
  }
}

/** What was printed, encoded again: header values and `bodyHex`. */
function encodeAgain(message: DescribedMessage): string {
  return encodeJson(message)
    .map((frame) => toHex(frame))
    .join('');
}

function compareVariant(one: Case, found: Described[]): void {
  const messages = frameMessages(found);
  if (one.expect.text !== undefined) {
    expect(found).toEqual([{ text: one.expect.text }]);
    return;
  }
  if (one.mayReject === true && messages.length === 0) {
    expect(found.every((piece) => 'error' in piece)).toBe(true);
    return;
  }
  expect(messages.length, one.id).toBe(1);
  compareMessage(one.id, messages[0]!, one.expect);
}

/** The frame put between two heartbeats: neither may be lost. */
function surroundingsSurvive(one: Case): void {
  const heartbeat = '7e00020000013900000017002d007e';
  const before = describeStream(fromHex(heartbeat));
  expect(before.length).toBe(1);
  const around = frameMessages(describeStream(fromHex(`${heartbeat}${one.hex}${heartbeat}`)));
  expect(around[0], one.id).toEqual(before[0]);
  expect(around.at(-1), one.id).toEqual(before[0]);
}

describe.skipIf(!present)(
  `collected frames${present ? '' : ' (SKIPPED: shared/frames is not beside the checkout)'}`,
  () => {
    it.each(cases.map((one) => [one.id, one] as const))('%s', (_id, one) => {
      const found = describeCase(one.hex, one.expect);
      switch (one.kind) {
        case 'stream':
          compareStream(one, found);
          break;
        case 'reject':
          if (one.expect.level === 'frame') expect(found.filter(isMessage), one.id).toEqual([]);
          else {
            const { messageId, phone, serial } = one.expect;
            expect(frameMessages(found)[0], one.id).toMatchObject({ messageId, phone, serial });
          }
          break;
        case 'variant':
          compareVariant(one, found);
          break;
        default:
          expect(found.length, one.id).toBe(1);
          compareMessage(one.id, found[0] as DescribedMessage, one.expect);
          if (one.kind === 'encode' || one.kind === 'decode')
            expect(encodeAgain(found[0] as DescribedMessage), one.id).toBe(one.hex);
      }
      surroundingsSurvive(one);
    });

    it('holds all the kinds that it was written for', () => {
      expect(new Set(cases.map(({ kind }) => kind)).size).toBe(5);
      expect(cases.length).toBeGreaterThanOrEqual(535);
    });

    afterAll(() => {
      const left = [...uncompared].map(([key, count]) => `${key} ${count}`);
      const total = [...uncompared.values()].reduce((sum, count) => sum + count, 0);
      process.stdout.write(
        `frames: ${cases.length} cases; compared ${compared.locations} locations, ${compared.attributes} attributes, ` +
          `${compared.fields} fields; uncompared fields ${total}: ${left.join(', ')}\n`,
      );
    });
  },
);
