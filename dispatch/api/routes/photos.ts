/** Photos of a fault record: taken by the crew's phone, named by their content. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Problem } from '../http/problem.js';
import { Answer, route, type Route } from '../http/route.js';
import { id } from '../schemas/common.js';
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
  ];
}
