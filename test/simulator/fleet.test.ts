import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeDownlink, wrapPassthrough, passthroughType, type DownlinkBody } from '../../protocol/index.js';
import { startFleet, type Fleet } from '../../simulator/index.js';
import { TestPlatform, type PlatformSide } from './support/platform.js';

let platform: TestPlatform;
let port: number;
let fleet: Fleet | undefined;

beforeEach(async () => {
  platform = new TestPlatform();
  port = await platform.listen();
});
afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
  await platform.close();
});

function deliver(side: PlatformSide, deliveryId: string, body: DownlinkBody): number {
  const content = wrapPassthrough(encodeDownlink({ deliveryId, sentAtMs: 0, body }));
  return side.say('passthroughDown', { type: passthroughType, content });
}

function order(n: number): DownlinkBody {
  return {
    kind: 'orderUpsert',
    orderId: `o-${n}`,
    leg: 1,
    contentVersion: 1,
    number: `20260314-000${n}`,
    address: '建设路1号',
    priority: 'normal',
    arrivalMode: 'automatic',
  };
}

describe('a fleet on real sockets', () => {
  it('registers, logs in, reports and gives an account', async () => {
    fleet = await startFleet({ host: '127.0.0.1', port, vehicles: 3, seed: 7, crews: 'none', reportS: 1 });
    await Promise.all(
      fleet.terminals.map((one) => one.waitFor('confirmed', ({ report }) => report.kind === 'position')),
    );
    const report = await fleet.stop();
    expect(report.vehicles).toBe(3);
    expect(report.positions.sent).toBeGreaterThanOrEqual(3);
    expect(report.positions.confirmed).toBe(report.positions.sent);
    expect(report.positions.pending).toBe(0);
    expect(platform.sides.map((side) => side.of(0x0100).length)).toEqual([1, 1, 1]);
  });

  it('shows orders in the order of the list, each once, also when they come twice', async () => {
    fleet = await startFleet({ host: '127.0.0.1', port, vehicles: 1, crews: 'none', reports: false });
    const [terminal] = fleet.terminals;
    await terminal!.waitFor('online');
    const [side] = platform.sides;
    deliver(side!, 'd1', order(1));
    deliver(side!, 'd2', order(2));
    deliver(side!, 'd2', order(2));
    const entries = [2, 1].map((n) => ({ orderId: `o-${n}`, leg: 1, contentVersion: 1 }));
    deliver(side!, 'd3', { kind: 'snapshot', revision: 4, entries });
    await terminal!.waitFor('list');
    expect(terminal!.numbers).toEqual(['20260314-0002', '20260314-0001']);
    expect(terminal!.events.filter((event) => event.type === 'order')).toHaveLength(2);
    expect(terminal!.revision).toBe(4);
  });

  it('keeps what was not confirmed and delivers it after a hole', async () => {
    fleet = await startFleet({
      host: '127.0.0.1',
      port,
      vehicles: 1,
      crews: 'none',
      reports: false,
      reconnectS: [0.05, 0.1],
    });
    const [terminal] = fleet.terminals;
    await terminal!.waitFor('online');
    terminal!.radio.off();
    await terminal!.waitFor('offline');
    terminal!.report();
    terminal!.report();
    terminal!.radio.on();
    await terminal!.waitFor('confirmed', ({ report }) => report.kind === 'batch');
    const batch = platform.sides.at(-1)!.of(0x0704)[0]!.message;
    expect(batch).toMatchObject({ name: 'locationBatch', body: { count: 2, type: 1 } });
    const report = await fleet.stop();
    expect(report.positions).toMatchObject({ sent: 2, confirmed: 2, pending: 0 });
  });
});
