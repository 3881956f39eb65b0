import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Service } from '../e2e/support.js';
import { SECRET } from '../e2e/mqtt-terminal.js';
import { authentication, registration } from './support/frames.js';
import { TerminalClient } from './support/terminal-client.js';

const TOKEN = 'a-bootstrap-token-of-this-test';
const form = { phone: '13800138000', edition: 2013 } as const;
const mqttPhone = '13800138001';
let service: Service;
beforeAll(async () => {
  service = await new Service({ mqttPort: '0', mqttHost: '127.0.0.1', apiToken: TOKEN }).start();
});
afterAll(() => service.stop());

async function rotate(vehicleId: string): Promise<{ terminalSecret?: string }> {
  const url = `http://127.0.0.1:${service.gateway.ports.http}/api/v1/vehicles/${vehicleId}/terminal/rotate`;
  const reply = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } });
  expect(reply.status, await reply.clone().text()).toBe(200);
  return (await reply.json()) as { terminalSecret?: string };
}

it('ends a JT/T 808 terminal’s codes: it is disconnected, refused, and registers again; another device does not', async () => {
  const vehicleId = await service.vehicle(form.phone, {});
  const port = service.gateway.ports.tcp!;
  const first = await TerminalClient.open(port, form);
  const code = await first.enrol();
  expect(await rotate(vehicleId)).not.toHaveProperty('terminalSecret');
  await first.until(() => first.closed, 'the end of the connection');

  const again = await TerminalClient.open(port, form);
  again.send(authentication(form, 1, code));
  expect(await again.acknowledged(0x0102, 1)).toBe(1);
  const fresh = await again.enrol();
  expect(fresh).not.toBe(code);
  await again.end();

  await rotate(vehicleId);
  const thief = await TerminalClient.open(port, form);
  thief.send(registration(form, 1, { maker: 'EVIL1', model: 'X', terminalId: 'E000001' }));
  expect((await thief.answer(0x8100)).body[2]).not.toBe(0);
  await thief.end();
});

it('gives an MQTT terminal a new password, once, and the old one is none', async () => {
  const vehicleId = await service.vehicle(mqttPhone, { profile: 'mqtt', secret: SECRET });
  const login = (password: string) =>
    connectAsync(`mqtt://127.0.0.1:${service.gateway.ports.mqtt}`, {
      clientId: mqttPhone, username: mqttPhone, password, reconnectPeriod: 0,
    }); // prettier-ignore
  const client = await login(SECRET);
  client.on('error', () => {});
  const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const { terminalSecret } = await rotate(vehicleId);
  await gone;
  await client.endAsync(true);
  await expect(login(SECRET)).rejects.toThrow(/refused|authorized/i);
  const renewed = await login(terminalSecret!);
  await renewed.endAsync();
  const log = JSON.stringify(await service.gateway.dispatch.eventsAfter(0, 1_000));
  expect(log).not.toContain(terminalSecret);
  expect(log).toContain('terminal.rotated');
});
