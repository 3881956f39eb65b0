/** Photos of a fault record, taken by the crew's phone; photos, sound and video that the terminals uploaded. */
import { createHash } from 'node:crypto';
import type { Media } from '../../domain/model.js';
import { iso, isoOrUndefined } from '../../views/json.js';
import { page } from '../http/page.js';
import { z } from 'zod';
import { Problem } from '../http/problem.js';
import { Answer, route, type Route } from '../http/route.js';
import { byId, id, latitude, longitude, pageOf, pageQuery, timeOut } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Orders';
const TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
/** A phone's photo as the crew's page sends it, scaled down; more is 413. */
const PHOTO_BYTES = 8 << 20;
const photoName = z
  .string()
  .regex(/^[0-9a-f]{64}\.(jpg|png|webp)$/, { error: () => 'expected the name that the upload gave' });

/** What the bytes are, whatever the client says: nothing else is ever served as a picture. */
function kindOf(bytes: Uint8Array): { extension: string; type: string } | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return { extension: 'jpg', type: 'image/jpeg' };
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return { extension: 'png', type: 'image/png' };
  if (head.startsWith('RIFF') && head.slice(8) === 'WEBP') return { extension: 'webp', type: 'image/webp' };
  return undefined;
}

/** What a terminal's camera took (0x0801). */
const media = z
  .object({
    id: z.string(),
    kind: z.enum(['image', 'audio', 'video']),
    contentType: z.string(),
    bytes: z.int(),
    mediaId: z.int().meta({ description: 'Id that the terminal gave it' }),
    channel: z.int().meta({ description: 'Camera' }),
    event: z.string().meta({ description: 'Why it was taken' }),
    takenAt: timeOut.optional().meta({ description: 'By the terminal’s clock' }),
    receivedAt: timeOut,
    lat: latitude.optional(),
    lon: longitude.optional(),
    orderId: z.string().optional().meta({ description: 'Order on whose site it was taken' }),
    leg: z.int().optional(),
    url: z.string(),
  })
  .meta({ id: 'Photo' });
const MEDIA_TYPES = [
  'image/jpeg',
  'image/tiff',
  'audio/mpeg',
  'audio/wav',
  'video/x-ms-wmv',
  'application/octet-stream',
] as const;

function mediaView(one: Media): Record<string, unknown> {
  const { id: photo, vehicleId, blob: _blob, takenAt, receivedAt, place, ...rest } = one;
  const url = `/api/v1/vehicles/${encodeURIComponent(vehicleId)}/photos/${photo}`;
  return { ...rest, id: photo, takenAt: isoOrUndefined(takenAt), receivedAt: iso(receivedAt), ...place, url };
}

export function photoRoutes({ dispatch }: RouteDeps): Route[] {
  const blobName = (orderId: string, photo: string): string => `photo/${orderId}/${photo}`;
  return [
    route({
      method: 'POST',
      path: '/orders/{id}/photos',
      tag: TAG,
      right: 'order.photo',
      params: z.strictObject({ id }),
      summary: 'Keep a photo for the fault record; name it in `record.photos`',
      bodyTypes: TYPES,
      bodyLimit: PHOTO_BYTES,
      responses: { 201: { description: 'Its name', schema: z.object({ name: z.string() }) } },
      async handler({ guard, params, request }) {
        const { value } = await guard.read('order.photo', 'order', params.id);
        const bytes = request.body as Uint8Array | undefined;
        const kind = bytes && kindOf(bytes);
        if (!bytes || !kind) {
          throw new Problem('invalidBody', 'the body is no JPEG, PNG or WebP picture', {
            errors: [{ pointer: '#', detail: 'no known picture', expected: TYPES.join(' or ') }],
          });
        }
        const name = `${createHash('sha256').update(bytes).digest('hex')}.${kind.extension}`;
        await dispatch.store.putBlob(blobName(value.id, name), bytes);
        return new Answer(201, { name }, { location: `/api/v1/orders/${encodeURIComponent(value.id)}/photos/${name}` });
      },
    }),
    route({
      method: 'GET',
      path: '/orders/{id}/photos/{photo}',
      tag: TAG,
      right: 'order.read',
      params: z.strictObject({ id, photo: photoName }),
      audit: true,
      summary: 'A photo',
      produces: TYPES,
      responses: { 200: { description: 'The picture', mediaTypes: TYPES } },
      async handler({ guard, params }) {
        const { value } = await guard.read('order.read', 'order', params.id);
        const bytes = await dispatch.store.getBlob(blobName(value.id, params.photo));
        const kind = bytes && kindOf(bytes);
        if (!bytes || !kind) throw new Problem('notFound', `order ${value.number} has no photo "${params.photo}"`);
        return new Answer(200, Buffer.from(bytes), {
          'content-type': kind.type,
          'cache-control': 'private, max-age=31536000, immutable',
        });
      },
    }),
    route({
      method: 'GET',
      path: '/vehicles/{id}/photos',
      tag: 'Vehicles',
      right: 'vehicle.deliveries',
      params: byId,
      query: z.strictObject({ ...pageQuery, order: id.optional().meta({ description: 'Only those of this order' }) }),
      audit: true,
      summary: 'Photos, sound and video that the terminal uploaded, newest first',
      responses: { 200: { description: 'A page of them', schema: pageOf(media) } },
      async handler({ guard, params, query }) {
        await guard.read('vehicle.deliveries', 'vehicle', params.id);
        const scan = { index: 'media.vehicle', from: `${params.id}/`, to: `${params.id}0`, reverse: true };
        return page(dispatch, scan, query, (docs) =>
          docs.map(({ value }) => {
            const one = value as Media;
            return query.order === undefined || one.orderId === query.order ? mediaView(one) : undefined;
          }),
        );
      },
    }),
    route({
      method: 'GET',
      path: '/vehicles/{id}/photos/{photo}',
      tag: 'Vehicles',
      right: 'vehicle.deliveries',
      params: z.strictObject({ id, photo: id }),
      audit: true,
      summary: 'One of them',
      description: 'When it was taken is in `Last-Modified`, where in `Geo-Position` (latitude;longitude).',
      produces: MEDIA_TYPES,
      responses: { 200: { description: 'The bytes', mediaTypes: MEDIA_TYPES } },
      async handler({ guard, params }) {
        await guard.read('vehicle.deliveries', 'vehicle', params.id);
        const one = (await dispatch.get('media', params.photo))?.value;
        const bytes = one?.vehicleId === params.id ? await dispatch.store.getBlob(one.blob) : undefined;
        if (!one || !bytes) throw new Problem('notFound', `vehicle "${params.id}" has no photo "${params.photo}"`);
        return new Answer(200, Buffer.from(bytes), {
          'content-type': one.contentType,
          'last-modified': new Date(one.takenAt ?? one.receivedAt).toUTCString(),
          ...(one.place ? { 'geo-position': `${one.place.lat};${one.place.lon}` } : {}),
          'cache-control': 'private, max-age=31536000, immutable',
        });
      },
    }),
  ];
}
