/** Cards: what waits for a person. Conflict cards, attention list, proposals, quarantined evidence. */
import type { Card } from './model.js';
import { folding, type Reducers } from './tables.js';
import type { Tx } from './tx.js';

export interface CardRaised {
  card: Card;
}

export const cardReducers: Reducers = {
  'card.raised': folding<CardRaised>((docs, { data }) => docs.put('card', data.card.id, data.card)),
  'card.resolved': folding<{ cardId: string; resolved: NonNullable<Card['resolved']> }>((docs, { data }) => {
    const card = docs.get('card', data.cardId)!;
    docs.put('card', card.id, { ...card, resolved: data.resolved });
  }),
  'evidence.quarantined': folding<CardRaised>((docs, { data }) => docs.put('card', data.card.id, data.card)),
};

export type NewCard = Pick<Card, 'kind' | 'code' | 'message' | 'choices'> &
  Partial<Pick<Card, 'id' | 'orderId' | 'leg' | 'vehicleId' | 'centreId' | 'data' | 'bytesHex'>>;

/** Raises a card, unless the same one (by id) still waits; gives its id. */
export function raiseCard(tx: Tx, { id = tx.newId(), data = {}, ...rest }: NewCard): string {
  const before = tx.get('card', id);
  if (before && !before.resolved) return id;
  emitCard(tx, 'card.raised', { ...rest, id, data, at: tx.now });
  return id;
}

/** Pieces of evidence kept on one quarantine card; a terminal cannot grow it further, later ones are counted. */
export const QUARANTINE_ITEMS = 20;

export interface Evidence {
  /** Stable: unknownOrder, unknownEvent, malformed, … */
  code: string;
  message: string;
  vehicleId: string;
  orderId?: string;
  leg?: number;
  /** Distinguishes what shall be told separately (an event id, a message id). */
  about?: string;
  bytesHex?: string;
  data?: Record<string, unknown>;
}

/**
 * Keeps what a terminal said and nobody can use, with its proof. The dispatcher is told once: the same thing again from
 * the same vehicle is counted on the card that waits.
 */
export function quarantine(tx: Tx, evidence: Evidence): void {
  const { code, message, vehicleId, orderId, leg, about, bytesHex, data = {} } = evidence;
  const id = ['quarantine', vehicleId, code, orderId ?? '', leg ?? '', about ?? ''].join(':');
  const before = tx.get('card', id);
  const waiting = before && !before.resolved ? before : undefined;
  const items = (waiting?.data['items'] as unknown[] | undefined) ?? [];
  const count = ((waiting?.data['count'] as number | undefined) ?? 0) + 1;
  const item = { at: tx.now, ...data, ...(bytesHex === undefined ? {} : { bytesHex }) };
  emitCard(tx, 'evidence.quarantined', {
    id,
    kind: 'quarantine',
    code,
    message,
    vehicleId,
    ...(orderId === undefined ? {} : { orderId }),
    ...(leg === undefined ? {} : { leg }),
    ...(bytesHex === undefined ? {} : { bytesHex }),
    at: waiting?.at ?? tx.now,
    choices: ['seen'],
    data: { count, items: items.length < QUARANTINE_ITEMS ? [...items, item] : items },
  });
}

function emitCard(tx: Tx, type: string, card: Card): void {
  const centreId =
    card.centreId ?? (card.vehicleId === undefined ? undefined : tx.get('vehicle', card.vehicleId)?.repairCentreId);
  const full = centreId === undefined ? card : { ...card, centreId };
  tx.emit({ type, data: { card: full }, ...refsOf(full) });
}

function refsOf({
  orderId,
  leg,
  vehicleId,
  centreId,
}: Card): Partial<Record<'orderId' | 'vehicleId' | 'centreId', string>> & { leg?: number } {
  return {
    ...(orderId === undefined ? {} : { orderId }),
    ...(leg === undefined ? {} : { leg }),
    ...(vehicleId === undefined ? {} : { vehicleId }),
    ...(centreId === undefined ? {} : { centreId }),
  };
}

/** Resolves a card that waits: by choice, or because what it asked for was done another way. */
export function settleCards(tx: Tx, id: string, choice: string, note?: string): void {
  const card = tx.get('card', id);
  if (!card || card.resolved) return;
  const resolved = { at: tx.now, by: tx.actor.name, choice, ...(note === undefined ? {} : { note }) };
  tx.emit({ type: 'card.resolved', data: { cardId: id, resolved }, ...refsOf(card) });
}
