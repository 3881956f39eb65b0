import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../support/dispatch.js';
import { AppTerminal, MenuTerminal } from './terminals.js';
import { Wire } from './wire.js';

const PHONE = '13000000001';
let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(async () => {
  await world.checkReplay();
  await world.close();
});

async function smart(): Promise<{ wire: Wire; terminal: AppTerminal }> {
  await world.vehicle('v1');
  const terminal = new AppTerminal();
  return { wire: new Wire(world, 'v1', PHONE, terminal), terminal };
}
async function menu(options: object = {}): Promise<{ wire: Wire; terminal: MenuTerminal }> {
  await world.vehicle('v1', { terminal: { phone: PHONE, profile: 'menu', options } });
  const terminal = new MenuTerminal();
  return { wire: new Wire(world, 'v1', PHONE, terminal), terminal };
}
const label = async (orderId: string): Promise<string> => (await world.order(orderId)).number.slice(-4);

describe('a terminal with the app', () => {
  it('receives five orders in the dispatcher’s order and confirms the revision', async () => {
    const { wire, terminal } = await smart();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await world.orderWith('v1'));
    await wire.connect();
    await wire.settle();
    expect(terminal.shown()).toEqual(ids);
    const { queue } = await world.vehicleDoc('v1');
    expect(queue.confirmedRevision).toBe(queue.revision);
    for (const id of ids) expect((await world.leg(id)).state).toBe('delivered');
    expect([...terminal.arrived.values()]).toEqual([1, 1, 1, 1, 1]);
  });

  it('is not asked for what never was on the wire: the recall is confirmed at once', async () => {
    const { wire, terminal } = await smart();
    const orderId = await world.orderWith('v1');
    await world.do({ type: 'order.recall', orderId, reason: 'wrong' });
    expect(await world.leg(orderId)).toMatchObject({ state: 'recalled', recall: { how: 'neverGotIt' } });
    await wire.connect();
    await wire.settle();
    expect(terminal.arrived.size).toBe(0);
    expect(wire.written.every(({ kind }) => kind === 'revision')).toBe(true);
  });

  it('takes a recall before what is not written yet, and confirms the removal', async () => {
    const { wire, terminal } = await smart();
    const first = await world.orderWith('v1');
    await wire.connect();
    await wire.settle();
    await world.orderWith('v1');
    await world.orderWith('v1', 'queued', { priority: 'urgent' });
    await world.do({ type: 'order.recall', orderId: first, reason: 'wrong' });
    expect((await world.leg(first)).state).toBe('recalling');
    wire.written.length = 0;
    await wire.settle();
    expect(wire.written.map(({ kind }) => kind)).toEqual(['recall', 'urgentOrder', 'order', 'revision']);
    expect(await world.leg(first)).toMatchObject({ state: 'recalled', recall: { how: 'terminal' } });
    expect(terminal.shown()).not.toContain(first);
  });

  it('holds one order-class item in flight; the recall waits for its answer, not for the queue behind it', async () => {
    const { wire } = await smart();
    const first = await world.orderWith('v1');
    await world.orderWith('v1');
    await wire.connect();
    await wire.answer(); // holdings
    await wire.step();
    expect(await wire.inFlight()).toHaveLength(1);
    expect(await wire.step()).toBe(false);
    await world.do({ type: 'order.recall', orderId: first, reason: 'wrong' });
    expect(await wire.step()).toBe(false);
    await wire.settle();
    expect((await world.leg(first)).state).toBe('recalled');
  });

  it('0x0001 only ends retransmission: E is the receipt of the application', async () => {
    const { wire, terminal } = await smart();
    const orderId = await world.orderWith('v1');
    await wire.connect();
    await wire.answer();
    while ((await wire.inFlight())[0]?.kind !== 'order') {
      await wire.step();
      if ((await wire.inFlight())[0]?.kind === 'order') break;
      wire.receive();
      await wire.answer();
    }
    const [item] = await wire.inFlight();
    const quoted = {
      type: 'report.receipt',
      vehicleId: 'v1',
      deliveryId: item!.id,
      result: 'ok',
      ofApplication: false,
    } as const;
    await world.report(quoted);
    expect((await world.leg(orderId)).state).toBe('sent');
    world.clock.advance(10_000);
    expect(await wire.step()).toBe(false); // no retransmission
    wire.receive();
    await wire.answer();
    expect((await world.leg(orderId)).state).toBe('delivered');
    expect(terminal.arrived.size).toBe(1);
  });

  it('retries after T, 2T, 6T, then sets aside, goes on, and tries again every five minutes', async () => {
    const { wire } = await smart();
    await wire.connect();
    await wire.settle();
    const orderId = await world.orderWith('v1');
    await world.do({ type: 'vehicle.message', vehicleId: 'v1', text: 'hello' });
    const start = world.clock.now();
    const times: number[] = [];
    for (let second = 0; second <= 100; second++) {
      while (await wire.step()) {
        if (wire.written.at(-1)!.kind === 'order') times.push((world.clock.now() - start) / 1000);
        wire.lose();
        if ((await wire.outbox()).items.some(({ state }) => state === 'unanswered')) break;
      }
      world.clock.advance(1000);
    }
    expect(times.filter((at, i) => times.indexOf(at) === i)).toEqual([0, 10, 30, 90]);
    const states = (await wire.outbox()).items.filter((item) => item.orderId === orderId).map(({ state }) => state);
    expect(states).toEqual(['unanswered']);
    expect((await world.leg(orderId)).state).toBe('sent');
    world.clock.advance(300_000);
    await wire.settle();
    expect((await world.leg(orderId)).state).toBe('delivered');
  });

  it('a refused order is shown as refused, once, and tried again on the next link only', async () => {
    const { wire } = await smart();
    await wire.connect();
    await wire.settle();
    const orderId = await world.orderWith('v1');
    const refuse = async (): Promise<void> => {
      await wire.step();
      const { deliveryId } = wire.down.shift()!;
      await world.report({ type: 'report.receipt', vehicleId: 'v1', deliveryId, result: 'full', ofApplication: true });
    };
    await refuse();
    await wire.settle();
    const orders = async (): Promise<string[]> =>
      (await wire.outbox()).items
        .filter((item) => item.kind === 'order' && item.orderId === orderId)
        .map(({ state }) => state);
    expect(await orders()).toEqual(['refused']);
    world.clock.advance(1000);
    await wire.disconnect();
    await wire.connect();
    await wire.settle();
    expect(await orders()).toEqual(['refused', 'receipted']);
    expect((await world.leg(orderId)).state).toBe('delivered');
  });

  it('gets again what it lost, as the same leg, and E and F stay', async () => {
    const { wire, terminal } = await smart();
    const orderId = await world.orderWith('v1');
    await wire.connect();
    await wire.settle();
    await world.report({
      type: 'report.action',
      vehicleId: 'v1',
      orderId,
      leg: 1,
      action: 'accept',
      deviceAt: world.clock.now(),
    });
    const before = (await world.leg(orderId)).points;
    world.minutes(3);
    await wire.disconnect();
    terminal.reboot();
    await wire.connect();
    await wire.settle();
    expect(terminal.shown()).toEqual([orderId]);
    const leg = await world.leg(orderId);
    expect(leg.state).toBe('accepted');
    expect(leg.points.E).toEqual(before.E);
    expect(leg.points.F).toEqual(before.F);
  });

  it('is told to remove what it shows but should not', async () => {
    const { wire, terminal } = await smart();
    await wire.connect();
    await wire.settle();
    terminal.contents.set('ghost/1', { orderId: 'ghost', leg: 1, contentVersion: 1 });
    await wire.disconnect();
    await wire.connect();
    await wire.settle();
    expect(terminal.contents.size).toBe(0);
    expect(terminal.tombstones.has('ghost/1')).toBe(true);
  });

  it('is not told to remove what its crew has done meanwhile: the next list takes it off', async () => {
    const { wire, terminal } = await smart();
    const done = await world.orderWith('v1');
    await wire.connect();
    await wire.settle();
    await wire.disconnect();
    await world.do({ type: 'order.complete', orderId: done });
    const next = await world.orderWith('v1');
    await wire.connect();
    await wire.settle();
    expect(terminal.shown()).toEqual([next]);
    expect([...terminal.contents.keys()]).toEqual([`${next}/1`]);
    expect(wire.written.map(({ kind }) => kind)).not.toContain('recall');
    const { queue } = await world.vehicleDoc('v1');
    expect(queue.confirmedRevision).toBe(queue.revision);
  });

  it('can have an order cancelled before it is sent, not after', async () => {
    const { wire } = await smart();
    const orderId = await world.orderWith('v1');
    const item = (await wire.outbox()).items.find(({ kind }) => kind === 'order')!;
    await world.do({ type: 'delivery.cancel', vehicleId: 'v1', deliveryId: item.id });
    await wire.connect();
    await wire.settle();
    expect((await world.leg(orderId)).state).toBe('queued');
    await world.do({ type: 'vehicle.resend', vehicleId: 'v1' });
    await wire.settle();
    expect((await world.leg(orderId)).state).toBe('delivered');
    const sent = (await wire.outbox()).items.filter(({ kind }) => kind === 'order').at(-1)!;
    const refusal = await world.refused({ type: 'delivery.cancel', vehicleId: 'v1', deliveryId: sent.id });
    expect(refusal.code).toBe('alreadySent');
  });

  it('shows as many legs as it has room for, and is fed the rest', async () => {
    const { wire, terminal } = await smart();
    const ids: string[] = [];
    await world.do({ type: 'vehicle.edit', vehicleId: 'v1', changes: { terminal: { options: { maxLegs: 12 } } } });
    for (let i = 0; i < 14; i++) ids.push(await world.orderWith('v1'));
    await wire.connect();
    await wire.settle();
    expect(terminal.shown()).toEqual(ids.slice(0, 12));
    const { queue } = await world.vehicleDoc('v1');
    expect(queue.confirmedRevision).toBe(queue.revision);
    await world.do({ type: 'order.recall', orderId: ids[0]!, reason: 'wrong' });
    await wire.settle();
    expect(terminal.shown()).toEqual(ids.slice(1, 13));
  });
});

describe('a dispatch screen', () => {
  it('shows each order once as text, and the steps that are possible now in queue order', async () => {
    const { wire, terminal } = await menu();
    const a = await world.orderWith('v1');
    const b = await world.orderWith('v1', 'accepted');
    await wire.connect();
    await wire.settle();
    expect(terminal.texts.map((text) => text.split(' ')[0])).toEqual([
      (await world.order(a)).number,
      (await world.order(b)).number,
    ]);
    const [la, lb] = [await label(a), await label(b)];
    expect(terminal.events.map(({ content }) => content)).toEqual([
      `${la} 接单`, `${la} 拒绝`, `${lb} 出发`, `${lb} 拒绝`, '暂离', '待命',
    ]); // prettier-ignore
    const { queue } = await world.vehicleDoc('v1');
    expect(queue.confirmedRevision).toBe(queue.revision);
  });

  it('leads an order through its steps by event ids of their own', async () => {
    const { wire, terminal } = await menu();
    const orderId = await world.orderWith('v1');
    const l = await label(orderId);
    await wire.connect();
    await wire.settle();
    const used = new Set<number>();
    for (const [step, state] of [
      ['接单', 'accepted'],
      ['出发', 'enRoute'],
      ['到达', 'onSite'],
      ['完成', 'workDone'],
    ] as const) {
      const eventId = terminal.line(`${l} ${step}`);
      used.add(eventId);
      world.minutes(1);
      await world.report({ type: 'report.menuEvent', vehicleId: 'v1', eventId });
      expect((await world.leg(orderId)).state).toBe(state);
      await wire.settle();
    }
    expect(used.size).toBe(4);
    expect(terminal.shown()).toEqual([]);
    expect(terminal.texts).toHaveLength(1);
  });

  it('understands a press on a list that it kept although it confirmed a newer one', async () => {
    const { wire, terminal } = await menu();
    const orderId = await world.orderWith('v1');
    const l = await label(orderId);
    await wire.connect();
    await wire.settle();
    const refuse = terminal.line(`${l} 拒绝`);
    await world.report({ type: 'report.menuEvent', vehicleId: 'v1', eventId: terminal.line(`${l} 接单`) });
    await world.report({ type: 'report.menuEvent', vehicleId: 'v1', eventId: terminal.line(`${l} 接单`) });
    await wire.settle();
    expect((await world.leg(orderId)).state).toBe('accepted');
    await world.report({ type: 'report.menuEvent', vehicleId: 'v1', eventId: refuse });
    expect((await world.leg(orderId)).state).toBe('rejected');
  });

  it('an id keeps its meaning until a list without it was confirmed and a day has passed', async () => {
    const { wire, terminal } = await menu();
    const seen = new Map<number, { meaning: string; until: number }>();
    await wire.connect();
    for (let i = 0; i < 140; i++) {
      const orderId = await world.orderWith('v1');
      await wire.settle();
      for (const { id, content } of terminal.events) {
        const meaning = content.includes(' ') ? `${orderId} ${content}` : content;
        const before = seen.get(id);
        if (before && before.meaning !== meaning) expect(world.clock.now()).toBeGreaterThanOrEqual(before.until);
        seen.set(id, { meaning, until: world.clock.now() + 86_400_000 });
      }
      await world.do({ type: 'order.withdraw', orderId, reason: 'test' });
      await wire.settle();
      world.minutes(i === 120 ? 1500 : 1);
      if (i === 100) expect(Math.max(...seen.keys())).toBeGreaterThan(200);
    }
    expect(Math.max(...seen.keys())).toBeLessThanOrEqual(255);
    expect(terminal.events.length).toBeLessThanOrEqual(32);
  });

  it('an id that no list had is quarantined, and the dispatcher told once', async () => {
    const { wire } = await menu();
    await wire.connect();
    await wire.settle();
    await world.report({ type: 'report.menuEvent', vehicleId: 'v1', eventId: 200 });
    await world.report({ type: 'report.menuEvent', vehicleId: 'v1', eventId: 200 });
    const cards = (await world.cards()).filter(({ code }) => code === 'unknownEvent');
    expect(cards).toHaveLength(1);
    expect(cards[0]).toMatchObject({ kind: 'quarantine', vehicleId: 'v1', data: { count: 2 } });
  });

  it('a recall is a new list and a text; the confirmed list without the order is the removal', async () => {
    const { wire, terminal } = await menu();
    const a = await world.orderWith('v1');
    const b = await world.orderWith('v1');
    await wire.connect();
    await wire.settle();
    await world.do({ type: 'order.recall', orderId: a, reason: 'wrong' });
    expect((await world.leg(a)).state).toBe('recalling');
    await wire.settle();
    expect(terminal.texts.at(-1)).toBe(`${(await world.order(a)).number} 已撤回`);
    expect(terminal.shown()).toEqual([await label(b)]);
    expect(await world.leg(a)).toMatchObject({ state: 'recalled', recall: { how: 'terminal' } });
  });

  it('gets its list again after every link, its texts only when another device took its place', async () => {
    const { wire, terminal } = await menu();
    await register('d1');
    await world.orderWith('v1');
    await wire.connect();
    await wire.settle();
    expect(terminal.texts).toHaveLength(1);
    terminal.reboot();
    await wire.disconnect();
    await wire.connect();
    await wire.settle();
    expect(terminal.events.length).toBeGreaterThan(2);
    expect(terminal.texts).toHaveLength(1);
    expect(await register('d2')).toMatchObject({ result: 4, reason: 'otherIdentity' });
    await world.do({ type: 'terminal.acceptSwap', phone: PHONE });
    await register('d2');
    await wire.disconnect();
    await wire.connect();
    await wire.settle();
    expect(terminal.texts).toHaveLength(2);
  });

  it('legs that do not fit wait, and are fed when there is room', async () => {
    const { wire, terminal } = await menu({ maxEvents: 8 });
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await world.orderWith('v1'));
    await wire.connect();
    await wire.settle();
    expect(terminal.shown()).toEqual([await label(ids[0]!), await label(ids[1]!), await label(ids[2]!)]);
    expect(terminal.texts).toHaveLength(3);
    await world.do({ type: 'order.withdraw', orderId: ids[0]!, reason: 'test' });
    await wire.settle();
    expect(terminal.shown()).toEqual([await label(ids[1]!), await label(ids[2]!), await label(ids[3]!)]);
  });

  it('deletes first where the firmware would add', async () => {
    const { wire, terminal } = await menu({ listUpdate: 'deleteAndAppend' });
    await world.orderWith('v1');
    await wire.connect();
    await wire.settle();
    await wire.disconnect();
    await wire.connect();
    await wire.settle();
    expect(terminal.events).toHaveLength(4);
  });

  async function register(terminalId: string): Promise<Record<string, unknown>> {
    return world.do({
      type: 'link.register',
      phone: PHONE,
      identity: { maker: 'M', model: 'X', terminalId },
      edition: 2013,
      plate: '京A1',
      address: '192.0.2.1',
      enrolment: 'known',
      codeSha256: `${terminalId}${'0'.repeat(60)}`,
    });
  }
});
