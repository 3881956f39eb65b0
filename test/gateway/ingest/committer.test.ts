import { describe, expect, it } from 'vitest';
import { GatewayCounters } from '../../../gateway/counters.js';
import { Committer, type Appender } from '../../../gateway/ingest/committer.js';
import { GroupCursor, vehiclePrefix } from '../../../gateway/ingest/entry.js';
import { defaultLimits, type GatewayLimits } from '../../../gateway/limits.js';

const vehicle = vehiclePrefix('v-1');

/** An ingest log whose appends end when the test says so, and a clock that stands. */
class World {
  readonly groups: number[][] = [];
  readonly told: string[] = [];
  readonly counters = new GatewayCounters();
  readonly paused: { ms: number; call: () => void }[] = [];
  #ends: { resolve: (sequence: number) => void; reject: (error: Error) => void }[] = [];
  #soon: (() => void)[] = [];
  nowMs = 0;
  readonly committer: Committer;

  constructor(limits: Partial<GatewayLimits> = {}) {
    this.committer = new Committer({
      log: {
        appendIngest: (_node, group) => {
          const cursor = new GroupCursor();
          cursor.open(group);
          const bytes: number[] = [];
          while (cursor.next()) bytes.push(cursor.bytes[cursor.start]!);
          this.groups.push(bytes);
          return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
        },
      },
      node: 'n',
      limits: { ...defaultLimits, ...limits },
      counters: this.counters,
      now: () => this.nowMs,
      soon: (call) => void this.#soon.push(call),
      after: (ms, call) => void this.paused.push({ ms, call }),
    });
  }

  appender(name: string): Appender & { put: (byte: number, size?: number) => string } {
    const appender = {
      group: 0,
      slot: 0,
      committed: (entries: number, durable: boolean) => void this.told.push(`${name}:${entries}:${durable}`),
      put: (byte: number, size = 1): string =>
        this.committer.append(
          appender,
          'frame',
          2013,
          vehicle,
          undefined,
          new Uint8Array(size).fill(byte),
          0,
          size,
          this.nowMs,
        ),
    };
    return appender;
  }

  /** What was to run soon, runs. */
  turn(): void {
    for (const call of this.#soon.splice(0)) call();
  }

  async end(error?: Error): Promise<void> {
    const { resolve, reject } = this.#ends.shift()!;
    if (error) reject(error);
    else resolve(this.groups.length);
    await new Promise((done) => setImmediate(done));
  }
}

describe('the committer', () => {
  it('appends in groups: what comes while one is appended goes into the next', async () => {
    const world = new World();
    const [a, b] = [world.appender('a'), world.appender('b')];
    a.put(1);
    b.put(2);
    a.put(3);
    expect(world.groups).toEqual([]);
    world.turn();
    a.put(4);
    world.turn();
    expect(world.groups).toEqual([[1, 2, 3]]);
    expect(world.told).toEqual([]);
    await world.end();
    expect(world.told).toEqual(['a:2:true', 'b:1:true']);
    world.turn();
    await world.end();
    expect(world.groups).toEqual([[1, 2, 3], [4]]);
    expect(world.told.at(-1)).toBe('a:1:true');
    expect(world.counters).toMatchObject({ entriesDurable: 4, groupsDurable: 2, bytesWaiting: 0 });
  });

  it('says "not durable" once for a failed group, and paces the next tries', async () => {
    const world = new World({ appendRetryMs: 100, appendRetryMaxMs: 300 });
    const a = world.appender('a');
    const pauses: number[] = [];
    a.put(1);
    world.turn();
    await world.end(new Error('disk full'));
    for (let i = 0; i < 3; i++) {
      a.put(2 + i);
      pauses.push(world.paused[0]!.ms);
      world.paused.shift()!.call();
      await world.end(new Error('disk full'));
    }
    expect(pauses).toEqual([100, 200, 300]);
    expect(world.told).toEqual(['a:1:false', 'a:1:false', 'a:1:false', 'a:1:false']);
    a.put(9);
    world.paused.shift()!.call();
    await world.end();
    expect(world.told.at(-1)).toBe('a:1:true');
    expect(world.committer.failing).toBe(false);
    a.put(10);
    world.turn();
    expect(world.groups.at(-1)).toEqual([10]);
  });

  it('asks for a pause at the soft bound and takes nothing beyond the hard one', () => {
    const world = new World({ groupSoftBytes: 1_000, groupHardBytes: 2_000 });
    const a = world.appender('a');
    expect(a.put(1, 800)).toBe('taken');
    expect(a.put(1, 800)).toBe('takenFull');
    expect(a.put(1, 800)).toBe('takenFull');
    expect(a.put(1, 800)).toBe('shed');
    expect(world.counters.framesShed).toBe(1);
  });

  it('keeps little while the store fails, and pauses nobody', async () => {
    const world = new World({ groupFailingBytes: 500 });
    const a = world.appender('a');
    a.put(1);
    world.turn();
    await world.end(new Error('no'));
    expect(a.put(1, 600)).toBe('taken');
    expect(a.put(1, 600)).toBe('shed');
  });

  it('resolves single appends with what became of them, and knows when it is idle', async () => {
    const world = new World();
    const first = world.committer.appendAndWait('mqtt', vehicle, '138', Uint8Array.of(1), 0);
    world.turn();
    const second = world.committer.appendAndWait('mqtt', vehicle, '138', Uint8Array.of(2), 0);
    await world.end();
    expect(await first).toBe(true);
    world.turn();
    const drained = world.committer.drained();
    await world.end(new Error('no'));
    expect(await second).toBe(false);
    await drained;
  });

  it('is not waited for while the store fails, however much terminals send', async () => {
    const world = new World();
    const a = world.appender('a');
    a.put(1);
    world.turn();
    a.put(1);
    const drained = world.committer.drained();
    await world.end(new Error('no'));
    a.put(1);
    await drained;
    await world.committer.drained();
  });
});
