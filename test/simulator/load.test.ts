import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { City } from '../../simulator/city.js';
import { FleetClock } from '../../simulator/net/clock.js';
import { LoadGenerator, type LoadOptions } from '../../simulator/net/load.js';
import { makeRoster } from '../../simulator/roster.js';
import { ForeignServer } from './support/foreign-server.js';
import { TestPlatform } from './support/platform.js';
import { accountOf, linecrew } from './support/program.js';

const city = new City({ seed: 'load' });
const longMs = 60_000;

let platform: TestPlatform;
let port: number;
let load: LoadGenerator | undefined;

beforeEach(async () => {
  platform = new TestPlatform();
  port = await platform.listen();
});
afterEach(async () => {
  load?.close();
  load = undefined;
  await platform.close();
});

function make(count: number, options: Partial<LoadOptions> = {}): LoadGenerator {
  const roster = makeRoster({
    seed: 'load',
    count,
    profile: 'tracker',
    edition: 2013,
    trades: ['lowVoltage'],
    mqtt: false,
    city,
  });
  load = new LoadGenerator({
    host: '127.0.0.1',
    port,
    from: [],
    clock: new FleetClock(1, Date.now()),
    roster,
    edition: 2013,
    everyS: 1,
    connectsPerSecond: 10_000,
    loginsAtOnce: 10_000,
    kept: count,
    ...options,
  });
  return load;
}

describe('the load generator', () => {
  it('logs all terminals in, reports by its schedule, and keeps what was confirmed', async () => {
    const one = make(20);
    await one.connect(longMs);
    expect(one.counts).toMatchObject({ connected: 20, online: 20, refused: 0, closed: 0 });
    expect(one.loginMs.count).toBe(20);
    one.report();
    await expect.poll(() => one.counts.confirmed, { timeout: longMs, interval: 20 }).toBeGreaterThanOrEqual(40);
    await one.drain(longMs);
    const { due, sent, confirmed, unsent } = one.counts;
    expect([sent, confirmed, unsent]).toEqual([due, due, 0]);
    expect(platform.sides.reduce((sum, side) => sum + side.of(0x0200).length, 0)).toBe(sent);
    expect([...one.kept.values()].flat()).toHaveLength(confirmed);
    // Each terminal reports once per period, so none is ever two ahead of another.
    const counts = platform.sides.map((side) => side.of(0x0200).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it('counts the delay from the time when a report was due, though the platform answers late', async () => {
    const one = make(1, { everyS: 0.05 });
    await one.connect(longMs);
    const [side] = platform.sides;
    side!.answers = false;
    one.report();
    await expect.poll(() => side!.of(0x0200).length, { timeout: longMs, interval: 5 }).toBeGreaterThanOrEqual(10);
    // It has gone on sending without an answer; what is answered now has waited since it was due.
    for (const { serial } of side!.of(0x0200).slice(0, 10)) {
      side!.say('platformAck', { replySerial: serial, replyId: 0x0200, result: 0 });
    }
    await expect.poll(() => one.counts.confirmed, { timeout: longMs, interval: 5 }).toBe(10);
    expect(one.delays.max).toBeGreaterThanOrEqual(9 * 50);
  });

  it('connects from the addresses that it is given, in turn', async () => {
    const one = make(6, { from: ['127.0.0.2', '127.0.0.3'] });
    await one.connect(longMs);
    expect(platform.peers.toSorted()).toEqual([...Array(3).fill('127.0.0.2'), ...Array(3).fill('127.0.0.3')]);
  });

  it('comes back after a lost connection with the code that it has, and counts what could not be sent', async () => {
    const one = make(3, { everyS: 0.1 });
    await one.connect(longMs);
    one.report();
    platform.dropAll();
    await expect.poll(() => one.counts.closed, { timeout: longMs, interval: 10 }).toBe(3);
    await expect.poll(() => one.counts.online, { timeout: longMs, interval: 10 }).toBe(3);
    expect(one.counts.unsent).toBeGreaterThan(0);
    expect(platform.sides.map((side) => side.of(0x0100).length)).toEqual([1, 1, 1, 0, 0, 0]);
    expect(platform.sides.slice(3).map((side) => side.of(0x0102).length)).toEqual([1, 1, 1]);
  });

  it('lets no more log in at the same time than it may', async () => {
    platform.onSide = (side) => {
      side.answers = false;
    };
    const one = make(10, { loginsAtOnce: 4 });
    const connecting = one.connect(longMs);
    await expect.poll(() => platform.sides.flatMap((side) => side.of(0x0100)).length, { timeout: longMs }).toBe(4);
    expect(platform.sides).toHaveLength(4);
    // One of them gets in: one more comes.
    const [side] = platform.sides;
    side!.answers = true;
    side!.say('registerAnswer', { replySerial: side!.of(0x0100)[0]!.serial, result: 0, token: 'code' });
    await expect.poll(() => platform.sides.length, { timeout: longMs }).toBe(5);
    expect(one.counts.online).toBe(1);
    platform.onSide = () => {};
    platform.dropAll();
    await connecting;
    expect(one.counts.online).toBe(10);
  });

  it('takes a refusal for the last word', async () => {
    platform.onSide = (side) => {
      side.registerResult = 2;
    };
    const one = make(2);
    await one.connect(longMs);
    platform.dropAll();
    await expect.poll(() => one.counts.closed, { timeout: longMs, interval: 10 }).toBe(2);
    expect(one.counts).toMatchObject({ online: 0, refused: 2 });
  });
});

it(
  'linecrew simulate load shares its terminals among processes and gives one account',
  { timeout: 90_000 },
  async () => {
    const server = new ForeignServer();
    const args = ['--vehicles', '11', '--processes', '2', '--every', '1', '--duration', '3s', '--json'];
    try {
      const run = linecrew(['simulate', 'load', '--port', String(await server.listen()), ...args]);
      const { status, stdout, stderr } = await run.ended;
      expect(status, stderr).toBe(0);
      const account = accountOf<Record<string, number> & { delayMs: { count: number } }>(stdout);
      expect(account).toMatchObject({ vehicles: 11, online: 11, connected: 11, pending: 0, unsent: 0 });
      expect(account['confirmed']).toBe(server.seen.get(0x0200));
      expect(account.delayMs.count).toBe(account['confirmed']);
      expect(server.phones.size).toBe(11);
      expect(server.seen.get(0x0100)).toBe(11);
    } finally {
      await server.close();
    }
  },
);
