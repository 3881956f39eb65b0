/** The evidence sheet behind the control socket, on an idle store, and at the API: one way to make it. */
import { z } from 'zod';
import type { ApiPlugin } from '../../dispatch/api/server.js';
import { route } from '../../dispatch/api/http/route.js';
import { byId } from '../../dispatch/api/schemas/common.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import type { ControlHandlers } from '../control.js';
import { makeSheet, orderIdOf, type EvidenceStore } from './sheet.js';
import { verifySheet } from './verify.js';

export function evidenceHandlers(store: EvidenceStore, now: () => number): ControlHandlers {
  return {
    'evidence.sheet': async ({ order }) =>
      makeSheet(store, { orderId: await orderIdOf(store, String(order)), madeAt: now() }),
    'evidence.verify': ({ sheet }) => verifySheet(store, sheet),
  };
}

const time = z.iso.datetime({ precision: 3 });
const item = z
  .object({
    cycle: z.int(),
    leg: z.int().optional(),
    vehicleId: z.string().optional(),
    point: z.string(),
    at: time,
    rawAt: time.optional(),
    source: z.string(),
    rank: z.string(),
    by: z.string(),
    flags: z.array(z.string()),
    deviceAt: time.optional(),
    receivedAt: time,
    committedAt: time,
    clockOffsetMs: z
      .number()
      .optional()
      .meta({ description: 'Taken off `deviceAt`: terminal clock minus gateway clock' }),
    place: z
      .object({ lat: z.number(), lon: z.number(), from: z.enum(['statement', 'track']), deviceAt: time.optional() })
      .optional(),
    frame: z
      .object({
        node: z.string(),
        sequence: z.int(),
        index: z.int(),
        kind: z.string().optional(),
        receivedAt: time.optional(),
        bytesHex: z.string().nullable().meta({ description: 'null where the ingest log no longer holds it' }),
      })
      .optional(),
    eventPositions: z.array(z.int()),
  })
  .meta({ id: 'EvidenceItem' });
const sheet = z
  .object({
    format: z.string(),
    order: z.object({ id: z.string(), number: z.string() }),
    madeAt: time,
    upToPosition: z.int(),
    stamps: z.array(item),
    claims: z.array(item),
    events: z.array(
      z.object({ position: z.int(), type: z.string(), source: z.string(), by: z.string(), committedAt: time }),
    ),
    sha256: z.string().meta({ description: 'Over the canonical form (RFC 8785) of all the rest' }),
  })
  .meta({ id: 'EvidenceSheet' });

/** `GET /orders/{id}/evidence-sheet`: the raw frames lie in the gateway's log, so the gateway brings this route. */
export function evidencePlugin(dispatch: Pick<DispatchPort, 'store' | 'clock'>): ApiPlugin {
  return (_app, api) =>
    api.route(
      route({
        method: 'GET',
        path: '/orders/{id}/evidence-sheet',
        tag: 'Orders',
        right: 'order.read',
        params: byId,
        audit: true,
        summary: 'Every stamp of an order with its proof, and a hash over it',
        description:
          'Source, raw frame, place, clock offset and event-log positions of every claim and stamp. `linecrew verify FILE` holds the saved answer against the store.',
        responses: { 200: { description: 'The evidence sheet', schema: sheet } },
        async handler({ guard, params }) {
          const { value } = await guard.read('order.read', 'order', params.id);
          return makeSheet(dispatch.store, { orderId: value.id, madeAt: dispatch.clock.now() });
        },
      }),
    );
}
