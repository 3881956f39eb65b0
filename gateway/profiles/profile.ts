/**
 * How a kind of terminal is spoken to: for each kind of item, the messages that carry it. What an item means, when it
 * goes and what confirms it is decided in dispatch; a new dialect is a table of this type, not a condition elsewhere.
 */
import type { Delivery, Order, Outbox, Terminal, Vehicle } from '../../dispatch/domain/model.js';
import type { Edition, OutgoingMessage } from '../session/link.js';

/** Everything that an item may show, as it stood when the item was taken from the outbox. */
export interface RenderContext {
  readonly item: Delivery;
  readonly vehicle: Vehicle;
  readonly terminal: Terminal;
  readonly outbox: Outbox;
  /** Orders of the queue and of the item, by id. */
  readonly orders: ReadonlyMap<string, Order>;
  /** Bytes of the file that the item's function sends. */
  readonly file?: Uint8Array | undefined;
  readonly edition: Edition;
  readonly transport: 'tcp' | 'tls' | 'mqtt';
  /** Gateway time, ms UTC. */
  readonly now: number;
  /** End of the promise of an order, ms UTC. */
  deadlineOf(order: Order): number;
}

/** @throws CannotShow when this kind of terminal cannot carry the item */
export type Render = (context: RenderContext) => OutgoingMessage[];

export interface TerminalProfile {
  /** The content of one leg. */
  readonly order: Render;
  /** The queue: a snapshot or an event list. */
  readonly list: Render;
  /** A leg that must go from the terminal; on some terminals a text beside the list. */
  readonly recall: Render;
  readonly urge: Render;
  readonly notice: Render;
}

/** The item cannot be put into this terminal's words: it ends as refused, with this reason. */
export class CannotShow extends Error {
  override readonly name = 'CannotShow';
}

export function nothing(what: string): Render {
  return () => {
    throw new CannotShow(`this terminal shows no ${what}`);
  };
}

/** The order that an item is about. */
export function orderOf({ item, orders }: RenderContext): Order {
  const order = item.orderId === undefined ? undefined : orders.get(item.orderId);
  if (!order) throw new CannotShow(`order ${item.orderId ?? '(none)'} does not exist`);
  return order;
}
