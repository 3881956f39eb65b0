import type { StoredEvent } from '../domain/events.js';
import type { Alert, Card } from '../domain/model.js';
import { iso, plain, plainObject } from './json.js';

export function eventView(event: StoredEvent): Record<string, unknown> {
  const {
    position,
    type,
    orderId,
    leg,
    vehicleId,
    centreId,
    source,
    by,
    deviceAt,
    receivedAt,
    committedAt,
    frame,
    data,
  } = event;
  return {
    position,
    type,
    orderId,
    leg,
    vehicleId,
    centreId,
    source,
    by,
    ...(deviceAt === undefined ? {} : { deviceAt: iso(deviceAt) }),
    receivedAt: iso(receivedAt),
    committedAt: iso(committedAt),
    frame,
    data: plainObject(data as object | undefined),
  };
}

export const alertView = (alert: Alert, version: number): Record<string, unknown> => ({
  ...plainObject(alert),
  version,
});

/** The title of an alert or card is a template of our own; everything inside is text, never markup. */
export function cardView(card: Card, version: number): Record<string, unknown> {
  return { ...plainObject(card), data: plain(card.data ?? {}), version };
}
