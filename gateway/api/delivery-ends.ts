/** Lets a request wait for the end of a delivery: one follower of the event log for all that wait. */
import type { StoredEvent } from '../../dispatch/domain/events.js';
import type { Delivery } from '../../dispatch/domain/model.js';
import type { DispatchPort } from '../../dispatch/ports.js';

/** Requests that wait at the same time; more are answered without waiting. */
const waitersMax = 500;

const ENDS = new Set(['delivery.receipted', 'delivery.refused', 'delivery.voided', 'delivery.expired']);

export class DeliveryEnds {
  readonly #waiting = new Map<string, Set<() => void>>();
  #follow: { cancel(): void } | undefined;
  #size = 0;

  constructor(private readonly dispatch: DispatchPort) {}

  async start(): Promise<void> {
    const after = await this.dispatch.store.lastPosition();
    this.#follow = this.dispatch.follow(after, (events) => this.#heed(events));
  }

  stop(): void {
    this.#follow?.cancel();
    for (const waiters of this.#waiting.values()) for (const wake of waiters) wake();
  }

  /** The delivery when it has ended with all that it waits for, or as it is after `ms` of gateway time. */
  async wait(vehicleId: string, deliveryId: string, ms: number): Promise<Delivery | undefined> {
    let over = this.#size >= waitersMax;
    let wake = (): void => {};
    const timer = this.dispatch.clock.after(ms, () => {
      over = true;
      wake();
    });
    const waiters = this.#waiting.get(deliveryId) ?? new Set();
    const woken = (): void => wake();
    this.#waiting.set(deliveryId, waiters.add(woken));
    this.#size++;
    try {
      for (;;) {
        // Before the look: what happens during it is not missed.
        const news = new Promise<void>((resolve) => (wake = resolve));
        const item = (await this.dispatch.get('outbox', vehicleId))?.value.items.find(({ id }) => id === deliveryId);
        if (item === undefined || over || isComplete(item)) return item;
        await news;
      }
    } finally {
      timer.cancel();
      this.#size--;
      waiters.delete(woken);
      if (waiters.size === 0) this.#waiting.delete(deliveryId);
    }
  }

  #heed(events: readonly StoredEvent[]): void {
    if (this.#waiting.size === 0) return;
    for (const { type, data } of events) {
      if (!ENDS.has(type) && type !== 'delivery.answered') continue;
      for (const wake of this.#waiting.get((data as { deliveryId: string }).deliveryId) ?? []) wake();
    }
  }
}

/** A receipt is the end, unless an answer is still to come. */
function isComplete({ state, command, answer }: Delivery): boolean {
  if (state === 'receipted') return command?.awaits === undefined || answer !== undefined;
  return state === 'refused' || state === 'voided' || state === 'expired';
}
