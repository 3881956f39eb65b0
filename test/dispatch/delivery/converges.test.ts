import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { World } from '../../support/dispatch.js';
import { AppTerminal, MenuTerminal, type SimTerminal } from './terminals.js';
import { Wire } from './wire.js';

/**
 * Whatever the dispatcher does and the radio loses, doubles or cuts, in any order: when it is quiet again, the terminal
 * shows the queue. First nothing bad may happen, then everything must arrive.
 */
const PHONE = '13000000001';

type Step =
  | { do: 'assign'; urgent: boolean }
  | { do: 'reorder' | 'recall' | 'edit'; pick: number }
  | { do: 'loop' | 'receive' | 'receiveTwice' | 'answer' | 'answerTwice' | 'lose' }
  | { do: 'drop' | 'connect' | 'reboot' }
  | { do: 'wait'; ms: number };

const pick = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('assign' as const), urgent: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('reorder' as const, 'recall' as const, 'edit' as const), pick }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'loop' as const, 'loop' as const, 'receive' as const, 'receive' as const, 'receiveTwice' as const,
        'answer' as const, 'answer' as const, 'answerTwice' as const, 'lose' as const,
      ),
    }),
  }, // prettier-ignore
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('drop' as const, 'connect' as const, 'reboot' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 10_000, 60_000, 400_000) }),
  },
);

async function perform(world: World, wire: Wire, act: Step): Promise<void> {
  const queue = await world.queue('v1');
  switch (act.do) {
    case 'assign':
      if (queue.length < 8) await world.orderWith('v1', 'queued', { priority: act.urgent ? 'urgent' : 'normal' });
      return;
    case 'reorder': {
      const vehicle = await world.vehicleDoc('v1');
      if (queue.length < 2) return;
      const at = act.pick % queue.length;
      const orderIds = [...queue.slice(at), ...queue.slice(0, at)];
      await world.do({ type: 'vehicle.reorder', vehicleId: 'v1', revision: vehicle.queue.revision, orderIds });
      return;
    }
    case 'recall':
      if (queue.length > 0)
        await world.do({ type: 'order.recall', orderId: queue[act.pick % queue.length]!, reason: 'test' });
      return;
    case 'edit':
      if (queue.length > 0) {
        const fault = { category: 'outage', voltage: 'low' as const, description: `dark ${act.pick}` };
        await world.do({ type: 'order.edit', orderId: queue[act.pick % queue.length]!, changes: { fault } });
      }
      return;
    case 'loop':
      await wire.step();
      return;
    case 'receive':
    case 'receiveTwice':
      if (wire.up) wire.receive(act.do === 'receiveTwice' ? 2 : 1);
      return;
    case 'answer':
    case 'answerTwice':
      await wire.answer(act.do === 'answerTwice' ? 2 : 1);
      return;
    case 'lose':
      wire.lose();
      return;
    case 'drop':
      return wire.disconnect();
    case 'connect':
      return wire.connect();
    case 'reboot':
      wire.terminal.reboot();
      return;
    case 'wait':
      world.clock.advance(act.ms);
  }
}

async function converges(steps: Step[], profile: 'smart' | 'menu', terminal: SimTerminal): Promise<void> {
  const world = new World();
  await world.vehicle('v1', { terminal: { phone: PHONE, profile } });
  const wire = new Wire(world, 'v1', PHONE, terminal);
  try {
    await wire.connect();
    for (const act of steps) {
      await perform(world, wire, act);
      expect((await wire.inFlight()).length).toBeLessThanOrEqual(1);
    }
    await wire.disconnect();
    world.clock.advance(1_000);
    await wire.connect();
    await wire.settle();

    const vehicle = await world.vehicleDoc('v1');
    const queue = await world.queue('v1');
    const orders = await Promise.all(queue.map((id) => world.order(id)));
    const expected = profile === 'smart' ? queue : orders.map(({ number }) => number.slice(-4));
    expect(terminal.shown()).toEqual(expected);
    expect(vehicle.queue.confirmedRevision).toBe(vehicle.queue.revision);
    expect(vehicle.queue.entries.filter((entry) => entry.recalling)).toEqual([]);
    for (const order of orders) expect(order.legs.at(-1)!.state).toBe('delivered');
    expect((await wire.outbox()).items.filter(({ state }) => state === 'inFlight' || state === 'queued')).toEqual([]);
    await world.checkReplay();
  } finally {
    await world.close();
  }
}

describe('any interleaving of assigning, reordering, recalling, loss, doubles and reconnecting', () => {
  it('ends with the queue on a terminal with the app', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), (steps) => converges(steps, 'smart', new AppTerminal())),
      { numRuns: 60 },
    );
  });

  it('ends with the queue on a dispatch screen', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), (steps) => converges(steps, 'menu', new MenuTerminal())),
      { numRuns: 60 },
    );
  });
});
