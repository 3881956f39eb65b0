/** The live map with the lists beside it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get } from '../api/client.js';
import type { PositionJson } from '../api/types.js';
import { t } from '../i18n/index.js';
import { boundsOf, type LineMark, type LonLat, type MapEngine } from '../map/engine.js';
import { fleetMarks, orderMarks } from '../map/live-marks.js';
import { MapView } from '../map/map-view.js';
import { gatewayNow } from '../state/clock.js';
import { loaded, orders, vehicles } from '../state/live.js';
import { positions, positionsTick } from '../state/positions.js';
import { openOrder, openVehicle, selection } from '../state/selection.js';
import { Boundary } from '../ui/boundary.js';
import { Icon } from '../ui/icons.js';
import { currentLeg } from '../ui/order-time.js';
import { MapSide } from './map-side.js';

const TRAIL_MS = 30 * 60_000;

/** The recent track of the selected vehicle, and the way to what it is driving for. */
function useLines(vehicleId: string | undefined): readonly LineMark[] {
  const [trail, setTrail] = useState<LonLat[]>([]);
  useEffect(() => {
    setTrail([]);
    if (!vehicleId) return;
    const abort = new AbortController();
    const from = new Date(gatewayNow() - TRAIL_MS).toISOString();
    const to = new Date(gatewayNow()).toISOString();
    get<string>(`/vehicles/${encodeURIComponent(vehicleId)}/track?from=${from}&to=${to}`, {
      accept: 'application/x-ndjson',
      signal: abort.signal,
    })
      .then((text) => {
        const rows = (text ?? '')
          .split('\n')
          .filter(Boolean)
          .map((row) => JSON.parse(row) as PositionJson);
        setTrail(rows.map((row) => [row.lon, row.lat]));
      })
      .catch(() => undefined);
    return () => abort.abort();
  }, [vehicleId]);
  const tick = positionsTick.value;
  const allOrders = orders.value;
  return useMemo(() => {
    if (!vehicleId) return [];
    const here = positions.get(vehicleId);
    const lines: LineMark[] = [];
    if (here) {
      const last = trail.at(-1);
      if (!last || last[0] !== here.lon || last[1] !== here.lat) trail.push([here.lon, here.lat]);
      const target = [...allOrders.values()].find((order) => {
        const leg = currentLeg(order);
        return leg?.vehicleId === vehicleId && leg.state === 'enRoute';
      });
      if (target) lines.push({ kind: 'plan', points: [[here.lon, here.lat], [target.site.lon, target.site.lat]] }); // prettier-ignore
    }
    if (trail.length > 1) lines.push({ kind: 'track', points: trail.slice() });
    return lines;
  }, [vehicleId, trail, tick, allOrders]);
}

/** The vehicle whose track is shown: the selected one, or the one that does the selected order. */
function shownVehicle(): string | undefined {
  const chosen = selection.value;
  if (!chosen) return undefined;
  if (chosen.kind === 'vehicle') return chosen.id;
  const order = orders.value.get(chosen.id);
  return order ? currentLeg(order)?.vehicleId : undefined;
}

function everything() {
  const sites = [...orders.value.values()].map((order) => order.site);
  const trucks = [...vehicles.value.keys()].map((id) => positions.get(id)).filter((one) => one !== undefined);
  return boundsOf([...sites, ...trucks]);
}

export function MapPage() {
  const engine = useRef<MapEngine | undefined>(undefined);
  const [following, setFollowing] = useState(false);
  const chosen = selection.value;
  const vehicleId = shownVehicle();
  const lines = useLines(vehicleId);
  const start = useMemo(() => (loaded.value ? everything() : undefined), [loaded.value]);

  useEffect(() => {
    if (!chosen || !engine.current) return;
    const order = chosen.kind === 'order' ? orders.peek().get(chosen.id) : undefined;
    const at = order ? order.site : positions.get(chosen.id);
    if (at) engine.current.panTo([at.lon, at.lat], 13);
  }, [chosen?.kind, chosen?.id]);
  useEffect(() => {
    if (!following || !vehicleId) return;
    const at = positions.get(vehicleId);
    if (at) engine.current?.panTo([at.lon, at.lat]);
  }, [following, vehicleId, positionsTick.value]);

  return (
    <div class="map-page">
      <MapSide />
      <div class="map-area">
        <Boundary name="map" fallback={(_error, retry) => <MapBroken retry={retry} />}>
          <MapView
            label={t('map.label')}
            fleet={fleetMarks.value}
            orders={orderMarks.value}
            lines={lines}
            selected={chosen}
            start={start}
            nothing={loaded.value && start === undefined}
            onPick={(kind, id) => (kind === 'order' ? openOrder(id) : openVehicle(id))}
            onDragged={() => setFollowing(false)}
            onEngine={(made) => (engine.current = made)}
          />
        </Boundary>
        <div class="map-tools">
          <button
            onClick={() => {
              const bounds = everything();
              if (bounds) engine.current?.fit(bounds, true);
            }}
          >
            <Icon name="fit" /> {t('map.fit')}
          </button>
          <button aria-pressed={following} disabled={!vehicleId} onClick={() => setFollowing(!following)}>
            <Icon name="target" /> {t('map.follow')}
          </button>
        </div>
      </div>
    </div>
  );
}

function MapBroken({ retry }: { retry: () => void }) {
  return (
    <div class="map-none" role="alert">
      <p>{t('map.failed')}</p>
      <button onClick={retry}>{t('do.retry')}</button>
    </div>
  );
}
