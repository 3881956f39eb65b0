/** What was sent to terminals in a period and how it went, from the events of deliveries in the log. */
import type { StoredEvent } from '../domain/events.js';
import type { Delivery, DeliveryAttempt } from '../domain/model.js';
import { iso, isoOrUndefined } from '../views/json.js';
import { median, percentile } from './figures.js';

export interface DeliveryRow extends Record<string, unknown> {
  deliveryId: string;
  vehicleId: string | undefined;
  kind: string | undefined;
  state: string;
  attempts: number;
  /** From queued to receipted. */
  elapsedMs: number | null;
}

interface Known {
  item?: Delivery;
  event: StoredEvent;
  state: string;
  queuedAt?: number;
  firstSentAt?: number;
  endedAt?: number;
  attempts: number;
  result?: string;
}

/** Deliveries held while a report is made. */
const MAX_ROWS = 50_000;

/** Takes events in order; gives a row for each delivery that they are about. */
export class DeliveryTally {
  readonly #known = new Map<string, Known>();
  truncated = false;

  take(event: StoredEvent): void {
    const data = event.data as
      { deliveryId?: string; item?: Delivery; attempt?: DeliveryAttempt; result?: string } | undefined;
    const id = data?.deliveryId ?? data?.item?.id;
    if (id === undefined) return;
    let known = this.#known.get(id);
    if (!known) {
      if (this.#known.size >= MAX_ROWS) return void (this.truncated = true);
      known = { event, state: 'queued', attempts: 0 };
      this.#known.set(id, known);
    }
    const state = event.type.slice('delivery.'.length);
    if (STATES.has(state)) known.state = state;
    if (data?.item) [known.item, known.queuedAt] = [data.item, event.committedAt];
    if (state === 'inFlight')
      [known.attempts, known.firstSentAt] = [known.attempts + 1, known.firstSentAt ?? event.committedAt];
    if (ENDS.has(state)) known.endedAt = event.committedAt;
    if (data?.result !== undefined) known.result = data.result;
  }

  rows(): DeliveryRow[] {
    return [...this.#known].map(([deliveryId, known]) => ({
      deliveryId,
      kind: known.item?.kind,
      vehicleId: known.event.vehicleId,
      centreId: known.event.centreId,
      orderId: known.event.orderId,
      leg: known.event.leg,
      state: known.state,
      attempts: known.attempts,
      queuedAt: isoOrUndefined(known.queuedAt),
      firstSentAt: isoOrUndefined(known.firstSentAt),
      endedAt: isoOrUndefined(known.endedAt),
      result: known.result,
      elapsedMs: known.state === 'receipted' && known.queuedAt !== undefined ? known.endedAt! - known.queuedAt : null,
    }));
  }
}

const STATES = new Set(['queued', 'inFlight', 'unanswered', 'receipted', 'refused', 'voided', 'expired']);
const ENDS = new Set(['receipted', 'refused', 'voided', 'expired']);

export const DELIVERY_COLUMNS = [
  'deliveryId', 'kind', 'vehicleId', 'orderId', 'leg', 'state', 'attempts', 'queuedAt', 'firstSentAt', 'endedAt', 'elapsedMs', 'result',
] as const; // prettier-ignore

export function deliverySummary(rows: readonly DeliveryRow[]): Record<string, unknown>[] {
  const kinds = [...new Set(rows.map((row) => row.kind ?? 'unknown'))].sort();
  return kinds.map((kind) => {
    const own = rows.filter((row) => (row.kind ?? 'unknown') === kind);
    const elapsed = own.flatMap((row) => row.elapsedMs ?? []).sort((a, b) => a - b);
    const count = (state: string): number => own.filter((row) => row.state === state).length;
    return {
      kind,
      count: own.length,
      receipted: count('receipted'),
      refused: count('refused'),
      unanswered: count('unanswered'),
      /** Queued or in flight: with the others, `count`. */
      open: count('queued') + count('inFlight'),
      voided: count('voided'),
      expired: count('expired'),
      medianMs: median(elapsed),
      p90Ms: percentile(elapsed, 0.9),
    };
  });
}

export const periodOf = (from: number, to: number): { from: string; to: string } => ({ from: iso(from), to: iso(to) });
