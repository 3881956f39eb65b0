import { afterEach, describe, expect, it } from 'vitest';
import { SignInThrottle, trimSignInFailures } from '../../../dispatch/api/throttle.js';
import { memoryStore } from '../../../dispatch/store/memory.js';
import { PASSWORD, startApi, type Api } from './support.js';

const HOUR = 3_600_000;
const store = memoryStore();
let now = 1_000_000;
/** Two gateways on one store. */
const one = new SignInThrottle(store, () => now);
const other = new SignInThrottle(store, () => now);
const letIn = async (throttle: SignInThrottle, name: string, address: string, times: number): Promise<number> => {
  const all = await Promise.all(Array.from({ length: times }, () => throttle.admit(name, address)));
  return all.filter(({ admitted }) => admitted).length;
};
afterEach(() => void (now += 10 * HOUR));

describe('sign-in throttle', () => {
  it('lets no more attempts through at one moment than one after the other', async () => {
    expect(await letIn(one, 'a', '198.51.100.1', 50)).toBe(5);
    expect(await letIn(one, 'a', '198.51.100.1', 1)).toBe(0);
  });

  it('counts guesses at all gateways on one store together', async () => {
    expect(await letIn(one, 'b', '198.51.100.2', 3)).toBe(3);
    expect(await letIn(other, 'b', '198.51.100.2', 10)).toBe(2);
    // Which the first one did not see.
    expect(await one.admit('b', '198.51.100.2')).toEqual({ admitted: false, waitMs: 2_000, told: false });
    expect(await one.admit('b', '198.51.100.2')).toMatchObject({ told: true });
    now += 2_000;
    const both = await Promise.all([letIn(one, 'b', '198.51.100.2', 5), letIn(other, 'b', '198.51.100.2', 5)]);
    expect(both[0] + both[1]).toBe(1);
  });

  it('counts an address whatever the name, and a name whatever the address', async () => {
    for (let i = 0; i < 21; i++) expect(await letIn(one, `c${i}`, '2001:db8::1', 1)).toBe(1);
    expect(await letIn(one, 'c99', '2001:db8::ffff', 1)).toBe(0);
    for (let i = 0; i < 31; i++) expect(await letIn(one, 'd', `198.51.100.${i}`, 1)).toBe(1);
    const refused = await one.admit('D', '198.51.100.200');
    expect(refused).toEqual({ admitted: false, waitMs: 1_000, told: false });
  });

  it('takes back what it counted when the person was right', async () => {
    for (let i = 0; i < 200; i++) {
      expect(await letIn(one, 'e', '198.51.100.3', 1)).toBe(1);
      await one.succeeded('e', '198.51.100.3');
    }
    expect(await letIn(one, 'e', '198.51.100.3', 4)).toBe(4);
    // The fifth makes a pause; it was right, so there is none.
    expect(await letIn(other, 'e', '198.51.100.3', 1)).toBe(1);
    await other.succeeded('e', '198.51.100.3');
    expect(await letIn(other, 'e', '198.51.100.3', 1)).toBe(1);
  });

  it('keeps no counter for longer than an hour, and no name as it was typed', async () => {
    await one.admit('my secret password', '198.51.100.4');
    const kept = [];
    for await (const doc of store.everyDoc()) kept.push(doc);
    expect(kept.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(kept)).not.toMatch(/secret|198\.51/);
    now += HOUR - 1;
    await one.admit('f', '198.51.100.5');
    now += 2;
    await trimSignInFailures(store, now);
    const left = [];
    for await (const doc of store.everyDoc()) left.push(doc);
    expect(left).toHaveLength(3);
  });
});

describe('POST /session', () => {
  let api: Api;
  afterEach(() => api.close());

  it('looks at five passwords of fifty that come at once, and notes the refusals in the audit log once', async () => {
    api = await startApi();
    await api.post('/users', { name: 'wang', roles: ['dispatcher'], password: PASSWORD });
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        api.post('/session', { name: 'wang', password: `guess ${i}` }, { token: null }),
      ),
    );
    const of = (status: number): number => replies.filter((reply) => reply.status === status).length;
    expect([of(401), of(429)]).toEqual([5, 45]);
    const { items } = (await api.get('/audit')).json as { items: { action: string }[] };
    expect(items.filter(({ action }) => action === 'session.throttled')).toHaveLength(1);
    const metrics = (await api.get('/metrics')).text;
    expect(metrics).toMatch(/^linecrew_sign_ins_throttled_total 45$/m);
    expect(metrics).toMatch(/^linecrew_sign_in_failures_total 5$/m);
    expect(metrics).toMatch(/^linecrew_passwords_waiting 0$/m);
  });
});
