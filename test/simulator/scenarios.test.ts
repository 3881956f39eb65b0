import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../gateway/config/load.js';
import { createLog } from '../../gateway/log.js';
import { startGateway, type Gateway } from '../../gateway/main.js';
import { fleetOptions, readScenario } from '../../simulator/commands/fleet-run.js';
import { formatReport, isSound, Random, startFleet, type Fleet } from '../../simulator/index.js';
import { Incidents } from '../../simulator/net/incidents.js';

const token = 'test-token-0123456789';
let folder: string;
let gateway: Gateway;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linecrew-scenarios-'));
  const flags = {
    httpPort: '0', tcpPort: '0', mqttPort: '0', tcpHost: '127.0.0.1', clockRate: '60', enrolment: 'open', store: `lmdb:${join(folder, 'data')}`,
  }; // prettier-ignore
  const env = { LINECREW_API_TOKEN: token, LINECREW_ADMIN_PASSWORD: 'a-password-of-tests' };
  gateway = await startGateway(loadConfig({ flags, env }).config, { log: createLog('silent') });
});
afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The scenario as it is shipped, with few vehicles and its calls close together. */
async function start(name: string): Promise<{ fleet: Fleet; incidents: Incidents }> {
  const scenario = readScenario({ name });
  scenario.vehicles = 6;
  scenario.seed = `short ${name}`;
  scenario.calls = scenario.calls?.map((calls) => ({ ...calls, perHour: Math.max(300, calls.perHour), fromMin: 0 }));
  const fleet = await startFleet(
    fleetOptions(scenario, {
      host: '127.0.0.1',
      port: gateway.ports.tcp!,
      http: gateway.url,
      token,
      mqtt: `mqtt://127.0.0.1:${gateway.ports.mqtt}`,
      transport: 'tcp',
    }),
  );
  return { fleet, incidents: new Incidents(fleet, scenario.incidents ?? [], new Random(scenario.seed)) };
}

/** What must have happened before the run may end. */
const enough: Record<string, (fleet: Fleet) => boolean> = {
  drive: (fleet) => fleet.totals().confirmed >= 60,
  day: (fleet) => fleet.callCentre!.counts.assigned >= 5 && fleet.totals().shown >= 3,
  storm: (fleet) => fleet.callCentre!.counts.assigned >= 8 && fleet.totals().shown >= 4,
  chaos: (fleet) => fleet.callCentre!.counts.assigned >= 5 && fleet.totals().shown >= 3,
  'old-terminals': (fleet) => fleet.callCentre!.counts.assigned >= 5 && fleet.totals().shown >= 3,
  training: (fleet) => fleet.callCentre!.counts.issued >= 8,
};

describe('each scenario that is shipped, short, at 60 times the speed', () => {
  it.each(Object.keys(enough))('%s loses nothing', { timeout: 180_000 }, async (name) => {
    const { fleet, incidents } = await start(name);
    await expect.poll(() => enough[name]!(fleet), { timeout: 90_000, interval: 100 }).toBe(true);
    incidents.stop();
    const report = await fleet.stop();
    const account = formatReport(report);
    expect(isSound(report), account).toBe(true);
    expect(report.positions.received, account).toBe(report.positions.confirmed);
    expect(report.positions.confirmed, account).toBeGreaterThan(0);
    expect(report.calls.failed, account).toBe(0);
    if (name === 'training') expect(report.calls.assigned).toBe(0);
  });
});
