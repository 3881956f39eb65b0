/** A map in a form: a click gives the place. */
import { t } from '../../i18n/index.js';
import type { Bounds, OrderMark } from '../../map/engine.js';
import { MapView } from '../../map/map-view.js';
import { Boundary } from '../../ui/boundary.js';
import type { PlaceText } from './order-fields.js';

export function PickMap(props: {
  marks: readonly OrderMark[];
  start: Bounds | undefined;
  onPick(place: PlaceText): void;
}) {
  return (
    <>
      <p class="muted small">{t('new.pickPlace')}</p>
      <div class="pick-map">
        <Boundary name="map">
          <MapView
            label={t('new.pickPlace')}
            fleet={[]}
            orders={props.marks}
            lines={[]}
            start={props.start}
            nothing={props.start === undefined}
            onPoint={(lon, lat) => props.onPick({ lat: lat.toFixed(6), lon: lon.toFixed(6) })}
          />
        </Boundary>
      </div>
    </>
  );
}
