/** The event log: in pages, and live. */
import { z } from 'zod';
import { eventView } from '../../views/event.js';
import { HANDLED, route, type Route } from '../http/route.js';
import { Problem } from '../http/problem.js';
import {
  DEFAULT_PAGE,
  flag,
  id,
  longitude,
  latitude,
  pageOf,
  pageQuery,
  position,
  wholeNumber,
} from '../schemas/common.js';
import { event } from '../schemas/event.js';
import { typeFilter } from '../../event-types.js';
import { checkTypes } from '../wanted-types.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Events';
const types = z.string().max(500).optional().meta({ description: 'With commas; `order.*` takes all of a subject' });
/** `minLon,minLat,maxLon,maxLat` */
const bbox = z
  .string()
  .transform((text) => text.split(',').map(Number))
  .pipe(z.tuple([longitude, latitude, longitude, latitude]))
  .refine(([west, south, east, north]) => west <= east && south <= north, {
    error: () => 'expected minLon,minLat,maxLon,maxLat',
  })
  .meta({ description: '`minLon,minLat,maxLon,maxLat`', example: '120.9,30.6,122.1,31.9' });

/** Events looked at for one page when most are filtered out. */
const MAX_LOOKED_AT = 20_000;

export function eventRoutes({ dispatch, streams }: RouteDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/events',
      tag: TAG,
      right: 'event.read',
      audit: true,
      summary: 'The event log from a position on, oldest first',
      description:
        '`after` is a position (0 = from the beginning). `next` is the position to go on from; it is there as long as more may follow.',
      query: z.strictObject({
        limit: pageQuery.limit,
        after: position.optional(),
        types,
        order: id.optional(),
        vehicle: id.optional(),
      }),
      responses: { 200: { description: 'A page of events', schema: pageOf(event).extend({ lastPosition: z.int() }) } },
      async handler({ guard, query }) {
        const wanted = query.limit ?? DEFAULT_PAGE;
        checkTypes(query.types, { parameter: 'types' });
        const matches = typeFilter(query.types);
        const ref =
          query.order !== undefined
            ? `order:${query.order}`
            : query.vehicle !== undefined
              ? `vehicle:${query.vehicle}`
              : undefined;
        const lastPosition = await dispatch.store.lastPosition();
        const items: Record<string, unknown>[] = [];
        let after = query.after ?? 0;
        for (let looked = 0; looked < MAX_LOOKED_AT;) {
          const found = await dispatch.eventsAfter(after, 500, ref);
          for (const one of found) {
            if (items.length >= wanted) return { items, next: String(after), lastPosition };
            after = one.position;
            const fits = matches(one.type) && (query.vehicle === undefined || one.vehicleId === query.vehicle);
            if (fits && (await guard.seesEvent('event.read', one))) items.push(eventView(one));
          }
          looked += found.length;
          if (found.length < 500) return { items, lastPosition };
        }
        return { items, next: String(after), lastPosition };
      },
    }),
    route({
      method: 'GET',
      path: '/stream',
      tag: TAG,
      right: 'event.stream',
      summary: 'The event log live, as server-sent events',
      description:
        'Each message is one event (`id` = its position, `data` = the event). A client that sends `Last-Event-ID` (or `?after=`) misses nothing; ' +
        'without one the stream begins now. `?positions=1` adds messages `event: positions` with the newest position of each vehicle that moved, ' +
        'at most one a second, limited to `bbox` (what leaves it is told once more, from outside); `elsewhere=SECONDS` adds what lies outside of it, or without ' +
        'a box everything, at most that often. With `?form=rows` each as `[vehicleId, lat, lon, headingDeg, speedKmh, deviceAt, receivedAt]`, ' +
        'times in ms since 1970 UTC, a third of the bytes. Comments every 15 s keep the connection. A client that does not read is cut off with `event: end`.',
      query: z.strictObject({
        after: position.optional(),
        types,
        positions: flag.optional(),
        form: z.enum(['objects', 'rows']).optional().meta({ description: 'Of the positions' }),
        bbox: bbox.optional(),
        elsewhere: wholeNumber(1, 3_600)
          .optional()
          .meta({ description: 'Seconds between the newest positions outside `bbox`; without it they are left out' }),
      }),
      produces: ['text/event-stream'],
      audit: true,
      responses: { 200: { description: 'An event stream', mediaTypes: ['text/event-stream'] } },
      async handler({ request, reply, query, guard }) {
        if (request.method === 'HEAD') return reply.type('text/event-stream').send('');
        checkTypes(query.types, { parameter: 'types' });
        const resume = request.headers['last-event-id'];
        await streams.open(request, reply, {
          guard,
          after: resume === undefined || resume === '' ? query.after : resumeFrom(resume),
          matches: typeFilter(query.types),
          positions:
            query.positions === true
              ? {
                  form: query.form ?? 'objects',
                  bbox: query.bbox,
                  elsewhereMs: query.elsewhere === undefined ? undefined : query.elsewhere * 1_000,
                }
              : undefined,
        });
        return HANDLED;
      },
    }),
  ];
}

function resumeFrom(header: string | string[]): number {
  const text = String(header);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Problem('invalidHeader', `Last-Event-ID: ${text.slice(0, 60)} is no position`, {
    errors: [{ header: 'Last-Event-ID', detail: 'is no position', expected: 'the `id` of an earlier message' }],
  });
}
