import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openClock } from '../../../dispatch/clock.js';
import type { TerminalReport } from '../../../dispatch/domain/commands.js';
import type { DispatchPort } from '../../../dispatch/ports.js';
import { StoreError } from '../../../dispatch/store/errors.js';
import { ConflictError } from '../../../dispatch/service.js';
import { openLmdb } from '../../../dispatch/store/lmdb.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import type { DispatchStore, IngestPosition } from '../../../dispatch/store/store.js';
import { GatewayCounters } from '../../../gateway/counters.js';
import { entryKinds, GroupWriter, vehiclePrefix, type EntryKind } from '../../../gateway/ingest/entry.js';
import { IngestReader } from '../../../gateway/ingest/reader.js';
import { defaultLimits } from '../../../gateway/limits.js';
import { encodeBody, encodeUplink, FrameSplitter, wrapPassthrough, type UplinkBody } from '../../../protocol/index.js';
import { frameOf, generalReply, locationBody } from '../support/frames.js';

const form = { phone: '13800138000', edition: 2013 } as const;
const at = Date.UTC(2026, 10, 21, 3, 0, 0);

/** Header and body of a wire frame, as the log holds it. */
function content(wire: Uint8Array): Uint8Array {
  let found: Uint8Array | undefined;
  new FrameSplitter().push(wire, {
    frame: (frame) => (found = frame.copyContent()),
    refused: (error) => {
      throw error;
    },
  });
  return found!;
}

interface Entry {
  kind?: EntryKind;
  context?: string;
  bytes: Uint8Array;
}

/** A real store; what the reader applies goes to its commit, and is noted. */
class World {
  readonly reports: TerminalReport[] = [];
  readonly positions: { deviceAt: number; lonE6: number; latE6: number; status: number }[] = [];
  readonly applied: number[] = [];
  readonly logged: string[] = [];
  readonly counters = new GatewayCounters();
  /** Called before each apply; throws to make it fail. */
  before: (reports: readonly TerminalReport[], positions: PositionBatch) => void = () => {};
  readonly directory = mkdtempSync(join(tmpdir(), 'linecrew-reader-'));
  store!: DispatchStore;
  reader!: IngestReader;

  async open(): Promise<void> {
    this.store = await openLmdb(this.directory);
    const clock = await openClock(this.store, 60);
    const apply = async (reports: readonly TerminalReport[], positions: PositionBatch, applied: IngestPosition) => {
      this.before(reports, positions);
      const result = await this.store.commit({ applied, positions });
      if (!result.ok) throw new ConflictError('conflict' in result ? result.conflict : { kind: 'key', id: '' });
      this.reports.push(...reports);
      for (let i = 0; i < positions.length; i++) this.positions.push(positions.at(i));
      this.applied.push(applied.sequence);
    };
    const note = (reports: readonly TerminalReport[]) => {
      this.before(reports, new PositionBatch());
      this.reports.push(...reports);
      return Promise.resolve();
    };
    const log = {
      info: () => {},
      warn: () => {},
      error: (_fields: object, message: string) => void this.logged.push(message),
    };
    const dispatch = { store: this.store, clock, apply, note } as unknown as DispatchPort;
    this.reader = new IngestReader({ dispatch, node: 'n', limits: defaultLimits, counters: this.counters, log });
    await this.reader.start();
  }

  async append(...entries: Entry[]): Promise<void> {
    const writer = new GroupWriter();
    for (const { kind = 'frame', context, bytes } of entries) {
      writer.add(entryKinds[kind], 2013, at, vehiclePrefix('v-1'), context, bytes, 0, bytes.length);
    }
    this.reader.appended(await this.store.appendIngest('n', writer.group()));
  }

  async applyAll(...entries: Entry[]): Promise<void> {
    await this.append(...entries);
    await this.reader.caughtUp();
  }

  async restart(): Promise<void> {
    await this.reader.stop();
    await this.store.close();
    await this.open();
  }
}

let world: World;
beforeEach(async () => {
  world = new World();
  await world.open();
});
afterEach(async () => {
  await world.reader.stop();
  await world.store.close();
  rmSync(world.directory, { recursive: true, force: true });
});

const location = (serial: number, place: Parameters<typeof locationBody>[0] = { at }) =>
  content(frameOf(form, 0x0200, serial, locationBody(place)));
const uplink = (body: UplinkBody, sequence = 1): Entry => ({
  kind: 'mqtt',
  context: form.phone,
  bytes: encodeUplink({ sequence, sentAtMs: at, body }),
});

describe('the reader', () => {
  it('makes positions of 0x0200, 0x0704, 0x0201 and 0x0500', async () => {
    const item = (seconds: number) => {
      const body = locationBody({ at: at - seconds * 1000 });
      return Buffer.concat([Buffer.of(0, body.length), body]);
    };
    const batch = Buffer.concat([Buffer.of(0, 2, 1), item(60), item(30)]);
    const answer = Buffer.concat([Buffer.of(0, 9), locationBody({ at: at + 1000 })]);
    await world.applyAll(
      { bytes: location(1) },
      { bytes: content(frameOf(form, 0x0704, 2, batch)) },
      { bytes: content(frameOf(form, 0x0201, 3, answer)) },
      { kind: 'receipt', context: 'd-1\nok', bytes: content(frameOf(form, 0x0500, 4, answer)) },
    );
    expect(world.positions.map(({ deviceAt }) => (deviceAt - at) / 1000)).toEqual([0, -60, -30, 1, 1]);
    expect(world.reports).toMatchObject([
      { type: 'report.reply', name: 'locationAnswer', quotedSerial: 9 },
      { type: 'report.receipt', deliveryId: 'd-1', result: 'ok', ofApplication: false },
      { type: 'report.reply', deliveryId: 'd-1', name: 'controlAnswer', fields: { lat: 39.9, lon: 116.4 } },
    ]);
  });

  it('takes received time for a date that is none, and no coordinates that are not on earth', async () => {
    const noDate = locationBody({ at });
    noDate.fill(0, 22, 28);
    const future = locationBody({ at: at + 365 * 86_400_000 });
    await world.applyAll(
      { bytes: content(frameOf(form, 0x0200, 1, noDate)) },
      { bytes: content(frameOf(form, 0x0200, 2, future)) },
      { bytes: location(3, { at, latE6: 91_000_000 }) },
    );
    expect(world.positions.map(({ deviceAt, latE6, status }) => [deviceAt, latE6, status])).toEqual([
      [at, 39_900_000, 3],
      [at, 39_900_000, 3],
      [at, 0, 1],
    ]);
  });

  it('makes reports of what crews say, with the proof where it lies', async () => {
    const passthrough = encodeBody('passthroughUp', 2013, {
      type: 0xfa,
      content: wrapPassthrough(
        encodeUplink({
          sequence: 7,
          sentAtMs: at,
          body: { kind: 'orderAction', orderId: 'o-1', leg: 2, action: 'accept', atMs: at - 5000 },
        }),
      ),
    });
    await world.applyAll(
      { bytes: content(frameOf(form, 0x0301, 5, Buffer.of(17))) },
      { bytes: content(frameOf(form, 0x0302, 6, Buffer.of(1, 2, 3))) },
      { bytes: content(frameOf(form, 0x0900, 7, passthrough)) },
    );
    const common = { vehicleId: 'v-1', phone: form.phone, receivedAt: at };
    expect(world.reports).toMatchObject([
      { ...common, type: 'report.menuEvent', eventId: 17, frame: { node: 'n', sequence: 1, index: 0 } },
      { ...common, type: 'report.answer', quotedSerial: 258, answerId: 3, frame: { index: 1 } },
      {
        ...common,
        type: 'report.action',
        orderId: 'o-1',
        leg: 2,
        action: 'accept',
        deviceAt: at - 5000,
        frame: { index: 2 },
      },
    ]);
    expect(new Set(world.reports.map(({ dedupKey }) => dedupKey)).size).toBe(3);
  });

  it('gives a repeated uplink the same key, and another one another', async () => {
    const event = (serial: number, id: number) => ({ bytes: content(frameOf(form, 0x0301, serial, Buffer.of(id))) });
    const duty = (sequence: number) => uplink({ kind: 'duty', to: 'standby', atMs: at }, sequence);
    await world.applyAll(event(5, 1), event(5, 1), event(6, 1), event(5, 2), duty(1), duty(1), duty(2));
    const keys = world.reports.map(({ dedupKey }) => dedupKey);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[4]).toBe(keys[5]);
    expect(new Set(keys).size).toBe(5);
  });

  it('translates every body of an uplink', async () => {
    await world.applyAll(
      uplink({ kind: 'receipt', deliveryId: 'd', result: 'ok', orderId: 'o', leg: 1, contentVersion: 3 }),
      uplink({ kind: 'holdings', revision: 4, entries: [{ orderId: 'o', leg: 1, contentVersion: 3 }] }),
      uplink({ kind: 'answer', deliveryId: 'd', choice: 2, atMs: 0 }),
      uplink({
        kind: 'positions',
        positions: [
          { atMs: at, lat: 39.9, lon: 116.4, altitudeM: 5, speedKmh: 36, headingDeg: 1, alarm: 0, status: 3 },
        ],
      }),
      uplink({ kind: 'orderAction', orderId: 'o', leg: 1, action: 'working', atMs: at }),
      uplink({ kind: 'alarm', alarm: 'sos', active: true, atMs: at, lat: 39.9, lon: 116.4 }),
      uplink({
        kind: 'hello',
        software: 'x',
        device: 'y',
        maxLegs: 0,
        maxTextChars: 0,
        capabilities: [],
        language: '',
      }),
      uplink({ kind: 'orderAction', orderId: 'o', leg: 1, action: 'resume', atMs: at }),
      uplink({ kind: 'alarm', alarm: 'accident', active: true, atMs: at, lat: 39.9, lon: 116.4, text: '两车相撞' }),
      uplink({ kind: 'alarm', alarm: 'breakdown', active: false, atMs: at }),
      uplink({ kind: 'unknown' }),
    );
    expect(world.reports).toMatchObject([
      {
        type: 'report.receipt',
        deliveryId: 'd',
        orderId: 'o',
        leg: 1,
        contentVersion: 3,
        result: 'ok',
        ofApplication: true,
      },
      { type: 'report.holdings', revision: 4, entries: [{ orderId: 'o', leg: 1, contentVersion: 3 }] },
      { type: 'report.answer', deliveryId: 'd', answerId: 2 },
      { type: 'report.action', action: 'work' },
      { type: 'report.action', action: 'resume' },
      { type: 'report.unusable', message: 'the crew reports an accident at 39.900000, 116.400000: 两车相撞' },
      { type: 'report.unusable', message: 'the crew reports the end of a breakdown' },
      { type: 'report.unusable', code: 'unknown' },
    ]);
    expect(world.reports[2]).not.toHaveProperty('deviceAt');
    expect(world.positions).toMatchObject([
      { speedDeciKmh: 360, mileageDeciKm: -1 },
      { alarm: 1, latE6: 39_900_000 },
    ]);
  });

  it('joins sub-packages, whatever their order and group, and over a restart', async () => {
    const item = (i: number) => {
      const body = locationBody({ at: at - i * 1000 });
      return Buffer.concat([Buffer.of(0, body.length), body]);
    };
    const body = Buffer.concat([Buffer.of(0, 40, 1), ...Array.from({ length: 40 }, (_, i) => item(i))]);
    const parts = [0, 1, 2].map((i) => ({
      kind: 'part' as const,
      bytes: content(frameOf(form, 0x0704, 100 + i, body.subarray(i * 600, (i + 1) * 600), { total: 3, index: i + 1 })),
    }));
    await world.applyAll(parts[2]!, { bytes: location(1) });
    await world.applyAll(parts[0]!);
    expect(world.positions).toHaveLength(1);
    const held = world.counters.partsBytes;
    expect(held).toBeGreaterThanOrEqual(body.length - 600);
    await world.restart();
    expect(world.reader.applied).toBe(2);
    // Counted once, however often the log is read again for them.
    expect(world.counters.partsBytes).toBe(held);
    await world.applyAll(parts[0]!, parts[1]!);
    expect(world.positions).toHaveLength(41);
    expect(world.counters.partsBytes).toBe(0);
    // Nothing is unfinished any more: another restart reads nothing again.
    await world.applyAll({ bytes: location(2) });
    expect(await world.store.meta('ingest.n')).toEqual({});
    await world.restart();
    await world.applyAll(parts[1]!);
    expect(world.positions).toHaveLength(42);
  });

  it('a part that is sent again after the end of its message is not taken for a part of the next', async () => {
    const batchOf = (first: number, serial: number) => {
      const items = Array.from({ length: 20 }, (_, i) => locationBody({ at: at + (first + i) * 1000 }));
      const body = Buffer.concat([Buffer.of(0, 20, 1), ...items.flatMap((one) => [Buffer.of(0, one.length), one])]);
      return [0, 1].map((i) => ({
        kind: 'part' as const,
        bytes: content(frameOf(form, 0x0704, serial + i, body.subarray(i * 400, i === 0 ? 400 : undefined), { total: 2, index: i + 1 })),
      })); // prettier-ignore
    };
    const [first, second] = batchOf(0, 100);
    const [third, fourth] = batchOf(20, 140);
    await world.applyAll(first!, second!);
    // The answer to it was lost on the way; and the next batch comes with its second part first.
    await world.applyAll(first!, fourth!, third!);
    expect(world.positions.map(({ deviceAt }) => (deviceAt - at) / 1000)).toEqual(
      Array.from({ length: 40 }, (_, i) => i),
    );
    expect(world.counters.partsBytes).toBe(0);
  });

  it('goes on exactly where it stood after a restart', async () => {
    await world.applyAll({ bytes: location(1) });
    await world.reader.stop();
    const writer = new GroupWriter();
    const bytes = location(2, { at: at + 1000 });
    writer.add(entryKinds.frame, 2013, at, vehiclePrefix('v-1'), undefined, bytes, 0, bytes.length);
    await world.store.appendIngest('n', writer.group());
    await world.restart();
    await world.reader.caughtUp();
    expect(world.positions.map(({ deviceAt }) => deviceAt)).toEqual([at, at + 1000]);
    expect(world.applied).toEqual([1, 2]);
  });

  it('goes on from where the store stands when an apply was stored that seemed to fail', async () => {
    await world.applyAll({ bytes: location(1) });
    let stored: Promise<unknown> | undefined;
    world.before = (_reports, positions) => {
      world.before = () => {};
      stored = world.store.commit({ applied: { node: 'n', sequence: world.reader.applied + 1 }, positions });
      throw new StoreError('timeout', 'no answer');
    };
    await world.applyAll({ bytes: location(2, { at: at + 1000 }) });
    await stored;
    await world.applyAll({ bytes: location(3, { at: at + 2000 }) });
    const track: number[] = [];
    for await (const { deviceAt } of world.store.track('v-1', 0, at + 86_400_000)) track.push((deviceAt - at) / 1000);
    expect(track).toEqual([0, 1, 2]);
    expect(world.positions.map(({ deviceAt }) => (deviceAt - at) / 1000)).toEqual([0, 2]);
  });

  it('waits for a store that fails and loses nothing', async () => {
    let failures = 3;
    world.before = () => {
      if (failures-- > 0) throw new StoreError('full', 'no space');
    };
    await world.applyAll({ bytes: location(1) });
    expect(world.positions).toHaveLength(1);
    expect(world.counters.applyFailures).toBe(3);
  });

  it('tells of groups that the disk does not give back, and goes on behind them', async () => {
    const read = world.store.readIngest.bind(world.store);
    world.store.readIngest = async (...asked) => (await read(...asked)).filter(({ sequence }) => sequence !== 2);
    for (const i of [1, 2, 3]) await world.append({ bytes: location(i, { at: at + i * 1000 }) });
    await world.applyAll({ bytes: location(4, { at: at + 4000 }) });
    expect(world.positions.map(({ deviceAt }) => (deviceAt - at) / 1000)).toEqual([1, 3, 4]);
    expect(world.counters.groupsMissing).toBe(1);
    expect(world.logged.some((message) => message.includes('are damaged'))).toBe(true);
  });

  it('is never held up: entries, groups and reports that cannot be used are quarantined with their bytes', async () => {
    world.before = (reports) => {
      if (reports.some((report) => report.type === 'report.menuEvent')) throw new TypeError('a rule is broken');
    };
    await world.append(
      { kind: 'mqtt', context: form.phone, bytes: Uint8Array.of(0xff, 0xff) },
      { bytes: Uint8Array.of(1, 2, 3) },
    );
    await world.store.appendIngest('n', Uint8Array.of(9, 9, 9));
    await world.applyAll({ bytes: content(frameOf(form, 0x0301, 5, Buffer.of(17))) }, { bytes: location(1) });
    expect(world.positions).toHaveLength(1);
    expect(world.reports.map((report) => [report.type, 'code' in report && report.code])).toEqual([
      ['report.unusable', 'protobuf'],
      ['report.unusable', 'too_short'],
      ['report.unusable', 'notApplicable'],
    ]);
    expect(world.reports[0]).toMatchObject({ bytesHex: 'ffff', frame: { sequence: 1, index: 0 } });
    expect(world.reader.applied).toBe(3);
    expect(world.logged.some((message) => message.includes('a group of the ingest log cannot be read'))).toBe(true);
  });

  it('keeps what the session found malformed', async () => {
    const bytes = content(frameOf(form, 0x0200, 1, Buffer.alloc(5)));
    await world.applyAll({ kind: 'unusable', context: 'truncated\n0x0200: too short', bytes });
    expect(world.reports).toMatchObject([
      {
        type: 'report.unusable',
        code: 'truncated',
        message: '0x0200: too short',
        bytesHex: Buffer.from(bytes).toString('hex'),
      },
    ]);
  });

  it('says nothing of an answer that belongs to nothing', async () => {
    await world.applyAll(
      { bytes: content(generalReply(form, 1, 9, 0x8300, 0)) },
      { kind: 'partReceipt', bytes: content(generalReply(form, 2, 9, 0x8300, 0)) },
    );
    expect(world.reports).toEqual([]);
    expect(world.applied).toEqual([1]);
  });
});
