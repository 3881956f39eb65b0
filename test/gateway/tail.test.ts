import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../gateway/log.js';
import { callGateway, followGateway } from '../../gateway/control.js';
import { FindingsLog } from '../../gateway/findings-log.js';
import { Taps } from '../../gateway/taps.js';
import { tail, type Tailed } from '../../gateway/tail.js';
import { Service } from '../e2e/support.js';
import { frameOf, locationBody } from './support/frames.js';
import { TerminalClient } from './support/terminal-client.js';

const form = { phone: '13800138000', edition: 2013 } as const;
let service: Service;
beforeAll(async () => {
  service = await new Service().start();
  await service.vehicle(form.phone, {});
});
afterAll(() => service.stop());

const cli = fileURLToPath(new URL('../../gateway/cli.ts', import.meta.url));
let child: ChildProcess | undefined;
afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  }
});

/** Lines of the command, with a wait for one that matches. */
function linecrew(...args: string[]): (pattern: RegExp) => Promise<string> {
  child = spawn(process.execPath, ['--import', 'tsx', cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  let wake = (): void => {};
  createInterface({ input: child.stdout! }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  return async (pattern) => {
    for (;;) {
      const found = lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
}

describe('linecrew tail', () => {
  it('shows a terminal’s frames both ways and its events, live', async () => {
    const line = linecrew('tail', '--terminal', `0${form.phone}`, '--store', `lmdb:${service.directory}`);
    await line(/^# terminal 13800138000 .* of vehicle v-13800138000/);
    const client = await TerminalClient.open(service.gateway.ports.tcp!, form);
    await client.enrol();
    client.send(frameOf(form, 0x0200, 40, locationBody({ at: Date.now() - 60_000 })));
    await client.acknowledged(0x0200, 40);
    await line(/<- 0x0200 location 40 /);
    await line(/-> 0x8001 \S+ \d+ {2}0028020000$/);
    await line(/event \d+ {2}link\.up {2}/);
    await line(/<- 0x0102 authenticate \d+ {2}(2a)+$/);
    await client.end();
  });

  it('shows a login from its first byte on, also where the first frame comes in pieces', async () => {
    const line = linecrew('tail', '--terminal', form.phone, '--store', `lmdb:${service.directory}`);
    await line(/^# terminal 13800138000 /);
    const client = await TerminalClient.open(service.gateway.ports.tcp!, form);
    const wrong = frameOf(form, 0x0102, 4711, Buffer.from('no code of ours', 'latin1'));
    client.socket.setNoDelay(true);
    client.socket.write(wrong.subarray(0, 9));
    await new Promise<void>((resolve) => client.socket.write(wrong.subarray(9, 12), () => resolve()));
    client.socket.write(wrong.subarray(12));
    await client.acknowledged(0x0102, 4711);
    const asked = await line(/<- 0x0102 authenticate 4711 {2}(2a){15}$/);
    const answered = await line(/-> 0x8001 platformAck \d+ {2}1267010201$/);
    expect(asked.slice(0, 24) <= answered.slice(0, 24)).toBe(true);
    await client.end();
  });

  it('shows an order’s events, earlier ones first', async () => {
    const { orderId } = await service.do({
      type: 'order.create',
      customer: { name: 'Zhao', phone: '13900000000' },
      site: { lat: 39.9, lon: 116.4, address: 'Road 1' },
      fault: { category: 'outage', voltage: 'low', description: 'dark' },
    });
    const { number } = await service.get('order', String(orderId));
    const line = linecrew('tail', '--order', number, '--store', `lmdb:${service.directory}`);
    await line(/event \d+ {2}order\.received {2}/);
    await service.do({ type: 'order.withdraw', orderId: String(orderId), reason: 'duplicate' });
    await line(/event \d+ {2}order\.withdrawn {2}/);
  });

  it('says that there is no such terminal or order', async () => {
    const following = followGateway(service.directory, 'tail', { terminal: '999' }, () => {});
    await expect(following).rejects.toThrow(/no vehicle has a terminal with the number 999/);
  });

  it('shows no more bytes than a person reads, and says how many it left out', async () => {
    const taps = new Taps();
    const seen: Tailed[] = [];
    let tell = (): void => {};
    const told = new Promise<void>((resolve) => (tell = resolve));
    const emit = (one: Tailed): void => {
      seen.push(one);
      if (one.kind === 'missed') tell();
    };
    const here = { node: 'node-1', taps };
    const stop = await tail(service.gateway.dispatch, { terminal: form.phone }, emit, here);
    const piece = { direction: 'in', connection: 'c', bytes: Uint8Array.of(0x7e, 0, 0), form: 'jt808' } as const;
    for (let i = 0; i < 1_000; i++) taps.tell(form.phone, piece);
    await told;
    stop();
    expect(taps.any).toBe(false);
    expect(seen.filter(({ kind }) => kind === 'bytes')).toHaveLength(200);
    expect(seen.at(-1)).toEqual({ kind: 'missed', pieces: 800 });
  });
});

it('listens for a bounded number of people, and only as long as they do', () => {
  const taps = new Taps();
  const heard: string[] = [];
  const stops = Array.from({ length: 16 }, (_, i) => taps.listen('1', () => heard.push(String(i))));
  expect(() => taps.listen('2', () => {})).toThrow(/listened to already/);
  const piece = { direction: 'in', connection: 'c', bytes: new Uint8Array(1), form: 'jt808' } as const;
  taps.tell('1', piece);
  taps.tell('2', piece);
  taps.tell(undefined, piece);
  expect(heard).toHaveLength(16);
  for (const stop of stops) {
    stop();
    stop();
  }
  expect(taps.any).toBe(false);
});

it('erases through the control socket, with an entry in the audit log', async () => {
  const { orderId } = await service.do({
    type: 'order.create',
    customer: { name: 'Sun', phone: '13977778888' },
    site: { lat: 39.9, lon: 116.4, address: 'Road 9' },
    fault: { category: 'outage', voltage: 'low', description: 'dark' },
  });
  await service.do({ type: 'order.withdraw', orderId: String(orderId), reason: 'duplicate' });
  const { number } = await service.get('order', String(orderId));
  const erased = await callGateway(service.directory, 'customer.erase', { phone: '13977778888' });
  expect(erased).toMatchObject({ erased: [number], open: [] });
  const page = await service.gateway.dispatch.store.scan({ index: 'audit', limit: 10, reverse: true });
  expect(page.items.map(({ value }) => value)).toContainEqual(
    expect.objectContaining({ by: 'command line', action: 'order.erase', status: 200 }),
  );
  expect(JSON.stringify(page.items)).not.toContain('13977778888');
});

it('logs no authentication code that a terminal showed', () => {
  const lines: string[] = [];
  const findings = new FindingsLog(createLog('info', { write: (text) => void lines.push(text) }), () => 0, {
    logLinesLeftOut: 0,
  });
  const content = frameOf(form, 0x0102, 1, Buffer.from('geheim', 'latin1')).subarray(1, -2);
  findings.write({ what: 'wrongCode', detail: 'x', messageId: 0x0102, bytes: content }, {});
  findings.write({ what: 'refusedFrame', detail: 'x', bytes: content.subarray(0, -1) }, {});
  const [wrong, refused] = lines.map((text) => (JSON.parse(text) as { bytes: string }).bytes);
  expect(wrong).toBe(
    Buffer.from(content).toString('hex').replace(Buffer.from('geheim').toString('hex'), '2a'.repeat(6)),
  );
  expect(refused).toMatch(/^0102.{20}(2a){5}$/);
});

it('writes what strangers give as names only in part, and of those who are turned away no more than of findings', () => {
  const lines: string[] = [];
  const counters = { logLinesLeftOut: 0 };
  const findings = new FindingsLog(createLog('info', { write: (text) => void lines.push(text) }), () => 0, counters);
  for (let i = 0; i < 1_000; i++) findings.turnedAway('MQTT login refused', { user: 'u'.repeat(65_535), address: 'a' });
  expect(lines).toHaveLength(200);
  expect(counters.logLinesLeftOut).toBe(800);
  expect(JSON.parse(lines[0]!)).toMatchObject({ user: 'u'.repeat(64), address: 'a', msg: 'MQTT login refused' });
});

it('writes no more lines about strangers than a disk can take', () => {
  const lines: string[] = [];
  let now = 0;
  const counters = { logLinesLeftOut: 0 };
  const findings = new FindingsLog(createLog('info', { write: (text) => void lines.push(text) }), () => now, counters);
  for (let i = 0; i < 10_000; i++) {
    findings.registration({ terminal: '1' });
    findings.write({ what: 'refusedFrame', detail: 'x' }, {});
  }
  const [registrations, others] = ['registration', 'x'].map((msg) =>
    lines.filter((text) => (JSON.parse(text) as { msg: string }).msg === msg),
  );
  // A wave of registrations takes no room from what is wrong.
  expect([registrations!.length, others!.length, lines.length]).toEqual([200, 200, 400]);
  expect(counters.logLinesLeftOut).toBe(19_600);
  now += 10_000;
  findings.registration({ terminal: '1' });
  findings.write({ what: 'refusedFrame', detail: 'x' }, {});
  expect(lines.slice(400).map((text) => JSON.parse(text) as object)).toEqual([
    expect.objectContaining({ suppressed: 9_800, msg: 'more registrations than are logged one by one' }),
    expect.objectContaining({ msg: 'registration' }),
    expect.objectContaining({ suppressed: 9_800, msg: 'findings were not logged' }),
    expect.objectContaining({ msg: 'x' }),
  ]);
});
