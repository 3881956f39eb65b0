import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import { frameOf, locationBody } from '../support/frames.js';
import {
  addVehicle,
  startGatewayWorld,
  type GatewayWorld,
  type GatewayWorldOptions,
} from '../support/gateway-world.js';
import { TerminalClient } from '../support/terminal-client.js';

let world: GatewayWorld;
const sockets: Socket[] = [];
const start = async (options?: GatewayWorldOptions) => (world = await startGatewayWorld(options));
const form = { phone: '13800138000', edition: 2013 } as const;
const at = Math.floor(Date.now() / 1000) * 1000 - 60_000;
const location = (serial: number) => frameOf(form, 0x0200, serial, locationBody({ at: at + serial * 1000 }));

async function honest(): Promise<TerminalClient> {
  await addVehicle(world.dispatch, form.phone);
  const client = await TerminalClient.open(world.port, form);
  sockets.push(client.socket);
  await client.enrol();
  return client;
}

/** Opens a bare connection; resolves with how it ended. */
function attack(send: (socket: Socket) => void): Promise<'closed' | 'refused'> {
  return new Promise((resolve) => {
    const socket = connect({ port: world.port, host: '127.0.0.1' });
    sockets.push(socket);
    let connected = false;
    socket.on('connect', () => {
      connected = true;
      send(socket);
    });
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('close', () => resolve(connected ? 'closed' : 'refused'));
  });
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await world.stop();
});

describe('a hostile peer', () => {
  it('fills no table beyond its bound, however many numbers it makes up', async () => {
    await start({ limits: { cachedStrangers: 10, unauthenticatedFrames: 1_000 } });
    const client = await honest();
    for (let i = 0; i < 25; i++) {
      const stranger = { phone: `1390000${String(i).padStart(4, '0')}`, edition: 2013 } as const;
      const other = await TerminalClient.open(world.port, stranger);
      sockets.push(other.socket);
      other.send(frameOf(stranger, 0x0002, 1));
      await other.acknowledged(0x0002, 1);
    }
    expect(world.gateway.held()).toMatchObject({
      cachedStrangers: { now: 10, most: 10 },
      connections: { now: 26 },
      addresses: { now: 1 },
    });
    client.send(location(9));
    expect(await client.acknowledged(0x0200, 9)).toBe(0);
  });

  it('is cut, and the honest terminal is answered all the time', async () => {
    await start({ limits: { authenticateMs: 1_500 } });
    const client = await honest();
    const drip = (socket: Socket): void => {
      const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write(Buffer.of(0x7e))), 100);
    };
    const attacks = [
      attack(() => {}),
      attack(drip),
      attack((socket) => socket.write(randomBytes(200_000))),
      attack((socket) => socket.write(Buffer.alloc(200_000, 0x31))),
      attack((socket) => socket.write(Buffer.alloc(200_000, 0x7d))),
      attack((socket) => socket.write('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n')),
      attack((socket) => {
        for (let i = 0; i < 200; i++)
          socket.write(frameOf({ phone: '13999999999', edition: 2013 }, 0x0200, i, locationBody({ at })));
      }),
      attack((socket) => {
        for (let i = 0; i < 200; i++) socket.write(frameOf(form, 0x0102, i, Buffer.from('guess' + i)));
      }),
    ];
    for (let serial = 10; serial < 20; serial++) {
      client.send(location(serial));
      expect(await client.acknowledged(0x0200, serial)).toBe(0);
    }
    expect(await Promise.all(attacks)).toEqual(attacks.map(() => 'closed'));
    expect(client.closed).toBe(false);
    const { closed } = world.gateway.counters;
    for (const reason of ['authenticationRefused', 'garbage', 'notAuthenticated', 'unauthenticatedTraffic']) {
      await expect.poll(() => closed[reason], { message: reason }).toBeGreaterThan(0);
    }
  });

  it('gets no more connections than its address may have, and those of others go on', async () => {
    await start({ limits: { unauthenticatedPerAddress: 3 } });
    const client = await honest();
    const open = Array.from({ length: 3 }, () => attack(() => {}));
    await expect.poll(() => world.gateway.counters.connectionsOpen).toBe(4);
    const more = await Promise.all(Array.from({ length: 5 }, () => attack((socket) => socket.write('x'))));
    expect(more).toHaveLength(5);
    expect(world.gateway.counters).toMatchObject({ connectionsRefused: 5, connectionsOpen: 4 });
    for (const socket of sockets.slice(1)) socket.destroy();
    await Promise.all(open);
    await expect.poll(() => world.gateway.counters.connectionsOpen).toBe(1);
    // What has ended counts no more.
    const again = await TerminalClient.open(world.port, { phone: '13900000000', edition: 2013 });
    sockets.push(again.socket);
    again.send(frameOf(again.form, 0x0002, 1));
    expect(await again.acknowledged(0x0002, 1)).toBe(1);
    client.send(location(30));
    expect(await client.acknowledged(0x0200, 30)).toBe(0);
  });

  it('that comes too fast is refused at the door', async () => {
    await start({ limits: { connectsPerSecond: 1 } });
    const attempts = Array.from({ length: 20 }, () => attack((socket) => socket.end()));
    await Promise.all(attempts);
    expect(world.gateway.counters.connectionsRefused).toBeGreaterThanOrEqual(8);
  });

  it('that does not read is cut, with bounded memory', async () => {
    await start({ limits: { sendBytes: 64 * 1024 } });
    const client = await honest();
    client.socket.pause();
    const beats = Buffer.concat(Array.from({ length: 2_000 }, (_, i) => frameOf(form, 0x0002, i)));
    await new Promise<void>((resolve) => {
      const push = (): void => {
        if (world.gateway.counters.closed['slowReader'] !== undefined || client.socket.destroyed) return resolve();
        client.socket.write(beats, () => setImmediate(push));
      };
      push();
      client.socket.on('close', () => resolve());
    });
    await expect.poll(() => world.gateway.counters.closed['slowReader']).toBe(1);
  });
});

describe('a store that fails', () => {
  it('confirms nothing but heartbeats, loses nothing, and goes on by itself', async () => {
    let failing = false;
    const wrap = (store: DispatchStore): DispatchStore =>
      new Proxy(store, {
        get(target, property) {
          if (property === 'appendIngest') {
            return async (node: string, group: Uint8Array) => {
              if (failing) throw new Error('no space left on device');
              return target.appendIngest(node, group);
            };
          }
          const value: unknown = Reflect.get(target, property);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    await start({ wrap });
    const client = await honest();
    failing = true;
    client.send(location(40), frameOf(form, 0x0002, 41));
    expect(await client.acknowledged(0x0002, 41)).toBe(0);
    await expect.poll(() => world.gateway.counters.entriesNotDurable).toBe(1);
    expect(client.answers.acks().filter((ack) => ack.startsWith('0200:40'))).toEqual([]);
    failing = false;
    client.send(location(40));
    expect(await client.acknowledged(0x0200, 40)).toBe(0);
    await world.gateway.caughtUp();
    const found = [];
    for await (const { deviceAt } of world.store.track(`v-${form.phone}`, 0, Date.now() + 86_400_000))
      found.push(deviceAt);
    expect(found).toEqual([at + 40_000]);
    expect(world.logged.some((line) => line.includes('nothing is confirmed'))).toBe(true);
  });
});
