/** `linecrew tail` at one of several gateways on a Redis, and what it shows of terminals that speak MQTT. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlDirectory, followGateway, makeControlDirectory, NotRunning } from '../../gateway/control.js';
import type { Tailed } from '../../gateway/tail.js';
import { decodeUplink, encodeUplink, fromHex } from '../../protocol/index.js';
import { SECRET } from '../e2e/mqtt-terminal.js';
import { Service } from '../e2e/support.js';
import { RedisServer } from '../support/redis.js';
import { frameOf, locationBody } from './support/frames.js';
import { TerminalClient } from './support/terminal-client.js';

const form = { phone: '13800138000', edition: 2013 } as const;
const smart = '13800138001';
let redis: RedisServer;
let one: Service;
let two: Service;
beforeAll(async () => {
  redis = await RedisServer.start();
  const flags = { store: redis.url, mqttPort: '0', mqttHost: '127.0.0.1' };
  one = await new Service({ ...flags, nodeId: 'one' }).start();
  two = await new Service({ ...flags, nodeId: 'two' }).start();
  await one.vehicle(form.phone, {});
  await one.vehicle(smart, { secret: SECRET });
});
afterAll(async () => {
  await one.stop();
  await two.stop();
  await redis.stop();
});

const placeOf = (nodeId: string): string => controlDirectory({ store: redis.url, nodeId });

/** Follows a terminal at a gateway; `until` resolves with the first thing told that `of` takes. */
function follow(nodeId: string, terminal: string): { until: (of: (told: Tailed) => boolean) => Promise<Tailed> } {
  const told: Tailed[] = [];
  let wake = (): void => {};
  void followGateway(placeOf(nodeId), 'tail', { terminal }, (line) => {
    told.push(line as Tailed);
    wake();
  });
  return {
    async until(of) {
      for (;;) {
        const found = told.find(of);
        if (found) return found;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

const bytes = (direction: 'in' | 'out', kind: Extract<Tailed, { kind: 'bytes' }>['form']) => (told: Tailed) =>
  told.kind === 'bytes' && told.direction === direction && told.form === kind;

describe('linecrew tail at a gateway on Redis', () => {
  it('shows the frames of a terminal that is connected there, and at another one says where it is', async () => {
    const client = await TerminalClient.open(one.gateway.ports.tcp!, form);
    await client.enrol();
    const here = follow('one', form.phone);
    const there = follow('two', form.phone);
    await here.until(({ kind }) => kind === 'about');
    const where = await there.until((told) => told.kind === 'about' && told.words.includes('frames'));
    expect(where).toMatchObject({ words: 'its frames are seen on the machine of gateway one' });
    client.send(frameOf(form, 0x0200, 40, locationBody({ at: Date.now() - 60_000 })));
    await here.until(bytes('in', 'jt808'));
    await here.until(bytes('out', 'jt808'));
    await client.end();
  });

  it('shows what a terminal says and gets over MQTT', async () => {
    const here = follow('one', smart);
    await here.until(({ kind }) => kind === 'about');
    const url = `mqtt://127.0.0.1:${one.gateway.ports.mqtt}`;
    const client = await connectAsync(url, { clientId: smart, username: smart, password: SECRET, reconnectPeriod: 0 });
    await client.subscribeAsync(`linecrew/v1/t/${smart}/down`, { qos: 1 });
    const sentAtMs = 1_700_000_000_000;
    const uplink = encodeUplink({
      sequence: 7,
      sentAtMs,
      body: { kind: 'duty', to: 'onBreak', atMs: sentAtMs, reason: 'lunch' },
    });
    await client.publishAsync(`linecrew/v1/t/${smart}/up`, Buffer.from(uplink), { qos: 1 });
    const said = (await here.until(bytes('in', 'protobuf'))) as Extract<Tailed, { kind: 'bytes' }>;
    expect(decodeUplink(fromHex(said.hex))).toMatchObject({ sequence: 7, body: { kind: 'duty', reason: 'lunch' } });
    await one.assigned(`v-${smart}`);
    await here.until(bytes('out', 'protobuf'));
    await client.endAsync();
  });

  it('leaves no socket behind, and a gateway of another name is not there', async () => {
    const third = await new Service({ store: redis.url, nodeId: 'three' }).start();
    expect(existsSync(placeOf('three'))).toBe(true);
    await third.stop();
    expect(existsSync(placeOf('three'))).toBe(false);
    await expect(followGateway(placeOf('three'), 'tail', { terminal: smart }, () => {})).rejects.toThrow(NotRunning);
  });

  it('does not put its socket where others could', () => {
    const open = mkdtempSync(join(tmpdir(), 'linecrew-open-'));
    try {
      expect(() => makeControlDirectory(open)).not.toThrow();
      expect(() => makeControlDirectory('/')).toThrow('expected mode 0700');
    } finally {
      rmSync(open, { recursive: true });
    }
  });
});
