import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../gateway/config/load.js';
import { createLog } from '../../gateway/log.js';
import { startGateway, type Gateway } from '../../gateway/main.js';
import { parseRecording } from '../../simulator/capture/recording.js';
import { ClockRateMismatch, diligent, isSound, startFleet } from '../../simulator/index.js';
import { Recorder } from '../../simulator/net/record.js';
import { Replay } from '../../simulator/net/replay.js';

const token = 'test-token-0123456789';
let folder: string;
let gateway: Gateway;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linecrew-simulator-'));
  const flags = {
    httpPort: '0', tcpPort: '0', mqttPort: '0', tcpHost: '127.0.0.1', clockRate: '20', enrolment: 'open', store: `lmdb:${join(folder, 'data')}`,
  }; // prettier-ignore
  const { config } = loadConfig({
    flags,
    env: { LINECREW_API_TOKEN: token, LINECREW_ADMIN_PASSWORD: 'a-password-of-tests' },
  });
  gateway = await startGateway(config, { log: createLog('silent') });
});
afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true, force: true });
});

const target = (): { host: string; port: number; http: string; token: string } => ({
  host: '127.0.0.1',
  port: gateway.ports.tcp!,
  http: gateway.url,
  token,
});

describe('the simulator against the gateway', () => {
  it('refuses another clock rate than the gateway has', async () => {
    await expect(startFleet({ ...target(), vehicles: 1, rate: 10 })).rejects.toThrow(ClockRateMismatch);
  });

  it.each(['smart', 'menu', 'mqtt'] as const)(
    'lives through orders from call to repair, profile %s',
    { timeout: 90_000 },
    async (profile) => {
      const fleet = await startFleet({
        ...target(),
        mqttUrl: `mqtt://127.0.0.1:${gateway.ports.mqtt}`,
        vehicles: 2,
        profile,
        seed: `life-${profile}`,
        crews: { ...diligent, workMin: [0.5, 1] },
        calls: { patterns: [{ perHour: 200, urgentPart: 0.2 }], assignAfterS: 5 },
      });
      try {
        await Promise.race(
          fleet.terminals.map((one) => one.waitFor('pressed', ({ step }) => step === 'done', { timeoutMs: 60_000 })),
        );
      } finally {
        const report = await fleet.stop();
        expect(report.notes).toEqual([]);
        expect(report.positions).toMatchObject({
          lost: 0,
          doubled: 0,
          pending: 0,
          received: report.positions.confirmed,
        });
        expect(report.orders.done).toBeGreaterThan(0);
        expect(isSound(report)).toBe(true);
      }
    },
  );

  it('records what passes and replays it', { timeout: 60_000 }, async () => {
    const file = join(folder, 'recording.txt');
    const recorder = new Recorder({
      listenHost: '127.0.0.1',
      listenPort: 0,
      host: '127.0.0.1',
      port: gateway.ports.tcp!,
      file,
    });
    const port = await recorder.start();
    const fleet = await startFleet({
      ...target(),
      port,
      vehicles: 2,
      profile: 'tracker',
      seed: 'recorded',
      crews: 'none',
      reports: false,
    });
    for (const terminal of fleet.terminals) {
      await terminal.waitFor('online');
      terminal.report();
    }
    await fleet.stop();
    await recorder.stop();
    const pieces = parseRecording(readFileSync(file, 'utf8'));
    expect(new Set(pieces.map((piece) => piece.kind))).toEqual(new Set(['open', 'up', 'down', 'close']));

    const replay = new Replay({ ...target(), pieces, speed: Infinity, perSecond: 10, login: true, drainMs: 5_000 });
    const report = await replay.run();
    expect(report).toMatchObject({ connections: 2, loggedIn: 2, refused: 0, answeredWithError: 0 });
    expect(report.expecting).toBeGreaterThanOrEqual(2);
    expect(report.answered).toBe(report.expecting);
  });
});
