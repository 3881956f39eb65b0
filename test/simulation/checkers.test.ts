import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { Docs, Leg, Order } from '../../dispatch/domain/model.js';
import { memoryStore } from '../../dispatch/store/memory.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import {
  checkConverged,
  checkKeys,
  checkOrder,
  checkOutbox,
  checkPlaced,
  checkReader,
  checkStarts,
  checkTrack,
  LogChecker,
} from './checkers.js';
import type { SimTruck } from './truck.js';

/** What the judges read of documents; the rest of them does not matter here. */
const order = (legs: Partial<Leg>[], stage: Order['stage'] = 'dispatched'): Order =>
  ({ id: 'o', number: 'N1', stage, legs: legs.map((leg, i) => ({ leg: i + 1, points: {}, claims: [], ...leg })) }) as unknown as Order; // prettier-ignore
const stamp = (at: number) => ({ at }) as NonNullable<Leg['points']['F']>;
const outbox = (items: Partial<Docs['outbox']['items'][number]>[]): Docs['outbox'] =>
  ({ vehicleId: 'v', items }) as unknown as Docs['outbox'];
const event = (position: number, type: string, data: unknown = {}, orderId?: string): StoredEvent =>
  ({ position, type, data, ...(orderId === undefined ? {} : { orderId }) }) as unknown as StoredEvent;

describe('the judge of an order', () => {
  it('is content with one open leg behind an ended one', () => {
    expect(checkOrder(order([{ state: 'rejected' }, { state: 'accepted' }]))).toEqual([]);
  });
  it.each([
    ['two effective legs', order([{ state: 'sent' }, { state: 'working' }]), /2 effective legs: 1, 2/],
    ['a leg at the wrong place', order([{ state: 'sent', leg: 2 }]), /leg 2 stands at place 1/],
    ['dispatched to nobody', order([{ state: 'rejected' }]), /dispatched without an open leg/],
    ['points out of order', order([{ state: 'enRoute', points: { F: stamp(5), G: stamp(4) } }]), /G is before F/],
  ])('says: %s', (_what, found, fault) => {
    expect(checkOrder(found).join()).toMatch(fault);
  });
});

describe('the judge of an outbox', () => {
  const many = (count: number, state: 'queued' | 'receipted') => Array.from({ length: count }, () => ({ state }));

  it('is content with the most that it may hold', () => {
    expect(checkOutbox(outbox([...many(120, 'queued'), ...many(200, 'receipted')]))).toEqual([]);
  });
  it.each([
    ['too much is open', outbox(many(121, 'queued')), /121 open items/],
    ['too much is kept', outbox(many(321, 'receipted')), /keeps 321 items/],
    [
      'two orders are on the way at once',
      outbox([
        { state: 'inFlight', kind: 'order' },
        { state: 'inFlight', kind: 'recall' },
      ]),
      /2 order-class items in flight/,
    ],
  ])('says: %s', (_what, found, fault) => {
    expect(checkOutbox(found).join()).toMatch(fault);
  });
});

describe('the judge of the log', () => {
  it.each([
    ['an event is missing', [event(1, 'x'), event(3, 'x')], /event 3 follows event 1/],
    [
      'an alert comes twice',
      [event(1, 'alert.raised', { alert: { id: 'a' } }), event(2, 'alert.raised', { alert: { id: 'a' } })],
      /alert a was raised 2 times/,
    ],
    [
      'a reminder comes twice',
      [event(1, 'order.reminded', { step: 'r' }), event(2, 'order.reminded', { step: 'r' })],
      /reminder r was raised 2 times/,
    ],
    [
      'a number is given twice',
      [event(1, 'order.received', { order: { number: 'N' } }, 'a'), event(2, 'order.received', { order: { number: 'N' } }, 'b')],
      /number N was given twice/,
    ],
  ])('says: %s', (_what, events, fault) => {
    const judge = new LogChecker();
    // In two pieces: what it knows outlives a look.
    for (const one of events) judge.take([one]);
    expect(judge.faults.join()).toMatch(fault);
  }); // prettier-ignore
});

describe('the judge of the platform', () => {
  it('says that no gateway takes connections any more', () => {
    expect(checkStarts(true)).toEqual([]);
    expect(checkStarts(false)).toEqual(['the gateway does not start any more']);
  });
  it('says that the log holds more orders than customers tried to place', () => {
    const office = { orderIds: ['a', 'b'], givenUp: 1, placing: 1 };
    expect(checkPlaced(4, office)).toEqual([]);
    expect(checkPlaced(5, office)).toEqual(['5 orders are in the log, 2 were placed']);
  });
  it('says that a log is not applied', () => {
    expect(checkReader('n', { appended: 3, applied: 3 })).toEqual([]);
    expect(checkReader('n', { appended: 3, applied: 2 })).toEqual(['the reader of n stands at group 2 of 3']);
  });
});

/** A truck as the judges see it. */
function truck(more: Record<string, unknown> = {}): SimTruck {
  const terminal = { orders: () => [{ number: 'N1' }], texts: () => [], unconfirmed: 0, ...(more['terminal'] ?? {}) };
  const spec = { vehicleId: 'v', profile: 'smart' };
  return { spec, positions: [], keys: [], faults: [], ...more, terminal } as unknown as SimTruck;
}

describe('the judge of a track', () => {
  it('finds what was confirmed and is not there, or is there twice', async () => {
    const store = memoryStore();
    const batch = new PositionBatch(2);
    for (const at of [1_000, 2_000]) batch.add('v', at, at, 36_000_000, 101_000_000, 0, 0, 0, 0, 0, 0);
    await store.commit({ positions: batch });
    const positions = [1_000, 2_000, 3_000].map((at) => ({ at, latE6: 36_000_000, lonE6: 101_000_000 }));
    expect(await checkTrack(store, truck({ positions: positions.slice(0, 2) }))).toEqual([]);
    expect(await checkTrack(store, truck({ positions }))).toEqual([
      'v: the confirmed position of 1970-01-01T00:00:03.000Z is in the track 0 times',
    ]);
    const { track } = store;
    store.track = async function* (...args) {
      yield* track.apply(store, args);
      yield* track.apply(store, args);
    };
    expect((await checkTrack(store, truck({ positions: positions.slice(0, 1) }))).join()).toMatch(
      /in the track 2 times/,
    );
  });
});

describe('the judge of keys', () => {
  const key = { step: 'accept', orderId: 'o', leg: 1, at: 7, confirmed: true };
  const claim = { point: 'F', deviceAt: 7, rank: 'key' };
  const trace = { ...event(1, 'timePoint.claimed', {}, 'o'), deviceAt: 7 };
  const judge = (claims: object[], events: StoredEvent[], more = {}): string =>
    checkKeys(
      truck({ keys: [{ ...key, ...more }] }),
      new Map([['o', order([{ state: 'accepted', claims: claims as Leg['claims'] }])]]),
      events,
    ).join();

  it('is content with one claim, and with what nobody confirmed', () => {
    expect(judge([claim], [trace])).toBe('');
    expect(judge([], [], { confirmed: false })).toBe('');
  });
  it('says that a confirmed key left no trace, or is claimed twice', () => {
    expect(judge([], [])).toMatch(/was confirmed and left no trace/);
    expect(judge([claim, claim], [trace])).toMatch(/is claimed 2 times/);
  });
  it('lets a refusal of what is over say nothing new, not one of what is under way', () => {
    const done = new Map([['o', order([{ state: 'workDone' }])]]);
    const refusal = truck({ keys: [{ ...key, step: 'refuse' }] });
    expect(checkKeys(refusal, done, [])).toEqual([]);
    expect(judge([], [], { step: 'refuse' })).toMatch(/left no trace/);
  });
  it('lets a refusal say nothing new while a person is asked about an earlier one, not after the answer', () => {
    const asked = (deviceAt: number, leg = 1): StoredEvent => ({
      ...event(1, 'card.raised', { card: { id: 'c', code: 'refusedUnderWay', leg } }, 'o'),
      deviceAt,
    });
    const answered = (committedAt: number): StoredEvent => ({
      ...event(2, 'card.resolved', { cardId: 'c' }, 'o'),
      committedAt,
    });
    const refused = (events: StoredEvent[]): string => judge([], events, { step: 'refuse' });
    expect(refused([asked(5)])).toBe('');
    expect(refused([asked(5), answered(8)])).toBe('');
    for (const events of [[asked(5), answered(6)], [asked(5, 2)], [asked(8)]]) {
      expect(refused(events)).toMatch(/left no trace/);
    }
    expect(judge([], [asked(5)], { step: 'done' })).toMatch(/left no trace/);
  });
});

describe('the judge of the end', () => {
  const orders = new Map([
    ['o1', { number: 'N1' } as Order],
    ['o2', { number: 'N2' } as Order],
  ]);
  const vehicle = (ids: string[], revision = 3, confirmedRevision = 3): Docs['vehicle'] =>
    ({
      queue: { revision, confirmedRevision, entries: ids.map((orderId) => ({ orderId, leg: 1 })) },
    }) as Docs['vehicle'];
  const judge = (of: SimTruck, queue = vehicle(['o1']), box = outbox([])): string =>
    checkConverged(of, queue, box, orders).join();
  const screen = (numbers: string[], profile = 'smart', texts: string[] = []): SimTruck =>
    truck({
      spec: { vehicleId: 'v', profile },
      terminal: { orders: () => numbers.map((number) => ({ number })), texts: () => texts },
    });

  it('is content when the screen is the queue', () => {
    expect(judge(truck())).toBe('');
  });
  it.each([
    ['something is still on its way', judge(truck(), vehicle(['o1']), outbox([{ state: 'unanswered', kind: 'order' }])), /order of - is still unanswered/],
    ['another order is shown', judge(screen(['N2'])), /shows N2, the queue is N1/],
    ['the order of the screen is another', judge(screen(['N2', 'N1']), vehicle(['o1', 'o2'])), /shows N2 N1, the queue is N1 N2/],
    ['a text is missing', judge(screen([], 'text')), /shows nothing, the queue is N1/],
    ['the menu lacks the text of an order', judge(screen(['N1'], 'menu')), /\(menu\) shows N1/],
    ['the list is not confirmed', judge(truck(), vehicle(['o1'], 4)), /revision 4 is not confirmed, 3 is/],
    ['a report waits', judge(truck({ terminal: { unconfirmed: 2 } })), /2 reports are not confirmed/],
    ['the terminal saw a fault', judge(truck({ faults: ['the screen shows an order twice'] })), /v: the screen shows an order twice/],
  ])('says: %s', (_what, found, fault) => {
    expect(found).toMatch(fault);
  }); // prettier-ignore
  it('asks no order of a screen of texts, and nothing of a tracker', () => {
    expect(judge(screen(['N2', 'N1'], 'text'), vehicle(['o1', 'o2'], 4))).toBe('');
    expect(judge(screen([], 'tracker'))).toBe('');
  });
});
