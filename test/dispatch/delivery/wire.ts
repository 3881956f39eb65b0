/**
 * A vehicle's link as a pair of lossy pipes, driven step by step: what the delivery loop does between the outbox and a
 * socket, without time of its own. Every order of events that a radio can make is a sequence of these steps.
 */
import type { Delivery, Docs } from '../../../dispatch/domain/model.js';
import { emptyOutbox, isOrderClass, nextStep } from '../../../dispatch/domain/outbox.js';
import { render } from '../../../gateway/profiles/index.js';
import type { OutgoingMessage } from '../../../gateway/session/link.js';
import type { World } from '../../support/dispatch.js';
import type { Said, SimTerminal } from './terminals.js';

export class Wire {
  up = false;
  readonly down: { deliveryId: string; messages: OutgoingMessage[] }[] = [];
  readonly back: Said[] = [];
  /** Kinds of items in the order in which they were written. */
  readonly written: { kind: Delivery['kind']; orderId?: string; retry: number }[] = [];
  #fence = 0;

  constructor(
    readonly world: World,
    readonly vehicleId: string,
    readonly phone: string,
    readonly terminal: SimTerminal,
  ) {}

  async connect(): Promise<void> {
    const { vehicleId, phone } = this;
    this.#clear();
    const link = { vehicleId, phone, address: '192.0.2.1', transport: 'tcp', node: 'n', fence: ++this.#fence } as const;
    await this.world.do({ type: 'link.up', ...link });
    this.up = true;
    this.back.push(...this.terminal.greet());
  }

  async disconnect(): Promise<void> {
    if (!this.up) return;
    const { vehicleId, phone } = this;
    this.up = false;
    this.#clear();
    await this.world.do({ type: 'link.down', vehicleId, phone, reason: 'radio', fence: this.#fence });
  }

  async outbox(): Promise<Docs['outbox']> {
    return (await this.world.dispatch.get('outbox', this.vehicleId))?.value ?? emptyOutbox(this.vehicleId);
  }

  async inFlight(): Promise<Delivery[]> {
    return (await this.outbox()).items.filter((item) => item.state === 'inFlight' && isOrderClass(item));
  }

  /** One step of the delivery loop. False when there is nothing to do now. */
  async step(): Promise<boolean> {
    if (!this.up) return false;
    const { world, vehicleId } = this;
    const outbox = await this.outbox();
    const step = nextStep(outbox, world.clock.now(), world.dispatch.settings.delivery);
    if (step.do === 'wait') return false;
    const { item } = step;
    if (step.do === 'giveUp') {
      await world.do({ type: 'delivery.unanswered', vehicleId, deliveryId: item.id });
      return true;
    }
    const messages = await this.#render(item, outbox);
    await world.do({ type: 'delivery.written', vehicleId, deliveryId: item.id, node: 'n' });
    const after = (await this.outbox()).items.find(({ id }) => id === item.id)!;
    this.written.push({ kind: item.kind, orderId: item.orderId, retry: after.attempts.at(-1)!.retry });
    this.down.push({ deliveryId: item.id, messages });
    return true;
  }

  /** The terminal takes the oldest item on the wire. */
  receive(copies = 1): boolean {
    const item = this.down.shift();
    for (let i = 0; item && i < copies; i++) this.back.push(...this.terminal.take(item.deliveryId, item.messages));
    return item !== undefined;
  }

  /** The oldest item on the wire is lost. */
  lose(): void {
    this.down.shift();
  }

  /** The gateway takes the terminal's oldest answer. */
  async answer(copies = 1): Promise<boolean> {
    const said = this.back.shift();
    if (!said) return false;
    for (let i = 0; i < copies; i++) await this.world.report({ ...said, vehicleId: this.vehicleId } as never);
    return true;
  }

  /** Until nothing moves: nothing to send, nothing on the wire, nothing unanswered. */
  async settle(limit = 400): Promise<void> {
    for (let i = 0; i < limit; i++) {
      if (await this.answer()) continue;
      if (this.receive()) continue;
      if (await this.step()) continue;
      return;
    }
    throw new Error('it does not come to rest');
  }

  async #render(item: Delivery, outbox: Docs['outbox']): Promise<OutgoingMessage[]> {
    const { dispatch, clock } = this.world;
    const vehicle = (await dispatch.get('vehicle', this.vehicleId))!.value;
    const terminal = (await dispatch.get('terminal', this.phone))!.value;
    const orders = new Map<string, Docs['order']>();
    const page = await dispatch.scan({ index: 'orders', limit: 1000 });
    for (const doc of page.items) orders.set(doc.id, doc.value as Docs['order']);
    const rest = { edition: 2013, transport: 'tcp', now: clock.now(), deadlineOf: () => 0 } as const;
    return render({ item, vehicle, terminal, outbox, orders, ...rest });
  }

  #clear(): void {
    this.down.length = 0;
    this.back.length = 0;
  }
}
