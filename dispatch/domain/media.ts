/** Photos, sound and video that terminals uploaded. The bytes are a blob of the store; this is what is known of them. */
import type { Media } from './model.js';
import { folding, type Appliers, type Deciders, type Reducers } from './tables.js';
import { Refusal } from './tx.js';

export const mediaReducers: Reducers = {
  'media.received': folding<{ media: Media }>((docs, { data: { media } }) => docs.put('media', media.id, media)),
  'media.forgotten': folding<{ mediaId: string }>((docs, { data: { mediaId } }) => docs.remove('media', mediaId)),
};

export const mediaAppliers: Appliers = {
  'report.media': (tx, { vehicleId, media }) => {
    // The same upload again: the terminal missed that it was complete.
    if (tx.get('media', media.id)) return;
    const order = media.orderId === undefined ? undefined : tx.get('order', media.orderId);
    const centreId = order?.repairCentreId ?? tx.get('vehicle', vehicleId)?.repairCentreId;
    tx.emit({
      type: 'media.received',
      vehicleId,
      ...(order ? { orderId: order.id, leg: media.leg } : {}),
      ...(centreId === undefined ? {} : { centreId }),
      data: { media },
    });
  },
};

export const mediaDeciders: Deciders = {
  'media.forget': (tx, { mediaId }) => {
    const media = tx.get('media', mediaId);
    if (!media) throw new Refusal('noSuchMedia', `there is no photo ${mediaId}`, 404);
    tx.emit({ type: 'media.forgotten', vehicleId: media.vehicleId, data: { mediaId } });
    return { mediaId };
  },
};
