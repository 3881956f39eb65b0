/** The fault record from the truck, with photos made small enough for a bad network. */
import { useState } from 'preact/hooks';
import type { OrderJson } from '../../api/types.js';
import { t } from '../../i18n/index.js';
import { Dialog } from '../../ui/dialog.js';
import { sayProblem } from '../../ui/toast.js';
import { RecordFields, recordOf } from '../order-forms.js';
import { press } from './outbox.js';

/** Enough to read a meter, small enough for a weak signal: about 250 kB. */
const LONG_SIDE_PX = 1600;
const QUALITY = 0.8;
const MAX_PHOTOS = 8;

async function smaller(file: File): Promise<Blob> {
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

export function CrewRecord({ order, onClose }: { order: OrderJson; onClose: () => void }) {
  const [photos, setPhotos] = useState<Blob[]>([]);
  const add = async (files: FileList | null): Promise<void> => {
    try {
      const made = await Promise.all([...(files ?? [])].map(smaller));
      setPhotos((before) => [...before, ...made].slice(0, MAX_PHOTOS));
    } catch (error) {
      sayProblem(error);
    }
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const record = recordOf(event.target as HTMLFormElement);
    try {
      await press({
        path: `/orders/${encodeURIComponent(order.id)}/record`,
        body: { record },
        step: 'record',
        orderId: order.id,
        label: order.number,
        photos,
      });
      onClose();
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <Dialog title={`${t('crew.record')} · ${order.number}`} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <RecordFields />
        <label class="field">
          <span>{t('crew.photos', { n: photos.length })}</span>
          <input
            type="file"
            accept="image/*"
            capture="environment"
            multiple
            onChange={(event) => void add(event.currentTarget.files)}
          />
        </label>
        <footer class="row end">
          <button type="submit" class="primary">
            {t('do.save')}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
