import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Service } from '../e2e/support.js';
import { ATTACKS, type Target } from './attacks.js';
import { HonestFleet } from './honest.js';

/** Of the loads in attacks.ts, which are for a measurement on pinned processors: here attacker and gateway share a process. */
const SCALE = 0.03;
const ATTACK_MS = 700;
const TERMINALS = 20;
const TOKEN = 'a-bootstrap-token-of-the-hostile-suite';
const INSIDERS = ['13600000000', '13600000001'];

let service: Service;
let fleet: HonestFleet;
beforeAll(async () => {
  service = await new Service({ mqttPort: '0', mqttHost: '127.0.0.1', apiToken: TOKEN, loginS: '5' }).start();
  const honest = Array.from({ length: TERMINALS }, (_, i) => HonestFleet.phoneOf(i));
  for (const phone of [...honest, ...INSIDERS]) await service.vehicle(phone, {});
  fleet = await HonestFleet.open(service.gateway.ports.tcp!, TERMINALS);
});
afterAll(async () => {
  await service.stop();
});

const ports = () => ({ tcp: service.gateway.ports.tcp!, mqtt: service.gateway.ports.mqtt!, http: service.gateway.ports.http }); // prettier-ignore
const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${ports().http}/metrics`)).text();
  const rows = text.split('\n').filter((row) => row.startsWith(`${name} `) || row.startsWith(`${name}{`));
  return rows.reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(' '))), 0);
};

/** What tells that the attack met a bound. */
const TELLS: Record<string, string> = {
  garbage: 'linecrew_gateway_closed_total{reason="garbage"}',
  escapes: 'linecrew_gateway_closed_total{reason="garbage"}',
  strangers: 'linecrew_gateway_frames_unauthenticated_total',
  guesses: 'linecrew_gateway_authentications_refused_total',
  stolenNumbers: 'linecrew_gateway_registrations_refused_total',
  mqttPackets: 'linecrew_mqtt_cut_off_total',
  mqttGuesses: 'linecrew_mqtt_connects_refused_total',
  signIns: 'linecrew_sign_in_failures_total',
};

describe.sequential('honest terminals keep their connections and every confirmation', () => {
  beforeAll(() => fleet.start(200));

  it.each(ATTACKS.map((attack) => [attack.name, attack] as const))('during %s', async (name, attack) => {
    const target: Target = {
      host: '127.0.0.1',
      port: ports()[attack.door],
      bare: false,
      insiders: INSIDERS,
      victims: [HonestFleet.phoneOf(0), HonestFleet.phoneOf(1)],
    };
    const tell = TELLS[name];
    const before = tell === undefined ? 0 : await metric(tell);
    const running = attack.start(target, SCALE);
    fleet.window();
    await new Promise((resolve) => setTimeout(resolve, ATTACK_MS));
    if (tell !== undefined)
      await expect.poll(() => metric(tell), { timeout: 5_000, message: tell }).toBeGreaterThan(before);
    running.stop();
    expect(running.counts.opened).toBeGreaterThan(0);
    const window = fleet.window();
    expect(window.confirmed).toBeGreaterThan(0);
    expect(window.lost).toBe(0);
  });

  it('and nothing that they sent is without one in the end', async () => {
    await fleet.stop();
    expect(fleet.unanswered).toBe(0);
    // Vehicles of honest terminals are as they were: no number was taken.
    for (const phone of [HonestFleet.phoneOf(0), HonestFleet.phoneOf(1)]) {
      expect((await service.get('terminal', phone)).identity).toMatchObject({ maker: 'ABCDE' });
    }
  });
});

describe('HTTP', () => {
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      // Not through fetch, which would straighten the path.
      const socket = connect({ port: ports().http, host: '127.0.0.1' });
      let text = '';
      socket.on('data', (chunk) => (text += String(chunk)));
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    });

  it.each([
    '/../../../../etc/passwd',
    '/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/..%5c..%5cpackage.json',
    '/assets/%00/../../package.json',
    '//etc/passwd',
  ])('gives no file outside of the console: %s', async (path) => {
    const answer = await get(path);
    expect(answer).toMatch(/^HTTP\/1\.1 [2-4]\d\d /);
    expect(answer).not.toMatch(/root:|"devDependencies"/);
  });

  it('does not read a body to its end that is longer than any it takes', async () => {
    const socket = connect({ port: ports().http, host: '127.0.0.1' });
    socket.on('error', () => {});
    await once(socket, 'connect');
    let said = '';
    socket.on('data', (chunk) => (said += String(chunk)));
    const ended = once(socket, 'close');
    socket.write(
      'POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500000000\r\n\r\n',
    );
    socket.write(Buffer.alloc(100_000, 0x20));
    await ended;
    expect(said).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('lets a request whose head never ends go, within its time, without holding up others', async () => {
    const socket = connect({ port: ports().http, host: '127.0.0.1' });
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nX-Slow: ');
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/healthz')));
    expect(answers.every((answer) => answer.startsWith('HTTP/1.1 200'))).toBe(true);
    socket.destroy();
  });
});
