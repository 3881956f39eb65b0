/** Photos of people's devices: made small enough for a bad network, and kept with an order. */
import { BASE, get, Problem } from '../api/client.js';

/** Enough to read a meter, small enough for a weak signal: about 250 kB. */
const LONG_SIDE_PX = 1600;
const QUALITY = 0.8;
/** Of one record; the API takes 50. */
export const MAX_PHOTOS = 8;

/** A JPEG of at most 1600 pixels. Throws where the file is no picture. */
export async function smaller(file: File): Promise<Blob> {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, LONG_SIDE_PX / Math.max(image.width, image.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('the picture could not be read'))),
      'image/jpeg',
      QUALITY,
    ),
  );
}

/** Path of a photo of an order's fault record. */
export const orderPhoto = (orderId: string, name: string): string =>
  `${BASE}/orders/${encodeURIComponent(orderId)}/photos/${encodeURIComponent(name)}`;

/** Keeps photos with an order; gives the names by which `record.photos` knows them. */
export async function uploadPhotos(orderId: string, photos: readonly Blob[]): Promise<string[]> {
  if (photos.length === 0) return [];
  const { csrf = '' } = await get<{ csrf?: string }>('/me');
  const names: string[] = [];
  for (const photo of photos) {
    const response = await fetch(`${BASE}/orders/${encodeURIComponent(orderId)}/photos`, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': photo.type, 'x-csrf-token': csrf },
      body: photo,
    }).catch((error: Error) => {
      throw new Problem(0, 'offline', error.message);
    });
    if (!response.ok) throw new Problem(response.status, String(response.status), await response.text());
    names.push(((await response.json()) as { name: string }).name);
  }
  return names;
}
