/** Photos of an order: those of its fault record, and what the trucks' cameras took at its site. */
import { useEffect, useState } from 'preact/hooks';
import { get, type PageOf } from '../api/client.js';
import { t } from '../i18n/index.js';
import { recentEvents, type LiveOrder } from '../state/live.js';
import { vehicleName } from '../ui/pieces.js';
import { orderPhoto } from '../ui/photo.js';
import { PhotoGrid, shownOf, type MediaJson, type Shown } from './photo-grid.js';
import { filedOf } from './record-form.js';

const MAX_EACH = 50;

/** Taken by the cameras of the vehicles that had the order. */
function useTaken(order: LiveOrder): Shown[] {
  const [shown, setShown] = useState<Shown[]>([]);
  const vehicles = [...new Set(order.legs.map((leg) => leg.vehicleId))].join(',');
  const newest = recentEvents.value.find((one) => one.type === 'media.received' && one.orderId === order.id)?.position;
  useEffect(() => {
    let wanted = true;
    const ids = vehicles.split(',').filter(Boolean);
    const paths = ids.map(
      (id) => `/vehicles/${encodeURIComponent(id)}/photos?order=${encodeURIComponent(order.id)}&limit=${MAX_EACH}`,
    );
    const work = paths.map((path) => get<PageOf<MediaJson>>(path).catch(() => ({ items: [] })));
    void Promise.all(work).then((pages) => {
      if (!wanted) return;
      const found = pages.flatMap((page, index) =>
        page.items.map((one) => {
          const { orderId: _this, ...rest } = shownOf(one);
          return { ...rest, words: `${vehicleName(ids[index]!)} · ${rest.words}` };
        }),
      );
      setShown(found);
    });
    return () => void (wanted = false);
  }, [order.id, vehicles, newest]);
  return shown;
}

export function OrderPhotos({ order }: { order: LiveOrder }) {
  const taken = useTaken(order);
  const filed = (filedOf(order).photos ?? []).map((name): Shown => ({
    url: orderPhoto(order.id, name),
    kind: 'image',
    words: t('photos.record'),
  }));
  if (taken.length + filed.length === 0) return null;
  return (
    <section>
      <h3>{t('order.photos')}</h3>
      <PhotoGrid items={[...filed, ...taken]} />
    </section>
  );
}
