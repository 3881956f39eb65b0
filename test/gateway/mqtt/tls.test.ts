/** MQTT over TLS: a password, or a client certificate whose common name is the terminal's number. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IClientOptions } from 'mqtt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SECRET } from '../../e2e/mqtt-terminal.js';
import { Service } from '../../e2e/support.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';

const phone = '13800000001';
const other = '13800000002';
const directory = mkdtempSync(join(tmpdir(), 'linecrew-mqtt-tls-'));
let own: Certificates;
let strange: Certificates;
let service: Service;

beforeAll(async () => {
  own = makeCertificates(phone);
  strange = makeCertificates(phone);
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  service = await new Service({
    mqttPort: 'off',
    mqttTlsPort: '0',
    mqttHost: '127.0.0.1',
    tlsCert: file('cert.pem', own.server.cert),
    tlsKey: file('key.pem', own.server.key),
    tlsCa: file('ca.pem', own.ca),
  }).start();
  for (const one of [phone, other]) await service.vehicle(one, { secret: SECRET });
});
afterAll(async () => {
  await service.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Connects, and says whether the broker took it. */
async function open(number: string, more: IClientOptions): Promise<void> {
  const client = await connectAsync(`mqtts://127.0.0.1:${service.gateway.ports.mqttTls}`, {
    clientId: number,
    username: number,
    ca: own.ca,
    reconnectPeriod: 0,
    ...more,
  });
  await client.publishAsync(`linecrew/v1/t/${number}/online`, '1', { qos: 1 });
  await client.endAsync(true);
}

it('takes a password', () => open(phone, { password: SECRET }));
it('takes a certificate for its own number instead', () => open(phone, { ...own.client }));
it('not for another number', () => expect(open(other, { ...own.client })).rejects.toThrow(/password|authorized/i));
it('not one of another authority', () => expect(open(phone, { ...strange.client })).rejects.toThrow(/password|auth/i));
it('which does not keep the password from counting', () => open(other, { ...own.client, password: SECRET }));
it('needs one of the two', () => expect(open(phone, {})).rejects.toThrow(/password|authorized/i));
