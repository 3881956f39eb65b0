import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEffective, isOpen } from '../../../dispatch/domain/leg-states.js';
import { POINTS, RANKS, type Alert, type Leg, type Order, type Stamp } from '../../../dispatch/domain/model.js';
import { PARTS, segmentsOf } from '../../../dispatch/domain/segments.js';
import type { AnyCommand } from '../../../dispatch/domain/tables.js';
import { Refusal } from '../../../dispatch/domain/tx.js';
import { CLAIMS_PER_POINT } from '../../../dispatch/domain/time-points.js';
import { AGENT, crewOf, DISPATCHER, World } from '../../support/dispatch.js';

const VEHICLES = ['v1', 'v2', 'v3'];

type Step =
  | { kind: 'command'; command: Record<string, unknown> & { type: string }; by: 'dispatcher' | 'crew' }
  | { kind: 'report'; report: Record<string, unknown> & { type: string }; of: Address; ageS: number | undefined }
  | { kind: 'wait'; seconds: number }
  | { kind: 'card'; index: number; choice: number }
  | { kind: 'removed' };

/** Whose leg a report is about: mostly the terminal's own, one of those that the order has. */
interface Address {
  index: number;
  /** Sent by this vehicle instead of the leg's. */
  foreign: number | undefined;
}
const address: fc.Arbitrary<Address> = fc.record({
  index: fc.nat(3),
  foreign: fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(2) }),
});

const leg = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 3 });
const withLeg = (type: string): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constant('command' as const),
    by: fc.constantFrom('dispatcher' as const, 'crew' as const),
    command: fc.record({
      type: fc.constant(type),
      leg,
      vehicleId: fc.constantFrom(...VEHICLES),
      confirm: fc.boolean(),
      reason: fc.constant('why'),
      record: fc.constant({ cause: 'fuse', done: 'replaced' }),
      result: fc.constantFrom('satisfied' as const, 'stillDark' as const, 'noAnswer' as const),
    }),
  });
const COMMANDS = [
  'assign',
  'assign',
  'assign',
  'recall',
  'reassign',
  'reassign',
  'confirmRecall',
  'accept',
  'depart',
  'arrive',
  'complete',
  'suspend',
  'resume',
  'wait',
  'return',
  'urge',
  'reject',
  'shown',
  'toldByPhone',
  'issue',
  'receive',
  'withdraw',
  'record',
  'callback',
  'reopen',
];

const report: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('report' as const),
  of: address,
  ageS: fc.option(fc.constantFrom(0, 5, 61, 300, -60), { nil: undefined }),
  report: fc.oneof(
    fc.record({
      type: fc.constant('report.action'),
      action: fc.constantFrom('read', 'accept', 'depart', 'arrive', 'work', 'done', 'reject', 'suspend', 'resume'),
    }),
    fc.constant({ type: 'report.receipt', result: 'ok', ofApplication: true, contentVersion: 1 }),
    fc.record({
      type: fc.constantFrom('rule.departed', 'rule.arrived'),
    }),
  ),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(...COMMANDS.map((name) => withLeg(`order.${name}`))) },
  { weight: 8, arbitrary: report },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 400 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('card' as const), index: fc.nat(5), choice: fc.nat(1) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'removed' as const }) },
);

describe('any interleaving of the commands and terminal events of one order and three vehicles', () => {
  it('keeps the invariants, and the log replayed gives the state', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const world = new World();
        // Two gateways on one store: what becomes due is done by one of them.
        const second = world.gateway('second');
        try {
          await world.dispatch.start();
          await second.start();
          for (const id of VEHICLES) await world.vehicle(id);
          const orderId = await world.orderWith('v1');
          for (const one of steps) await checkedStep(world, orderId, one);
          await checkEscalation(world);
          await world.checkReplay();
        } finally {
          await second.stop();
          await world.close();
        }
      }),
      { numRuns: 150 },
    );
  });
});

async function checkedStep(world: World, orderId: string, one: Step): Promise<void> {
  const before = await world.order(orderId);
  const address = await perform(world, orderId, one);
  const after = await world.order(orderId);
  if (one.kind === 'report') {
    for (const leg of before.legs) {
      if (leg.leg !== address) expect(after.legs.find((l) => l.leg === leg.leg)).toEqual(leg);
    }
  }
  checkOneEffective(after);
  checkRanks(before, after);
  checkSum(world, after);
  await checkQueues(world, after);
  await checkAlerts(world, after);
  checkStage(after);
}

/** Performs a step; gives the leg that a report was about. */
async function perform(world: World, orderId: string, one: Step): Promise<number | undefined> {
  if (one.kind === 'wait') return void (await world.pass(one.seconds / 60));
  if (one.kind === 'command')
    return void (await tolerant(world, { ...one.command, orderId } as unknown as AnyCommand, one.by));
  if (one.kind === 'card') return resolveOne(world, one.index, one.choice);
  if (one.kind === 'removed')
    return void (await tolerant(world, { type: 'order.confirmRecall', orderId }, 'dispatcher'));
  return reportAndFind(world, orderId, one);
}

async function tolerant(world: World, command: AnyCommand, by: 'dispatcher' | 'crew'): Promise<void> {
  const actor = command.type === 'order.issue' ? AGENT : by === 'crew' ? crewOf('v1') : DISPATCHER;
  try {
    await world.do(command, actor);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

async function resolveOne(world: World, index: number, choice: number): Promise<undefined> {
  const open = (await world.cards()).filter((card) => !card.resolved);
  const conflicts = open.filter((card) => card.kind === 'conflict');
  const waiting = conflicts.length > 0 ? conflicts : open;
  const card = waiting[index % Math.max(1, waiting.length)];
  if (!card) return;
  const command = {
    type: 'card.resolve' as const,
    cardId: card.id,
    choice: card.choices[choice % card.choices.length]!,
  };
  await tolerant(world, command, 'dispatcher');
}

/** Nothing that was confirmed to a terminal is lost: it is a claim of its leg, or in quarantine. */
async function reportAndFind(world: World, orderId: string, one: Step & { kind: 'report' }): Promise<number> {
  const now = world.clock.now();
  const { legs } = await world.order(orderId);
  const addressed = legs[one.of.index % Math.max(1, legs.length)];
  const vehicleId = one.of.foreign === undefined ? (addressed?.vehicleId ?? 'v1') : VEHICLES[one.of.foreign]!;
  const time = one.ageS === undefined ? {} : { deviceAt: now - one.ageS * 1000 };
  const isRule = one.report.type.startsWith('rule.');
  const own = isRule ? { at: now - Math.max(0, one.ageS ?? 0) * 1000 } : time;
  const number = addressed?.leg ?? 1;
  await world.report({ ...one.report, orderId, leg: number, vehicleId, ...own } as never);
  const point = POINT_OF_ACTION[(one.report['action'] as string | undefined) ?? one.report.type];
  const order = await world.order(orderId);
  const leg = order.legs.find((l) => l.leg === number && l.vehicleId === vehicleId);
  if (leg && point) {
    const claims = leg.claims.filter((claim) => claim.point === point);
    const by = isRule ? 'positions' : undefined;
    const found = claims.some((claim) => (by ? claim.by === by : claim.source === 'terminal'));
    expect(found || claims.length >= CLAIMS_PER_POINT).toBe(true);
  } else if (!leg && one.report.type === 'report.action') {
    const cards = await world.cards();
    expect(
      cards.some((card) => card.kind === 'quarantine' && card.vehicleId === vehicleId && card.leg === number),
    ).toBe(true);
  }
  return number;
}
const POINT_OF_ACTION: Record<string, string> = {
  accept: 'F',
  depart: 'G',
  arrive: 'H',
  done: 'I',
  'rule.departed': 'G',
  'rule.arrived': 'H',
};

function checkOneEffective(order: Order): void {
  expect(order.legs.filter(isEffective).length).toBeLessThanOrEqual(1);
  const effective = order.legs.find(isEffective);
  if (effective) expect(order.cycles.at(-1)!.effectiveLeg).toBe(effective.leg);
}

function checkRanks(before: Order, after: Order): void {
  for (const leg of before.legs) {
    const now = after.legs.find((l) => l.leg === leg.leg)!;
    for (const point of POINTS) {
      const was = leg.points[point];
      const is = now.points[point];
      if (!was) continue;
      expect(is, `${point} of leg ${leg.leg}`).toBeDefined();
      if (point === 'H' && rulesOfArrival(was.rank) && rulesOfArrival(is!.rank)) continue;
      expect(RANKS.indexOf(is!.rank)).toBeLessThanOrEqual(RANKS.indexOf(was.rank));
      // In one rank the earlier time inside the leg's window stands; what is implied follows the point that implies it.
      const inWindow = ownTime(was) >= leg.createdAt;
      const sameRank = is!.rank === was.rank && was.rank !== 'implied' && inWindow;
      if (sameRank && point !== 'H')
        expect(ownTime(is!), `${point} of leg ${leg.leg}`).toBeLessThanOrEqual(ownTime(was));
    }
    checkMonotone(now);
  }
}

const ownTime = ({ rawAt, at }: Stamp): number => rawAt ?? at;

/** Each step of the ladder fires once, and an alert is over when what it waits for has happened. */
async function checkEscalation(world: World): Promise<void> {
  const fired = (await world.events()).flatMap(({ type, data }) => {
    if (type === 'alert.raised') return [(data as { alert: Alert }).alert.id];
    return type === 'order.reminded' || type === 'escalation.done' ? [(data as { step: string }).step] : [];
  });
  expect(fired).toEqual([...new Set(fired)]);
}

async function checkAlerts(world: World, order: Order): Promise<void> {
  const page = await world.store.scan({ index: 'alerts.open', limit: 1000 });
  for (const { value } of page.items) {
    const alert = value as Alert;
    const leg = order.legs.find((one) => one.leg === alert.leg);
    if (WAIT_FOR_CREW.includes(alert.kind)) {
      expect(leg && isEffective(leg) && ['queued', 'sent', 'delivered', 'read'].includes(leg.state), alert.id).toBe(
        true,
      );
    }
    if (alert.kind === 'centreNotAccepted') expect(order.receivedBy, alert.id).toBeUndefined();
    if (alert.kind === 'unreachable') expect(['queued', 'sent'], alert.id).toContain(leg?.state);
  }
}
const WAIT_FOR_CREW = ['crewNotAccepted', 'crewStillNotAccepted', 'nextCrew'];

/** Between key and fence the standing run decides, before rank. */
function rulesOfArrival(rank: string): boolean {
  return ['key', 'terminalFence', 'serverFence'].includes(rank);
}

function checkMonotone(leg: Leg): void {
  const times = POINTS.map((point) => leg.points[point]?.at).filter((at) => at !== undefined);
  expect(times).toEqual([...times].sort((a, b) => a - b));
}

function checkSum(world: World, order: Order): void {
  const segments = segmentsOf(order, world.clock.now(), world.dispatch.settings);
  const ah = segments.find((segment) => segment.name === 'AH')!;
  if (ah.elapsedMs === null) return;
  const parts = segments.filter((segment) => PARTS.includes(segment.name));
  const sum = parts.reduce((total, segment) => total + (segment.elapsedMs ?? 0), 0);
  expect(sum).toBe(ah.elapsedMs);
}

/** A queue holds exactly the vehicle's open legs, and names the one that is under way. */
async function checkQueues(world: World, order: Order): Promise<void> {
  for (const id of VEHICLES) {
    const vehicle = await world.vehicleDoc(id);
    const open = order.legs.filter((leg) => leg.vehicleId === id && isOpen(leg));
    const entries = vehicle.queue.entries.map((entry) => ({ leg: entry.leg, recalling: entry.recalling ?? false }));
    const wanted = open.map((leg) => ({ leg: leg.leg, recalling: leg.state === 'recalling' }));
    expect(entries.sort(byLeg)).toEqual(wanted.sort(byLeg));
    const underWay = open.find((leg) => ['enRoute', 'onSite', 'working'].includes(leg.state));
    expect(vehicle.active?.leg).toBe(underWay?.leg);
  }
}
const byLeg = (a: { leg: number }, b: { leg: number }): number => a.leg - b.leg;

function checkStage(order: Order): void {
  const open = order.legs.filter(isOpen);
  if (order.stage === 'dispatched') expect(open).not.toEqual([]);
  // What was called back from an earlier issue may still wait for its removal.
  const { cycle, issues } = order.cycles.at(-1)!;
  const ofIssue = open.filter((leg) => leg.cycle === cycle && leg.issue === issues.length);
  if (order.stage === 'atCentre') expect(ofIssue).toEqual([]);
  if (['repaired', 'returned', 'withdrawn', 'atCentre'].includes(order.stage)) expect(order.legs.some(isEffective)).toBe(false); // prettier-ignore
}
