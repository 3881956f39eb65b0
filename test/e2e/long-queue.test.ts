import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Docs } from '../../dispatch/domain/model.js';
import { AppTerminal } from '../dispatch/delivery/terminals.js';
import type { TerminalForm } from '../gateway/support/frames.js';
import { Service } from './support.js';
import { TcpTerminal } from './tcp-terminal.js';

/** A full queue (20 legs, the limit of the domain) on a smart terminal: its list is longer than a frame of JT/T 808. */
let service: Service;
beforeEach(async () => {
  service = await new Service().start();
});
afterEach(() => service.stop());

it.each([2013, 2019] as const)('twenty orders reach a smart terminal of %d whole and in order', async (edition) => {
  const form: TerminalForm = { phone: '13800007777', edition };
  const vehicleId = await service.vehicle(form.phone, { profile: 'smart' });
  const orders: Docs['order'][] = [];
  for (let i = 0; i < 20; i++) orders.push(await service.assigned(vehicleId));
  const terminal = new TcpTerminal(form, new AppTerminal());
  await terminal.connect(service.gateway.ports.tcp!);
  const confirmed = async (): Promise<boolean> => {
    const { queue } = await service.get('vehicle', vehicleId);
    return queue.revision > 0 && queue.confirmedRevision === queue.revision;
  };
  await service.until(confirmed, 'the terminal confirms the queue');
  expect(terminal.app.shown()).toEqual(orders.map(({ id }) => id));
  const lists = terminal.client.answers.of(0x8900).filter(({ total }) => total > 1);
  expect(lists.length).toBeGreaterThan(0);
  // Connected anew, it says what it holds: more than a frame has room for, too.
  await terminal.disconnect();
  await service.until(async () => (await service.get('vehicle', vehicleId)).link.state === 'down', 'the link is down');
  await terminal.connect(service.gateway.ports.tcp!);
  await service.do({ type: 'order.recall', orderId: orders[11]!.id, reason: 'wrong vehicle' });
  await service.until(
    async () => (await service.get('order', orders[11]!.id)).legs[0]!.state === 'recalled',
    'the recall is confirmed',
  );
  await service.until(confirmed, 'the terminal confirms the shorter queue');
  expect(terminal.app.shown()).toEqual(orders.filter((_order, i) => i !== 11).map(({ id }) => id));
  await terminal.disconnect();
});
