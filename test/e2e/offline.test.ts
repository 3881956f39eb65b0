import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Docs } from '../../dispatch/domain/model.js';
import { AppTerminal, MenuTerminal } from '../dispatch/delivery/terminals.js';
import { Service } from './support.js';
import { TcpTerminal } from './tcp-terminal.js';

/**
 * One vehicle, five orders; the terminal goes offline after two receipts, the gateway is restarted, the terminal comes
 * back: all five are on it exactly once, in the dispatcher's order. The third is recalled and disappears. What the crew
 * did while there was no link keeps its own time.
 */
const phone = '13800001234';
let service: Service;

beforeEach(async () => {
  service = await new Service().start();
});
afterEach(() => service.stop());

const leg = async (orderId: string): Promise<Docs['order']['legs'][number]> =>
  (await service.get('order', orderId)).legs[0]!;
const confirmed = (vehicleId: string) => async (): Promise<boolean> => {
  const { queue } = await service.get('vehicle', vehicleId);
  return (
    queue.revision > 0 && queue.confirmedRevision === queue.revision && queue.entries.every((entry) => !entry.recalling)
  );
};

/** Five orders; the dispatcher puts the last one first. */
async function fiveOrders(vehicleId: string): Promise<Docs['order'][]> {
  const orders: Docs['order'][] = [];
  for (let i = 0; i < 4; i++) orders.push(await service.assigned(vehicleId));
  orders.unshift(await service.assigned(vehicleId, 1));
  return orders;
}

it('reaches a terminal with the app', async () => {
  const vehicleId = await service.vehicle(phone, { profile: 'smart' });
  const orders = await fiveOrders(vehicleId);
  const app = new AppTerminal();
  const terminal = new TcpTerminal({ phone, edition: 2013 }, app);
  await terminal.connect(service.gateway.ports.tcp!, { orders: 2 });
  await terminal.gone();
  expect(app.contents.size).toBe(2);

  await service.restart();
  const acceptedAt = Date.now();
  await terminal.connect(service.gateway.ports.tcp!);
  await service.until(confirmed(vehicleId), 'the terminal confirms the queue');
  expect(app.shown()).toEqual(orders.map(({ id }) => id));
  expect([...app.arrived.values()]).toEqual([1, 1, 1, 1, 1]);
  for (const { id } of orders) expect((await leg(id)).state).toBe('delivered');

  const third = orders[2]!.id;
  await service.do({ type: 'order.recall', orderId: third, reason: 'wrong vehicle' });
  await service.until(async () => (await leg(third)).state === 'recalled', 'the recall is confirmed');
  await service.until(confirmed(vehicleId), 'the terminal confirms the shorter queue');
  expect(app.shown()).toEqual(orders.filter(({ id }) => id !== third).map(({ id }) => id));

  // Pressed without a link, told when there is one: the press counts, not the telling.
  await terminal.disconnect();
  await service.until(async () => (await service.get('vehicle', vehicleId)).link.state === 'down', 'the link is down');
  await terminal.connect(service.gateway.ports.tcp!);
  const first = orders[0]!.id;
  terminal.say({ type: 'report.action', orderId: first, leg: 1, action: 'accept', deviceAt: acceptedAt });
  await service.until(async () => (await leg(first)).state === 'accepted', 'the crew accepts');
  expect((await leg(first)).points.F).toMatchObject({ at: acceptedAt, rank: 'key' });
  await terminal.disconnect();
});

it('reaches a dispatch screen', async () => {
  const vehicleId = await service.vehicle(phone, {});
  const orders = await fiveOrders(vehicleId);
  const screen = new MenuTerminal();
  const terminal = new TcpTerminal({ phone, edition: 2013 }, screen);
  await terminal.connect(service.gateway.ports.tcp!, { orders: 2 });
  await terminal.gone();
  expect(screen.texts).toHaveLength(2);
  const receipted = async (): Promise<number> => {
    const items = (await service.get('outbox', vehicleId)).items;
    return items.filter((item) => item.kind === 'order' && item.state === 'receipted').length;
  };
  await service.until(async () => (await receipted()) === 2, 'two receipts are applied');

  await service.restart();
  await terminal.connect(service.gateway.ports.tcp!);
  await service.until(confirmed(vehicleId), 'the terminal confirms the list');
  const label = ({ number }: Docs['order']): string => number.slice(-4);
  expect(screen.shown()).toEqual(orders.map(label));
  expect(screen.texts.map((text) => text.split(' ')[0]).sort()).toEqual(orders.map(({ number }) => number).sort());

  const third = orders[2]!;
  await service.do({ type: 'order.recall', orderId: third.id, reason: 'wrong vehicle' });
  await service.until(async () => (await leg(third.id)).state === 'recalled', 'the recall is confirmed');
  expect(screen.shown()).toEqual(orders.filter(({ id }) => id !== third.id).map(label));
  await service.until(async () => screen.texts.includes(`${third.number} 已撤回`), 'the driver is told');

  const first = orders[0]!;
  terminal.press(screen.line(`${label(first)} 接单`));
  await service.until(async () => (await leg(first.id)).state === 'accepted', 'the crew accepts');
  await service.until(
    async () => screen.events.some(({ content }) => content === `${label(first)} 出发`),
    'the next step',
  );
  await terminal.disconnect();
});
