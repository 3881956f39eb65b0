import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDispatch, type Dispatch } from '../../dispatch/service.js';
import { DEFAULT_SETTINGS } from '../../dispatch/domain/settings.js';
import { manualClock, type ManualClock } from '../../dispatch/clock.js';
import { memoryStore } from '../../dispatch/store/memory.js';
import { GatewayCounters } from '../../gateway/counters.js';
import { Directory } from '../../gateway/directory.js';
import { LinkReports } from '../../gateway/link-reports.js';
import { defaultLimits } from '../../gateway/limits.js';
import { hashCode } from '../../gateway/session/credentials.js';
import type { TerminalLink } from '../../gateway/session/link.js';
import { SessionRegistry, type OwnedConnection } from '../../gateway/sessions.js';
import { addVehicle, RecordingDeliveries } from './support/gateway-world.js';

const phone = '13800138000';
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
let clock: ManualClock;
let dispatch: Dispatch;

/** A connection that does what the registry tells it. */
function connection(id: string, address: string): OwnedConnection & { superseded: boolean; closed: boolean } {
  const made = {
    id,
    address,
    transport: 'tcp' as const,
    get heardMs() {
      return clock.now();
    },
    closed: false,
    superseded: false,
    supersede: () => void (made.superseded = true),
    factsChanged: () => {},
  };
  return made;
}

function node(name: string) {
  const counters = new GatewayCounters();
  const limits = defaultLimits;
  const directory = new Directory({ dispatch, limits, enrolment: 'known', random: randomBytes, log: quiet });
  const reports = new LinkReports(dispatch, limits, quiet);
  const deliveries = new RecordingDeliveries();
  const registry = new SessionRegistry({
    dispatch,
    directory,
    reports,
    deliveries,
    node: name,
    limits,
    counters,
    log: quiet,
  });
  const login = async (one: OwnedConnection): Promise<TerminalLink> => {
    const facts = (await directory.lookup(phone))!;
    const fence = (await registry.claim(one, facts, undefined, 2013))!;
    const link = {
      ...facts,
      edition: 2013,
      transport: 'tcp',
      fence,
      write: () => undefined,
      forget: () => {},
    } as TerminalLink;
    registry.up(one, link);
    return link;
  };
  return { counters, directory, reports, deliveries, registry, login };
}

beforeEach(async () => {
  clock = manualClock(Date.UTC(2026, 10, 21));
  const store = memoryStore();
  dispatch = createDispatch({ store, clock, settings: DEFAULT_SETTINGS, random: randomBytes, log: quiet });
  await addVehicle(dispatch, phone);
});
afterEach(async () => {
  await dispatch.stop();
  await dispatch.store.close();
});

const linkOf = async () => (await dispatch.get('vehicle', `v-${phone}`))!.value.link;

describe('the owner of a terminal', () => {
  it('is the newest connection; the older one loses it first, and its end changes nothing', async () => {
    const { registry, deliveries, reports, login } = node('n1');
    const [older, newer] = [connection('1', 'a'), connection('2', 'a')];
    const olderLink = await login(older);
    await login(newer);
    expect(older.superseded).toBe(true);
    expect(deliveries.log).toEqual([`attach ${phone}`, `detach ${phone}`, `attach ${phone}`]);
    registry.down(older, olderLink, 'takenOver');
    await reports.drained();
    expect(registry.owner(phone)).toBe(newer);
    expect((await linkOf()).state).toBe('up');
  });

  it('on another node is found out by the lease, and is not told to be down', async () => {
    const [n1, n2] = [node('n1'), node('n2')];
    const [first, second] = [connection('1', 'a'), connection('2', 'a')];
    await n1.login(first);
    await n2.login(second);
    clock.advance(defaultLimits.leaseMs / 3);
    await n1.registry.renew();
    await n2.registry.renew();
    await n1.reports.drained();
    await n2.reports.drained();
    expect([first.superseded, second.superseded]).toEqual([true, false]);
    expect([n1.registry.online, n2.registry.online]).toEqual([0, 1]);
    expect(await linkOf()).toMatchObject({ state: 'up', node: 'n2' });
  });

  it('that ended while it was claiming leaves nothing behind', async () => {
    const { registry, directory, counters } = node('n1');
    const gone = connection('1', 'a');
    gone.closed = true;
    const facts = (await directory.lookup(phone))!;
    expect(await registry.claim(gone, facts, undefined, 2013)).toBeUndefined();
    expect([registry.online, counters.terminalsOnline]).toEqual([0, 0]);
    expect(await dispatch.store.owner(phone, clock.now())).toBeUndefined();
  });

  it('that ended while its code was put on file takes the terminal from nobody', async () => {
    const { registry, directory, login, reports } = node('n1');
    const [older, newer] = [connection('1', 'a'), connection('2', 'a')];
    await login(older);
    const facts = (await directory.lookup(phone))!;
    directory.codeUsed = () => {
      newer.closed = true;
      return Promise.resolve();
    };
    expect(await registry.claim(newer, facts, 'its code', 2013)).toBeUndefined();
    clock.advance(defaultLimits.leaseMs / 3);
    await registry.renew();
    await reports.drained();
    expect(older.superseded).toBe(false);
    expect(registry.owner(phone)).toBe(older);
    expect((await linkOf()).state).toBe('up');
  });

  it('that ended when it had the lease, before it was up, leaves nobody online', async () => {
    const { registry, deliveries, directory, login, reports } = node('n1');
    const [older, newer] = [connection('1', 'a'), connection('2', 'a')];
    const olderLink = await login(older);
    const facts = (await directory.lookup(phone))!;
    const { store } = dispatch;
    const claimTerminal = store.claimTerminal.bind(store);
    store.claimTerminal = async (...args) => {
      const claimed = await claimTerminal(...args);
      newer.closed = true;
      return claimed;
    };
    expect(await registry.claim(newer, facts, undefined, 2013)).toBeUndefined();
    registry.down(older, olderLink, 'takenOver');
    await reports.drained();
    expect(older.superseded).toBe(true);
    expect(deliveries.links).toEqual([]);
    expect([registry.online, (await linkOf()).state]).toEqual([0, 'down']);
    expect(await store.owner(phone, clock.now())).toBeUndefined();
  });

  it('is not given up for a connection of the same node that is just taking over', async () => {
    const { registry, counters, directory, login } = node('n1');
    const [older, newer] = [connection('1', 'a'), connection('2', 'a')];
    await login(older);
    const facts = (await directory.lookup(phone))!;
    const { store } = dispatch;
    const claimTerminal = store.claimTerminal.bind(store);
    let answer = (): void => {};
    // The store has given the lease to the newer one, and its answer is on the way.
    store.claimTerminal = async (...args) => {
      const claimed = await claimTerminal(...args);
      await new Promise<void>((resolve) => (answer = resolve));
      return claimed;
    };
    const claiming = registry.claim(newer, facts, undefined, 2013);
    await expect.poll(async () => (await store.owner(phone, clock.now()))?.connection).toBe('2');
    clock.advance(defaultLimits.leaseMs / 3);
    await registry.renew();
    expect(registry.owner(phone)).toBe(older);
    answer();
    expect(await claiming).toBeGreaterThan(0);
    expect(registry.owner(phone)).toBe(newer);
    expect([counters.takeOvers, older.superseded]).toEqual([1, true]);
  });

  it('whose lease the store has lost must log in again, and is not shown as online meanwhile', async () => {
    const { registry, login, reports } = node('n1');
    const one = connection('1', 'a');
    const { fence } = await login(one);
    await dispatch.store.releaseTerminal(phone, fence);
    clock.advance(defaultLimits.leaseMs / 3);
    await registry.renew();
    await reports.drained();
    expect(one.superseded).toBe(true);
    expect([registry.online, (await linkOf()).state]).toEqual([0, 'down']);
  });

  it('may not be one of two that fight: the third take-over from another address leaves both without orders', async () => {
    const { registry, deliveries, reports, directory, login } = node('n1');
    const fighters = ['a', 'b', 'a', 'b'].map((address, i) => connection(String(i), address));
    for (const one of fighters) {
      await login(one);
      await reports.drained();
    }
    const { contested } = (await dispatch.get('terminal', phone))!.value;
    expect(contested).toBeDefined();
    // The directory hears of it from the event log; the next connection finds both kept and no orders.
    await directory.start((changed) => registry.fileChanged(changed));
    const fresh = node('n1b');
    const [fifth, sixth] = [connection('5', 'a'), connection('6', 'b')];
    await fresh.login(fifth);
    await fresh.login(sixth);
    expect(fifth.superseded).toBe(false);
    expect(fresh.deliveries.links).toEqual([]);
    expect(deliveries.links).toHaveLength(1);
    directory.stop();
  });
});

describe('the directory', () => {
  it('forgets what changed, and asks the store once for the same number', async () => {
    const { directory } = node('n1');
    const changed: string[] = [];
    await directory.start((one) => changed.push(one));
    const [a, b] = await Promise.all([directory.lookup(phone), directory.lookup(phone)]);
    expect(a).toBe(b);
    expect(directory.lookup(phone)).toBe(a);
    const operator = { source: 'api', name: 'test', roles: ['administrator'] } as const;
    await dispatch.execute({ type: 'terminal.block', phone, reason: 'stolen' }, operator);
    await expect.poll(() => changed).toContain(phone);
    expect((await directory.lookup(phone))!.blocked).toBe(true);
    directory.stop();
  });

  it('gives a fresh code that only its hash on file knows, the same device again', async () => {
    const { directory } = node('n1');
    const request = { phone, identity: { maker: 'M', model: 'T', terminalId: '1' }, edition: 2013, plate: '' } as const;
    const first = await directory.register(request, 'a');
    const second = await directory.register(request, 'a');
    if (first === 'failed' || first.result !== 0 || second === 'failed' || second.result !== 0)
      throw new Error('refused');
    expect(first.code).toMatch(/^[0-9a-f]{32}$/);
    expect(first.code).not.toBe(second.code);
    expect(second.facts.codes).toEqual(expect.arrayContaining([hashCode(first.code), hashCode(second.code)]));
    expect(JSON.stringify((await dispatch.get('terminal', phone))!.value)).not.toContain(second.code);
    const other = await directory.register({ ...request, identity: { ...request.identity, terminalId: '2' } }, 'b');
    expect(other).toEqual({ result: 4, reason: expect.stringContaining('bound to another maker') as string });
  });
});
