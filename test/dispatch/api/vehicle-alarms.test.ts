import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NINE, startApi, vehicleBody, type Api } from './support.js';

interface Alarm {
  bit: number;
  name: string;
  since: string;
  endedAt?: string;
  alertId?: string;
}
const SOS = { bit: 0, name: 'sos' };
const SPEED = { bit: 1, name: 'overspeed' };
const at = (second: number): string => new Date(NINE + second * 1_000).toISOString();

describe('alarms of a vehicle over HTTP', () => {
  let api: Api;
  let sequence = 0;
  beforeAll(async () => {
    api = await startApi();
    for (const id of ['v1', 'v2', 'v3']) await api.post('/vehicles', vehicleBody(id));
  });
  afterAll(() => api.close());

  /** A report of the terminal in which these alarms are on. */
  const report = (vehicleId: string, second: number, ...alarms: { bit: number; name: string }[]): Promise<void> => {
    const frame = { node: 'n', sequence: ++sequence, index: 0 };
    const about = { vehicleId, phone: '1', receivedAt: NINE + second * 1_000, frame, dedupKey: `a${sequence}` };
    return api.dispatch.note([{ type: 'report.alarms', ...about, at: NINE + second * 1_000, alarms }]);
  };
  const pages = async (vehicleId: string, limit: number): Promise<Alarm[][]> => {
    const found: Alarm[][] = [];
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const { json } = await api.get(`/vehicles/${vehicleId}/alarms?limit=${limit}${after ? `&after=${after}` : ''}`);
      found.push(json.items);
      after = json.next;
    }
    return found;
  };

  it('shows what is on, then what has ended, from the newest, however much happened since', async () => {
    for (let i = 0; i < 7; i++) {
      await report('v1', i * 10, SPEED);
      await report('v2', i * 10, SPEED);
      await report('v1', i * 10 + 5);
    }
    await report('v1', 80, SPEED, SOS);
    const found = await pages('v1', 3);
    expect(found[0]!.slice(0, 2)).toEqual(
      expect.arrayContaining([
        { ...SPEED, since: at(80) },
        { ...SOS, since: at(80), alertId: expect.any(String) as string },
      ]),
    );
    expect(found.flat().slice(2)).toEqual(
      [6, 5, 4, 3, 2, 1, 0].map((i) => ({ ...SPEED, since: at(i * 10), endedAt: expect.any(String) as string })),
    );
    expect(found.map((page) => page.length)).toEqual([3, 3, 3]);
  });

  it('keeps the alert of a call for help that has ended', async () => {
    await report('v2', 100, SOS);
    const [on] = (await api.get('/vehicles/v2/alarms')).json.items as Alarm[];
    await report('v2', 105);
    const [ended] = (await api.get('/vehicles/v2/alarms')).json.items as Alarm[];
    expect(ended).toEqual({ ...on, endedAt: expect.any(String) as string });
    expect((await api.get(`/alerts/${encodeURIComponent(ended!.alertId!)}`)).json).toMatchObject({ kind: 'sos' });
  });

  it('is empty for a vehicle without alarms, and only for those who may see the vehicle', async () => {
    expect((await api.get('/vehicles/v3/alarms')).json).toEqual({ items: [] });
    expect((await api.get('/vehicles/nobody/alarms')).status).toBe(404);
    expect((await api.get('/vehicles/v1/alarms?after=x')).json.code).toBe('invalidParameter');
    await api.send('/repair-centres/centre-2', { method: 'PUT', body: { name: 'Centre 2' } });
    const token = await api.token(['dispatcher'], { centres: ['centre-2'] });
    expect([403, 404]).toContain((await api.get('/vehicles/v1/alarms', { token })).status);
  });
});
