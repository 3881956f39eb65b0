import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../gateway/config/load.js';
import { createLog } from '../../gateway/log.js';
import { startGateway, type Gateway } from '../../gateway/main.js';
import { Api } from '../../simulator/net/api.js';
import { freePort } from '../support/redis.js';
import { accountOf, linecrew } from './support/program.js';

const token = 'test-token-0123456789';
const vehicles = 2;

interface Track {
  deviceAt: string;
  lat: number;
  lon: number;
  speedKmh: number;
}

let folder: string;
const gateways: Gateway[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linecrew-replay-'));
});
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** A gateway with an empty store that takes in whoever comes. */
async function freshGateway(): Promise<Gateway> {
  const store = `lmdb:${join(folder, `data-${gateways.length}`)}`;
  const flags = { httpPort: '0', tcpPort: '0', mqttPort: 'off', tcpHost: '127.0.0.1', enrolment: 'open', store };
  const env = { LINECREW_API_TOKEN: token, LINECREW_ADMIN_PASSWORD: 'a-password-of-tests' };
  const gateway = await startGateway(loadConfig({ flags, env }).config, { log: createLog('silent') });
  gateways.push(gateway);
  return gateway;
}

/** What the API shows of the tracks, by phone number. */
async function tracksOf(gateway: Gateway): Promise<Map<string, Track[]>> {
  const api = new Api(gateway.url, token);
  const { items } = await api.get<{ items: { id: string; terminal: { phone: string } }[] }>('/vehicles');
  const all = '?from=2020-01-01T00:00:00.000Z&to=2100-01-01T00:00:00.000Z';
  const tracks = new Map<string, Track[]>();
  for (const { id, terminal } of items) {
    const lines = await api.lines<Track>(`/vehicles/${id}/track${all}`);
    tracks.set(
      terminal.phone,
      lines.map(({ deviceAt, lat, lon, speedKmh }) => ({ deviceAt, lat, lon, speedKmh })),
    );
  }
  return tracks;
}

const count = (tracks: Map<string, Track[]>): number => [...tracks.values()].flat().length;

/** Records `vehicles` simulated terminals against a gateway, as a user does it; gives what that gateway then shows. */
async function record(file: string): Promise<Map<string, Track[]>> {
  const gateway = await freshGateway();
  const recorder = linecrew(['record', file, '--to', `127.0.0.1:${gateway.ports.tcp}`, '--listen', '0']);
  const [, port] = await recorder.says(/terminals connect to port (\d+)/);
  const scenario = join(folder, 'scenario.yaml');
  writeFileSync(scenario, `name: replayed\nvehicles: ${vehicles}\nprofile: tracker\ncrews: none\nreportS: 1\n`);
  const fleet = linecrew(['simulate', 'drive', '--port', port!, '--scenario', scenario, '--json']);
  await expect.poll(async () => count(await tracksOf(gateway)), { timeout: 60_000 }).toBeGreaterThanOrEqual(6);
  fleet.interrupt();
  const { status, stdout, stderr } = await fleet.ended;
  expect(status, stderr).toBe(0);
  const { positions } = accountOf<{ positions: { confirmed: number } }>(stdout);
  recorder.interrupt();
  expect((await recorder.ended).status).toBe(0);
  await expect.poll(async () => count(await tracksOf(gateway)), { timeout: 20_000 }).toBe(positions.confirmed);
  return tracksOf(gateway);
}

describe('a recording of real terminals', () => {
  it(
    'replayed against a fresh gateway makes the same tracks, at ten times the speed and at once',
    { timeout: 240_000 },
    async () => {
      const file = join(folder, 'recording.txt');
      const recorded = await record(file);
      expect(recorded.size).toBe(vehicles);
      for (const speed of ['10', 'max']) {
        const gateway = await freshGateway();
        const replay = linecrew([
          'simulate',
          'replay',
          file,
          '--port',
          String(gateway.ports.tcp),
          '--speed',
          speed,
          '--json',
        ]);
        const { status, stdout, stderr } = await replay.ended;
        expect(status, stderr).toBe(0);
        const account = accountOf<Record<string, number>>(stdout);
        expect(account).toMatchObject({ loggedIn: vehicles, refused: 0, answeredWithError: 0 });
        expect(account['answered']).toBe(account['expecting']);
        await expect.poll(() => tracksOf(gateway), { timeout: 20_000 }).toEqual(recorded);
      }
    },
  );
});

it.each(['drive', 'load', 'replay'])(
  '%s says so where nothing listens',
  async (scenario) => {
    const file = join(folder, 'heartbeat.hex');
    writeFileSync(file, '7e0002000001390000001700537d027e\n');
    const args = scenario === 'replay' ? [file] : ['--vehicles', '2'];
    const { status, stderr } = await linecrew(['simulate', scenario, ...args, '--port', String(await freePort())])
      .ended;
    expect(stderr).toContain('linecrew: connection refused: ');
    expect(status).toBe(1);
  },
  60_000,
);
