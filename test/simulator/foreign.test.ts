import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForeignServer } from './support/foreign-server.js';
import { accountOf, linecrew } from './support/program.js';

interface Account {
  vehicles: number;
  positions: { sent: number; confirmed: number; pending: number; lost: number };
  links: { refused: number };
}

let server: ForeignServer;
let port: number;

beforeEach(async () => {
  server = new ForeignServer();
  port = await server.listen();
});
afterEach(() => server.close());

describe("somebody else's platform that speaks plain JT/T 808", () => {
  it.each([
    ['tracker', '2011'],
    ['menu', '2013'],
    ['tracker', '2019'],
  ])('takes terminals of profile %s, edition %s, without token and API', async (profile, edition) => {
    const run = linecrew([
      ...['simulate', 'drive', '--host', '127.0.0.1', '--port', String(port), '--profile', profile],
      ...['--edition', edition, '--vehicles', '3', '--duration', '25s', '--json'],
    ]);
    await expect.poll(() => server.seen.get(0x0200) ?? 0, { timeout: 40_000, interval: 50 }).toBeGreaterThanOrEqual(3);
    run.interrupt();
    const { status, stdout, stderr } = await run.ended;
    expect(status, stderr).toBe(0);
    const account = accountOf<Account>(stdout);
    expect(account).toMatchObject({ vehicles: 3, positions: { pending: 0, lost: 0 }, links: { refused: 0 } });
    expect(account.positions.confirmed).toBe(account.positions.sent);
    expect(account.positions.confirmed).toBe(server.seen.get(0x0200));
    expect(server.phones.size).toBe(3);
    expect(server.broken).toBe(0);
    expect(server.seen.get(0x0100)).toBe(3);
    expect(server.seen.get(0x0102)).toBeGreaterThanOrEqual(3);
    // Nothing of ours goes to others: no transparent messages.
    expect(server.seen.has(0x0900)).toBe(false);
  });
});
