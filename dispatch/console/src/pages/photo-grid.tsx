/** Photos, sound and video with time and place; one is shown large. */
import { useState } from 'preact/hooks';
import { dateTime } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { orders } from '../state/live.js';
import { openOrder } from '../state/selection.js';
import { Dialog } from '../ui/dialog.js';
import { Icon } from '../ui/icons.js';

/** What a terminal's camera took, as the API gives it. */
export interface MediaJson {
  id: string;
  kind: 'image' | 'audio' | 'video';
  channel: number;
  event: string;
  takenAt?: string;
  receivedAt: string;
  lat?: number;
  lon?: number;
  orderId?: string;
  url: string;
}

/** A picture in the grid. */
export interface Shown {
  url: string;
  kind: MediaJson['kind'];
  words: string;
  place?: string;
  orderId?: string;
}

export const shownOf = (one: MediaJson): Shown => ({
  url: one.url,
  kind: one.kind,
  words: `${dateTime(one.takenAt ?? one.receivedAt)} · ${t('photos.channel', { n: one.channel })} · ${tValue('mediaEvent', one.event)}`,
  ...(one.lat === undefined || one.lon === undefined ? {} : { place: `${one.lat.toFixed(5)}, ${one.lon.toFixed(5)}` }),
  ...(one.orderId === undefined ? {} : { orderId: one.orderId }),
});

function Caption({ one }: { one: Shown }) {
  return (
    <figcaption class="small">
      <span>{one.words}</span>
      {one.place && (
        <span class="muted">
          <Icon name="target" size={12} /> {one.place}
        </span>
      )}
      {one.orderId && (
        <button class="link small" onClick={() => openOrder(one.orderId!)}>
          {orders.value.get(one.orderId)?.number ?? t('card.order')}
        </button>
      )}
    </figcaption>
  );
}

export function PhotoGrid({ items }: { items: readonly Shown[] }) {
  const [large, setLarge] = useState<Shown>();
  return (
    <>
      <ul class="photos">
        {items.map((one) => (
          <li key={one.url}>
            <figure data-photo={one.url}>
              {one.kind === 'image' ? (
                <button class="photo" aria-label={t('photos.show', { what: one.words })} onClick={() => setLarge(one)}>
                  <img src={one.url} alt="" loading="lazy" />
                </button>
              ) : (
                <a class="photo" href={one.url} download>
                  <Icon name={one.kind === 'audio' ? 'mic' : 'video'} size={26} /> {tValue('media', one.kind)}
                </a>
              )}
              <Caption one={one} />
            </figure>
          </li>
        ))}
      </ul>
      {large && (
        <Dialog wide class="photo-large" title={large.words} onClose={() => setLarge(undefined)}>
          <img src={large.url} alt={large.words} />
          <p class="muted">{large.place}</p>
        </Dialog>
      )}
    </>
  );
}
