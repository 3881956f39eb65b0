import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { City, radioByName, startFleet, type Fleet, type FleetOptions } from '../../simulator/index.js';
import { fleetOptions } from '../../simulator/commands/fleet-run.js';
import { parseScenario } from '../../simulator/scenario.js';
import { TestPlatform } from './support/platform.js';

const timeoutMs = 60_000;

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

async function start(options: Partial<FleetOptions>): Promise<Fleet> {
  const quick = { reconnectS: [0.05, 0.1] as const, crews: 'none' as const, vehicles: 1 };
  fleet = await startFleet({ host: '127.0.0.1', port, ...quick, ...options });
  await fleet.terminals[0]!.waitFor('online', undefined, { timeoutMs });
  return fleet;
}

describe('in the field', () => {
  it('a tunnel has no satellites and no network: what was measured in it comes behind it, without a fix', async () => {
    const seed = 'tunnels';
    const city = new City({ seed });
    const way = city.ways.filter(({ tunnel }) => tunnel).toSorted((a, b) => b.lengthM - a.lengthM)[0]!;
    const [from, to] = [way.from, way.to].map((at) => city.projection.toPlace(city.junctions[at]!));
    const { terminals } = await start({
      seed,
      rate: 20,
      reportS: 1,
      retryS: 2,
      radio: { ...radioByName.perfect, deadInTunnels: true },
    });
    const [terminal] = terminals;
    terminal!.standAt(from!);
    terminal!.goTo(to!);
    const batch = await terminal!.waitFor('confirmed', ({ report }) => report.kind === 'batch', { timeoutMs });
    const items = batch.report.kind === 'batch' ? batch.report.items : [];
    expect(items.some(({ reading }) => !reading.fix)).toBe(true);
    const { positions, links } = await fleet!.stop();
    expect(positions).toMatchObject({ confirmed: positions.sent, pending: 0, dropped: 0 });
    expect(links.lost).toBeGreaterThanOrEqual(1);
    // On the connection that the tunnel swallowed nothing came from inside.
    const live = platform.sides[0]!.of(0x0200).map(({ message }) => message);
    const fixed = live.map((one) => one?.name === 'location' && (one.body.status & 2) !== 0);
    expect(fixed).not.toContain(false);
  });

  it('a small memory forgets its oldest positions, and the account says how many', async () => {
    const { terminals } = await start({ blindMemory: 3, reports: false });
    const [terminal] = terminals;
    terminal!.radio.off();
    await terminal!.waitFor('offline');
    const made = 5;
    for (let i = 0; i < made; i++) terminal!.report();
    terminal!.radio.on();
    await terminal!.waitFor('confirmed', ({ report }) => report.kind === 'batch', { timeoutMs });
    expect(platform.sides.at(-1)!.of(0x0704)[0]!.message).toMatchObject({ body: { count: 3, type: 1 } });
    const { positions } = await fleet!.stop();
    expect(positions).toMatchObject({ sent: made, confirmed: 3, dropped: 2, pending: 0, lost: 0 });
  });

  it('a terminal that has the SIM of another one registers as another device', async () => {
    const { terminals } = await start({ reports: false });
    const [terminal] = terminals;
    const seen = terminal!.events.length;
    terminal!.swap();
    await terminal!.waitFor('online', undefined, { after: seen, timeoutMs });
    const registrations = platform.sides.flatMap((side) => side.of(0x0100)).map(({ message }) => message);
    const [first, second] = registrations.map((one) => (one?.name === 'register' ? one.body : undefined));
    expect(registrations).toHaveLength(2);
    expect(second!.plate).toBe(first!.plate);
    expect(second!.terminalId).not.toBe(first!.terminalId);
  });
});

describe('a scenario file', () => {
  it('says how large the memories are, how patient the terminals, how far their receivers err', () => {
    const scenario = parseScenario(
      { name: 'small', blindMemory: 50, retryS: 5, reconnectS: [2, 30], gpsErrorM: 12, radio: { deadInTunnels: true } },
      'small.yaml',
    );
    const options = fleetOptions(scenario, { host: '127.0.0.1', port: 7808, transport: 'tcp' });
    expect(options).toMatchObject({ blindMemory: 50, retryS: 5, reconnectS: [2, 30], gpsErrorM: 12 });
    expect(options.radio).toMatchObject({ deadInTunnels: true });
    expect('maxLegs' in options).toBe(false);
  });
});
