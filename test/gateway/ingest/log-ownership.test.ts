/** Whose ingest log is read by whom, on a real Redis: nodes that die, come back, are slow, or have one name between them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../../dispatch/clock.js';
import { DEFAULT_SETTINGS } from '../../../dispatch/domain/settings.js';
import { createDispatch } from '../../../dispatch/service.js';
import { openStore } from '../../../dispatch/store/open.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import { GatewayCounters } from '../../../gateway/counters.js';
import { entryKinds, GroupWriter, vehiclePrefix } from '../../../gateway/ingest/entry.js';
import { LogOwnership } from '../../../gateway/ingest/log-ownership.js';
import { defaultLimits } from '../../../gateway/limits.js';
import { RedisServer } from '../../support/redis.js';
import { until } from '../../e2e/nodes-support.js';
import { locationBody } from '../support/frames.js';
import { contentOf } from '../support/content.js';

const START = Date.UTC(2026, 10, 21, 3, 0, 0);
const LEASE_MS = defaultLimits.nodeLeaseMs;
const ROUND_MS = Math.ceil(LEASE_MS / 3);
const WITHIN_MS = 20_000;
const form = { phone: '13800138000', edition: 2013 } as const;

/** Reports logged by all nodes of a test: each at a time of its own. */
let serial = 0;
let redis: RedisServer;

/** One gateway as far as its ingest log goes: a connection to Redis and a clock of its own. */
class Node {
  readonly clock = manualClock(START);
  readonly logged: string[] = [];
  /** Nodes that it found gone, with the sequence that was applied by then. */
  readonly gone: string[] = [];
  thoughtGone = 0;
  /** Called before a node is buried; throws to make it fail. */
  beforeGone = (): void => {};
  ownership!: LogOwnership;

  private constructor(
    readonly name: string,
    readonly store: DispatchStore,
    private readonly instance: string,
  ) {}

  static async start(name: string, url: string, instance = `${name}.1`, at = START): Promise<Node> {
    const node = new Node(name, await openStore(url, { commandTimeoutMs: 1_000 }), instance);
    node.clock.advance(at - START);
    await node.#start();
    return node;
  }

  async #start(): Promise<void> {
    const { store, clock, name: node, instance } = this;
    const say = (_fields: object, message: string): void => void this.logged.push(message);
    const log = { info: say, warn: say, error: say };
    const random = (length: number): Uint8Array => new Uint8Array(length);
    const dispatch = createDispatch({ store, clock, settings: DEFAULT_SETTINGS, random, log, node });
    this.ownership = new LogOwnership({
      dispatch,
      node,
      instance,
      limits: defaultLimits,
      counters: new GatewayCounters(),
      log,
      gone: async (other) => {
        this.beforeGone();
        this.gone.push(`${other} ${(await store.ingestState(other)).applied}`);
      },
      thoughtGone: () => void this.thoughtGone++,
    });
    await this.ownership.start();
  }

  /** Its next look at leases and logs. */
  async round(): Promise<void> {
    await this.ownership.look();
    this.clock.advance(ROUND_MS);
    await this.ownership.look();
  }

  /** Rounds until something is so: at most as many as three leases have. */
  async rounds(look: () => Promise<boolean> | boolean, what: string): Promise<void> {
    for (let i = 0; i < 9 && !(await look()); i++) await this.round();
    await until(look, what, WITHIN_MS);
  }

  /** Logs a report of a truck under a node's name, as that node's gate does; no reader is told. */
  async log(node = this.name): Promise<void> {
    const writer = new GroupWriter();
    const bytes = contentOf(form, 0x0200, ++serial, locationBody({ at: START + serial * 1000 }));
    writer.add(entryKinds.frame, 2013, START, vehiclePrefix('v-1'), undefined, bytes, 0, bytes.length);
    await this.store.appendIngest(node, writer.group());
  }

  applied = async (node: string): Promise<number> => (await this.store.ingestState(node)).applied;

  holder = async (node: string): Promise<string | undefined> =>
    (await this.store.owner(`ingest:${node}`, this.clock.now()))?.connection;

  async positions(): Promise<number> {
    let count = 0;
    for await (const _position of this.store.track('v-1', START, START + 3_600_000)) count++;
    return count;
  }

  async stop(): Promise<void> {
    // A stop that waits for a log which cannot be applied is ended by the clock.
    const stopped = this.ownership.stop();
    this.clock.advance(60_000);
    await stopped.finally(() => this.store.close());
  }
}

const nodes: Node[] = [];
beforeEach(async () => {
  serial = 0;
  redis = await RedisServer.start();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  await redis.stop();
});

async function start(name: string, instance?: string, at?: number): Promise<Node> {
  const node = await Node.start(name, redis.url, instance, at);
  nodes.push(node);
  return node;
}

/** A node that held its log until {@link LEASE_MS} from the start, logged so many reports, and ended at once. */
async function dead(by: Node, name: string, reports: number): Promise<void> {
  await by.store.claimTerminal(`ingest:${name}`, name, `${name}.1`, START, LEASE_MS);
  for (let i = 0; i < reports; i++) await by.log(name);
}

describe('a node that died', () => {
  it('keeps its log until its lease is over; then another one applies it and says once that the node is gone', async () => {
    const b = await start('b');
    await dead(b, 'a', 3);
    await b.round();
    await b.round();
    expect(await b.holder('a')).toBe('a.1');
    expect(await b.applied('a')).toBe(0);

    await b.rounds(async () => (await b.applied('a')) === 3, 'the log is applied');
    await b.rounds(() => b.gone.length > 0, 'the node is found gone');
    // Only when all that it had confirmed was applied: its reports come before the end of its links.
    expect(b.gone).toEqual(['a 3']);
    expect(await b.holder('a')).toBe('b.1');
    expect(await b.positions()).toBe(3);
    for (let i = 0; i < 4; i++) await b.round();
    expect(b.gone).toEqual(['a 3']);
  });

  it('without anything left in its log is found gone too', async () => {
    const b = await start('b');
    await dead(b, 'a', 1);
    expect(await b.store.commit({ applied: { node: 'a', sequence: 1 } })).toMatchObject({ ok: true });
    await b.rounds(() => b.gone.length > 0, 'the node is found gone');
    expect(b.gone).toEqual(['a 1']);
  });

  it('may have had an append under way: what came after it was found gone is applied too', async () => {
    const b = await start('b');
    await dead(b, 'a', 1);
    await b.rounds(() => b.gone.length > 0, 'the node is found gone');
    await b.log('a');
    await b.rounds(async () => (await b.applied('a')) === 2, 'the late group is applied');
    expect(await b.positions()).toBe(2);
  });

  it('is taken over by one of two; what it had logged is applied once', async () => {
    const b = await start('b');
    const c = await start('c');
    await dead(b, 'a', 5);
    const over = async (): Promise<boolean> => (await b.applied('a')) === 5;
    for (let i = 0; i < 6; i++) await Promise.all([b.round(), c.round()]);
    await until(over, 'the log is applied', WITHIN_MS);
    await until(() => b.gone.length + c.gone.length > 0, 'the node is found gone', WITHIN_MS);
    const { reports, positions } = { reports: await b.applied('a'), positions: await b.positions() };
    expect([reports, positions]).toEqual([5, 5]);
    expect(['b.1', 'c.1']).toContain(await b.holder('a'));
  });

  it('is found gone in a later round where telling it fails', async () => {
    const b = await start('b');
    await dead(b, 'a', 2);
    let failures = 0;
    b.beforeGone = () => {
      if (failures++ === 0) throw new Error('the links could not be ended');
    };
    await b.rounds(() => b.gone.length > 0, 'the node is found gone');
    expect(failures).toBe(2);
    expect(b.gone).toEqual(['a 2']);
  });

  it('is taken over when Redis is back, where that was away meanwhile', async () => {
    const b = await start('b');
    await dead(b, 'a', 2);
    await redis.kill();
    b.clock.advance(ROUND_MS);
    await until(() => b.logged.some((line) => /could not be looked after/.test(line)), 'the round fails', WITHIN_MS);
    await redis.run();
    await b.rounds(async () => (await b.applied('a')) === 2, 'the log is applied');
    await b.rounds(() => b.gone.length > 0, 'the node is found gone');
    expect(await b.positions()).toBe(2);
  });

  it('has its log back when it comes back, and is taken over again when it dies again', async () => {
    const b = await start('b');
    await dead(b, 'a', 2);
    await b.rounds(() => b.gone.length === 1, 'the node is found gone');

    const a = await start('a', 'a.2', b.clock.now());
    expect(await b.holder('a')).toBe('a.2');
    await b.rounds(() => b.logged.some((line) => /the node is back/.test(line)), 'the other one leaves the log');
    await a.log();
    a.ownership.own.appended(3);
    await until(async () => (await b.applied('a')) === 3, 'the node applies its own log', WITHIN_MS);
    expect(a.thoughtGone).toBe(0);

    // Its clock stands from now on, so it renews nothing.
    await b.rounds(() => b.gone.length === 2, 'the node is found gone again');
    expect(b.gone).toEqual(['a 2', 'a 3']);
    expect(await b.positions()).toBe(3);
  });

  it('that stopped as it should is looked after at once', async () => {
    const b = await start('b');
    const a = await start('a');
    await a.log();
    await nodes.pop()!.stop();
    await b.log('a');
    await b.round();
    await b.rounds(() => b.gone.length > 0, 'the node is found gone');
    expect(b.clock.now()).toBeLessThan(START + LEASE_MS);
    expect(await b.applied('a')).toBe(2);
  });
});

describe('a node whose append was made although its answer was lost', () => {
  it('applies it soon, though nothing comes after it', async () => {
    const a = await start('a');
    await a.log();
    expect(await a.applied('a')).toBe(0);
    await a.rounds(async () => (await a.applied('a')) === 1, 'the group is applied');
    expect(await a.positions()).toBe(1);
  });
});

describe('a node that was only slow', () => {
  it('is thought gone; it takes its log back and says its links again, and nothing is applied twice', async () => {
    const a = await start('a');
    const b = await start('b');
    await a.log();
    a.ownership.own.appended(1);
    await until(async () => (await a.applied('a')) === 1, 'the first report is applied', WITHIN_MS);
    // The clock of a stands: as if the process did. What it confirmed last is in its log.
    await a.log();
    await b.rounds(() => b.gone.length > 0, 'the node is found gone');
    expect(b.gone).toEqual(['a 2']);
    expect(a.thoughtGone).toBe(0);

    a.clock.advance(b.clock.now() - a.clock.now());
    await until(() => a.thoughtGone === 1, 'the node learns what others thought', WITHIN_MS);
    expect(await a.holder('a')).toBe('a.1');
    expect(a.logged).toContain('this node was taken for gone; it takes its ingest log back');

    // Its own reader goes on behind what the other one applied.
    await a.log();
    a.ownership.own.appended(3);
    await until(async () => (await a.applied('a')) === 3, 'the node applies its own log', WITHIN_MS);
    expect(await a.positions()).toBe(3);
    await b.rounds(() => b.logged.some((line) => /the node is back/.test(line)), 'the other one leaves the log');
    await a.round();
    expect(a.thoughtGone).toBe(1);
  });
});

describe('two gateways under one name', () => {
  it('say so', async () => {
    const a = await start('a', 'a.1');
    await start('a', 'a.2');
    a.clock.advance(ROUND_MS);
    const said = (line: string): boolean => /another gateway runs under the same node id/.test(line);
    await until(() => a.logged.some(said), 'the first one complains', WITHIN_MS);
  });
});
