/**
 * Which index entries and which due time a document has. Sort keys begin with what a query fixes, then `/`, then the
 * time of creation as fixed-width digits, then the id, so that a scan of a prefix is in order of time.
 */
import { dueAtOf } from './domain/due.js';
import type { Alert, Card, Docs, DocKind, Media, Order, Vehicle } from './domain/model.js';
import type { DispatchSettings } from './domain/settings.js';

export interface DocDescription {
  indexes: (readonly [index: string, sortKey: string])[];
  dueAt?: number;
}

/** Milliseconds as 14 digits: bytewise order is the order of time until the year 5138. */
export function timeKey(at: number): string {
  return String(Math.max(0, Math.trunc(at))).padStart(14, '0');
}

type Describe<K extends DocKind> = (doc: Docs[K]) => DocDescription['indexes'];

const INDEXES: { [K in DocKind]?: Describe<K> } = {
  order: indexesOfOrder,
  vehicle: indexesOfVehicle,
  alert: indexesOfAlert,
  card: indexesOfCard,
  terminal: (doc) => [['terminals', doc.phone]],
  media: indexesOfMedia,
  alarms: (doc) => (Object.keys(doc.active).length > 0 ? [['alarms.active', doc.vehicleId]] : []),
  centre: (doc) => [['centres', doc.id]],
  unit: (doc) => [['units', doc.id]],
  account: (doc) => [['accounts', doc.name]],
  token: (doc) => [
    ['tokens', `${timeKey(doc.createdAt)}/${doc.id}`],
    ['tokens.sha256', doc.sha256],
  ],
  session: (doc) => [['sessions.account', `${doc.account}/${doc.id}`]],
  webhook: (doc) => [['webhooks', `${timeKey(doc.createdAt)}/${doc.id}`]],
};

function indexesOfOrder(order: Order): DocDescription['indexes'] {
  const tail = `${timeKey(order.createdAt)}/${order.id}`;
  const keys: [string, string][] = [
    ['orders', tail],
    ['orders.stage', `${order.stage}/${tail}`],
    ['orders.phone', `${order.customer.phone}/${tail}`],
    ['orders.number', order.number],
  ];
  if (order.repairCentreId !== undefined) {
    keys.push(['orders.centre', `${order.repairCentreId}/${tail}`]);
    keys.push(['orders.centreStage', `${order.repairCentreId}/${order.stage}/${tail}`]);
  }
  for (const vehicleId of new Set(order.legs.map((leg) => leg.vehicleId))) {
    keys.push(['orders.vehicle', `${vehicleId}/${tail}`]);
  }
  if (order.statusToken !== undefined) keys.push(['orders.statusToken', order.statusToken]);
  return keys;
}

function indexesOfVehicle(vehicle: Vehicle): DocDescription['indexes'] {
  return [
    ['vehicles', vehicle.id],
    ['vehicles.centre', `${vehicle.repairCentreId}/${vehicle.id}`],
    ['vehicles.plate', `${vehicle.plate}/${vehicle.id}`],
  ];
}

/** `alerts` holds all of them; `alerts.open` those that have not ended. */
function indexesOfAlert(alert: Alert): DocDescription['indexes'] {
  const tail = `${timeKey(alert.raisedAt)}/${alert.id}`;
  const keys: [string, string][] = [['alerts', tail]];
  if (alert.endedAt === undefined) keys.push(['alerts.open', tail]);
  if (alert.orderId !== undefined) keys.push(['alerts.order', `${alert.orderId}/${tail}`]);
  return keys;
}

/** By when it came: a terminal's clock may say anything. */
function indexesOfMedia(media: Media): DocDescription['indexes'] {
  const tail = `${timeKey(media.receivedAt)}/${media.id}`;
  const keys: [string, string][] = [
    ['media', tail],
    ['media.vehicle', `${media.vehicleId}/${tail}`],
  ];
  if (media.orderId !== undefined) keys.push(['media.order', `${media.orderId}/${tail}`]);
  return keys;
}

/** By kind; `cards.open` only those that wait for a person. */
function indexesOfCard(card: Card): DocDescription['indexes'] {
  const tail = `${timeKey(card.at)}/${card.id}`;
  const keys: [string, string][] = [['cards', `${card.kind}/${tail}`]];
  if (!card.resolved) keys.push(['cards.open', `${card.kind}/${tail}`]);
  return keys;
}

/** What the store keeps beside the document. */
export function describeDoc<K extends DocKind>(kind: K, doc: Docs[K], settings: DispatchSettings): DocDescription {
  const dueAt = dueAtOf(kind, doc, settings);
  const indexes = INDEXES[kind]?.(doc) ?? [];
  return dueAt === undefined ? { indexes } : { indexes, dueAt };
}
