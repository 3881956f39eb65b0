import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Aedes, type PublishPacket } from 'aedes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeUplink } from '../../protocol/index.js';
import {
  radioByName,
  startFleet,
  type Fleet,
  type FleetTerminal,
  type RadioConditions,
} from '../../simulator/index.js';

const timeout = 60_000;

let broker: Aedes;
let server: Server;
let port: number;
/** Connections of terminals as the broker sees them. */
const sockets = new Set<Socket>();
/** How many were open already when each of them came. */
let openBefore: number[];
/** What came: device times of positions, and the `online` topic. */
let positions: number[];
let online: string[];
let fleet: Fleet | undefined;

beforeEach(async () => {
  broker = await Aedes.createBroker();
  positions = [];
  online = [];
  openBefore = [];
  broker.on('publish', (packet: PublishPacket) => {
    if (packet.topic.endsWith('/online')) online.push(packet.payload.toString());
    if (!packet.topic.endsWith('/up')) return;
    const { body } = decodeUplink(Buffer.from(packet.payload));
    if (body.kind === 'positions') positions.push(...body.positions.map(({ atMs }) => atMs));
  });
  server = createServer((socket) => {
    openBefore.push(sockets.size);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
  await new Promise<void>((resolve) => broker.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

async function start(radio: RadioConditions): Promise<FleetTerminal> {
  fleet = await startFleet({
    host: '127.0.0.1',
    port: 1,
    mqttUrl: `mqtt://127.0.0.1:${port}`,
    vehicles: 1,
    profile: 'mqtt',
    crews: 'none',
    reports: false,
    reconnectS: [0.05, 0.1],
    radio,
  });
  const [terminal] = fleet.terminals;
  await terminal!.waitFor('online', undefined, { timeoutMs: timeout });
  return terminal!;
}

describe('the radio of an MQTT terminal', () => {
  it('that falls silent leaves a connection that the broker takes for alive, and loses nothing', async () => {
    const terminal = await start(radioByName.perfect);
    await expect.poll(() => online, { timeout }).toEqual(['1']);
    terminal.radio.off({ silent: true });
    terminal.report();
    terminal.disconnect();
    await terminal.waitFor('offline');
    terminal.radio.on();
    await terminal.until((one) => one.unconfirmed === 0 && one.online, 'the position of the hole', timeout);
    // No FIN came through: the first connection was still open when the second came.
    expect(openBefore).toEqual([0, 1]);
    expect(positions).toHaveLength(1);
    const report = await fleet!.stop();
    expect(report.positions).toMatchObject({ sent: 1, confirmed: 1, pending: 0 });
  });

  it('cuts packets in the middle, and what was not acknowledged comes again', async () => {
    const conditions: RadioConditions = { ...radioByName.perfect };
    const terminal = await start(conditions);
    let bytes = 0;
    for (const socket of sockets) socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
    conditions.cutChance = 1;
    terminal.report();
    await terminal.waitFor('offline', undefined, { timeoutMs: timeout });
    expect(positions).toEqual([]);
    // Less than a whole PUBLISH got through.
    expect(bytes).toBeLessThan(100);
    conditions.cutChance = 0;
    await terminal.until((one) => one.unconfirmed === 0, 'the position that was cut', timeout);
    expect(positions).toHaveLength(1);
    await expect.poll(() => online, { timeout }).toEqual(['1', '0', '1']);
  });

  it('is slow both ways where it delays', async () => {
    const conditions: RadioConditions = { ...radioByName.perfect };
    const terminal = await start(conditions);
    conditions.delayMs = [300, 300];
    terminal.report();
    const { delayMs } = await terminal.waitFor('confirmed', ({ report }) => report.kind === 'position', {
      timeoutMs: timeout,
    });
    expect(delayMs).toBeGreaterThanOrEqual(600);
  });

  it('may say things twice', async () => {
    const conditions: RadioConditions = { ...radioByName.perfect };
    const terminal = await start(conditions);
    conditions.duplicateChance = 1;
    terminal.report();
    await expect.poll(() => positions.length, { timeout }).toBe(2);
    expect(new Set(positions).size).toBe(1);
    expect((await fleet!.stop()).positions).toMatchObject({ sent: 1, confirmed: 1 });
  });
});
