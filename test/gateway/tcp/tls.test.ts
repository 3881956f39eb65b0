import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { frameOf, locationBody } from '../support/frames.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { addVehicle, startGatewayWorld, type GatewayWorld } from '../support/gateway-world.js';
import { TerminalClient } from '../support/terminal-client.js';

const form = { phone: '13800138000', edition: 2019 } as const;
let certificates: Certificates;
let world: GatewayWorld;
beforeAll(() => {
  certificates = makeCertificates();
});
afterEach(() => world.stop());

async function roundTrip(client: TerminalClient): Promise<void> {
  await client.enrol();
  client.send(frameOf(form, 0x0200, 3, locationBody({ at: Date.now() })));
  expect(await client.acknowledged(0x0200, 3)).toBe(0);
  client.socket.destroy();
}

describe('a terminal over TLS', () => {
  it('works as over TCP, and is known by its transport', async () => {
    world = await startGatewayWorld({ tls: certificates.server });
    await addVehicle(world.dispatch, form.phone);
    const client = await TerminalClient.open(world.port, form, {
      tls: { ca: certificates.ca, servername: 'localhost' },
    });
    await client.enrol();
    expect(world.deliveries.links[0]!.transport).toBe('tls');
    client.socket.destroy();
    await expect.poll(() => world.gateway.counters.connectionsOpen).toBe(0);
  });

  it('must show a certificate of the CA where one is configured', async () => {
    world = await startGatewayWorld({ tls: { ...certificates.server, ca: certificates.ca } });
    await addVehicle(world.dispatch, form.phone);
    const trusted = { ca: certificates.ca, servername: 'localhost' };
    const stranger = await TerminalClient.open(world.port, form, { tls: trusted });
    stranger.send(frameOf(form, 0x0002, 1));
    await stranger.until(() => stranger.closed, 'the end of the connection');
    expect(stranger.answers.all).toEqual([]);
    await roundTrip(await TerminalClient.open(world.port, form, { tls: { ...trusted, ...certificates.client } }));
  });

  it('that speaks plain TCP to the port is cut', async () => {
    world = await startGatewayWorld({ tls: certificates.server });
    const client = await TerminalClient.open(world.port, form);
    client.send(frameOf(form, 0x0002, 1));
    await client.until(() => client.closed, 'the end of the connection');
    expect(world.gateway.counters.closed['tlsHandshake']).toBe(1);
  });
});
