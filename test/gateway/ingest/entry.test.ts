import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  entryKinds,
  GroupCursor,
  GroupError,
  GroupWriter,
  holdsParts,
  vehiclePrefix,
  type EntryKind,
} from '../../../gateway/ingest/entry.js';

const kinds = Object.keys(entryKinds) as EntryKind[];
const withContext = (kind: EntryKind): boolean => !['frame', 'part', 'partReceipt'].includes(kind);

const entry = fc.record({
  kind: fc.constantFrom(...kinds),
  edition: fc.constantFrom(2011 as const, 2013 as const, 2019 as const),
  vehicleId: fc.string({ minLength: 1, maxLength: 40 }),
  context: fc.string({ maxLength: 300 }),
  laterMs: fc.integer({ min: -1000, max: 100_000 }),
  content: fc.uint8Array({ maxLength: 400 }),
});
const baseMs = Date.UTC(2026, 10, 21);

type EntryValue = typeof entry extends fc.Arbitrary<infer T> ? T : never;

function write(entries: EntryValue[]): Uint8Array {
  const writer = new GroupWriter(16);
  for (const { kind, edition, vehicleId, context, laterMs, content } of entries) {
    const padded = Buffer.concat([Buffer.of(1, 2), content, Buffer.of(3)]);
    const text = withContext(kind) ? context : undefined;
    writer.add(
      entryKinds[kind],
      edition,
      baseMs + laterMs,
      vehiclePrefix(vehicleId),
      text,
      padded,
      2,
      padded.length - 1,
    );
  }
  return writer.group().slice();
}

describe('a group of the ingest log', () => {
  it('gives back every entry as it was put in', () => {
    const cursor = new GroupCursor();
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 20 }), (entries) => {
        // A Buffer, as stores give it; what the cursor keeps must not be a view of it.
        const group = Buffer.from(write(entries));
        cursor.open(group);
        for (const [index, one] of entries.entries()) {
          expect(cursor.next()).toBe(true);
          expect({
            kind: cursor.kind,
            edition: cursor.edition,
            vehicleId: cursor.vehicleId,
            receivedAt: cursor.receivedAt,
            context: cursor.context,
            index: cursor.index,
            content: Uint8Array.from(group.subarray(cursor.start, cursor.end)),
          }).toEqual({
            kind: one.kind,
            edition: one.edition,
            vehicleId: one.vehicleId,
            receivedAt: baseMs + one.laterMs,
            context: withContext(one.kind) ? one.context : '',
            index,
            content: one.content,
          });
        }
        expect(cursor.next()).toBe(false);
        expect(holdsParts(group)).toBe(entries.some(({ kind }) => kind === 'part'));
        group.fill(0);
      }),
    );
  });

  it('is empty and usable again after a reset', () => {
    const writer = new GroupWriter();
    const add = (byte: number) =>
      writer.add(entryKinds.frame, 2013, baseMs, vehiclePrefix('v'), undefined, Uint8Array.of(byte), 0, 1);
    add(1);
    writer.reset();
    expect(writer.count).toBe(0);
    add(2);
    const cursor = new GroupCursor();
    cursor.open(writer.group());
    expect(cursor.next()).toBe(true);
    expect(cursor.bytes[cursor.start]).toBe(2);
    expect(cursor.next()).toBe(false);
  });

  it('that is cut or of an unknown version is refused, never read beyond its end', () => {
    const group = write([
      {
        kind: 'receipt',
        edition: 2013,
        vehicleId: 'v-1',
        context: 'd\nok',
        laterMs: 0,
        content: Uint8Array.of(1, 2, 3),
      },
    ]);
    const read = (bytes: Uint8Array): number => {
      const cursor = new GroupCursor();
      cursor.open(bytes);
      let entries = 0;
      while (cursor.next()) entries++;
      return entries;
    };
    expect(read(group)).toBe(1);
    expect(read(group.subarray(0, 10))).toBe(0);
    for (let length = 11; length < group.length; length++)
      expect(() => read(group.subarray(0, length))).toThrow(GroupError);
    expect(() => read(Uint8Array.of(2, ...group.subarray(1)))).toThrow(GroupError);
    expect(() => read(new Uint8Array(3))).toThrow(GroupError);
  });

  it('never makes the cursor do anything but refuse, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const cursor = new GroupCursor();
        try {
          cursor.open(Uint8Array.of(1, ...bytes));
          while (cursor.next());
        } catch (error) {
          expect(error).toBeInstanceOf(GroupError);
        }
      }),
    );
  });
});
