/** What the terminal's cameras sent, newest first. */
import { useState } from 'preact/hooks';
import type { PageOf } from '../../api/client.js';
import type { VehicleJson } from '../../api/types.js';
import { t } from '../../i18n/index.js';
import { recentEvents } from '../../state/live.js';
import { useLoad } from '../../ui/load.js';
import { Empty } from '../../ui/pieces.js';
import { PhotoGrid, shownOf, type MediaJson } from '../photo-grid.js';
import { pathOf } from './path.js';

const STEP = 24;
const MAX = 480;

export function Photos({ vehicle }: { vehicle: VehicleJson }) {
  const [limit, setLimit] = useState(STEP);
  const newest = recentEvents.value.find(
    (one) => one.vehicleId === vehicle.id && one.type.startsWith('media.'),
  )?.position;
  const found = useLoad<PageOf<MediaJson>>(`${pathOf(vehicle.id)}/photos?limit=${limit}`, newest);
  const items = found.value?.items ?? [];
  return (
    <section>
      <h3>{t('photos.title')}</h3>
      {found.problem && <Empty text={found.problem} />}
      {found.value && items.length === 0 && <Empty text={t('photos.none')} />}
      <PhotoGrid items={items.map(shownOf)} />
      {found.value?.next && limit < MAX && (
        <button class="quiet" onClick={() => setLimit(limit + STEP)}>
          {t('photos.older')}
        </button>
      )}
    </section>
  );
}
