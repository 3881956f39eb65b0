/**
 * Puts uploads of terminals (0x0801) into the store: what they are is seen from their bytes, damaged ones are refused by
 * name, and the order on whose site the vehicle was when it was taken is found.
 */
import { createHash } from 'node:crypto';
import type { TerminalReport } from '../../dispatch/domain/commands.js';
import type { Media, Order } from '../../dispatch/domain/model.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { unusable, type MediaUpload } from '../translate/translation.js';

/** Orders of a vehicle, newest first, among which the one of a photo is looked for. */
const ordersLookedAt = 20;
/** A photo of the arrival, or of the finished work, by a clock that is a little off. */
const aroundSiteMs = 60_000;

/**
 * Stores the bytes and gives the reports that tell dispatch. Doing it again changes nothing, so it may run before the
 * commit of the batch that it belongs to.
 */
export async function storeMedia(dispatch: DispatchPort, uploads: readonly MediaUpload[]): Promise<TerminalReport[]> {
  const reports: TerminalReport[] = [];
  for (const upload of uploads) {
    const looks = lookAt(upload);
    if ('fault' in looks) reports.push(refused(upload, looks.fault));
    else reports.push(await keep(dispatch, upload, looks));
  }
  return reports;
}

interface Looks {
  kind: Media['kind'];
  contentType: string;
}

const KINDS: Record<number, Media['kind']> = { 0: 'image', 1: 'audio', 2: 'video' };
const SOUNDS: Record<number, string> = { 2: 'audio/mpeg', 3: 'audio/wav', 4: 'video/x-ms-wmv' };
const JPEG = 0;
const TIFF = 1;

/** What the upload is, or what is wrong with it. Sound and video have too many private forms to be judged. */
function lookAt({ data, type, format }: MediaUpload): Looks | { fault: string } {
  if (data.length === 0) return { fault: 'it has no data' };
  const kind = KINDS[type];
  if (kind === undefined) return { fault: `media type ${type} is not known` };
  if (kind !== 'image') return { kind, contentType: SOUNDS[format] ?? 'application/octet-stream' };
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (isTiff(bytes)) return { kind, contentType: 'image/tiff' };
  if (format === TIFF) return { fault: 'it does not begin as a TIF picture does' };
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    return { fault: `it does not begin as a JPEG picture does${format === JPEG ? '' : ` (format ${format})`}` };
  }
  if (bytes.lastIndexOf(Buffer.of(0xff, 0xd9)) < 2) return { fault: 'the JPEG picture has no end: it is cut off' };
  return { kind, contentType: 'image/jpeg' };
}

function isTiff(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 4).toString('latin1');
  return head === 'II*\0' || head === 'MM\0*';
}

function refused(upload: MediaUpload, fault: string): TerminalReport {
  const { origin, data, mediaId } = upload;
  const message = `upload ${mediaId} of ${data.length} bytes is damaged: ${fault}`;
  return unusable(origin, 'damagedMedia', message, data, 0, data.length);
}

async function keep(dispatch: DispatchPort, upload: MediaUpload, looks: Looks): Promise<TerminalReport> {
  const { origin, data, mediaId, channel, event, location } = upload;
  const { vehicleId, phone, receivedAt, frame } = origin;
  const id = createHash('sha256').update(`${vehicleId}/${mediaId}/`).update(data).digest('hex').slice(0, 32);
  const blob = `media/${vehicleId}/${id}`;
  await dispatch.store.putBlob(blob, data);
  const takenAt = location?.takenAt;
  const site = await siteAt(dispatch, vehicleId, takenAt ?? receivedAt);
  const media: Media = {
    id, vehicleId, blob, bytes: data.length, ...looks, mediaId, channel, event, receivedAt,
    ...(takenAt === undefined ? {} : { takenAt }),
    ...(location?.place ? { place: location.place } : {}),
    ...site,
  }; // prettier-ignore
  return { type: 'report.media', vehicleId, phone, receivedAt, frame, dedupKey: '', media };
}

/** The leg that was on site then: from its arrival to the end of its work. */
async function siteAt(
  dispatch: DispatchPort,
  vehicleId: string,
  at: number,
): Promise<{ orderId: string; leg: number } | undefined> {
  const page = await dispatch.scan({
    index: 'orders.vehicle',
    from: `${vehicleId}/`,
    to: `${vehicleId}0`,
    reverse: true,
    limit: ordersLookedAt,
  });
  for (const { value } of page.items) {
    const order = value as Order;
    for (const leg of order.legs) {
      const from = leg.points.H?.at;
      if (leg.vehicleId !== vehicleId || from === undefined) continue;
      const to = leg.points.I?.at ?? leg.endedAt ?? Infinity;
      if (at >= from - aroundSiteMs && at <= to + aroundSiteMs) return { orderId: order.id, leg: leg.leg };
    }
  }
  return undefined;
}
