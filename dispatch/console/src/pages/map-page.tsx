/** The live map with the lists beside it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { effect } from '@preact/signals';
import { get } from '../api/client.js';
import { fixesOf } from '../api/track.js';
import type { TerminalAreaJson } from '../api/types.js';
import { t, tValue } from '../i18n/index.js';
import { boundsOf, type AreaMark, type LineMark, type LonLat, type MapEngine } from '../map/engine.js';
import { fleetMarks, orderMarks } from '../map/live-marks.js';
import { MapView } from '../map/map-view.js';
import { gatewayNow } from '../state/clock.js';
import { mapAreas } from '../state/prefs.js';
import { loaded, orders, recentEvents, vehicles, type LiveOrder } from '../state/live.js';
import { positions, positionsTick } from '../state/positions.js';
import { watch } from '../state/watched.js';
import { openOrder, openVehicle, selection } from '../state/selection.js';
import { Boundary } from '../ui/boundary.js';
import { Icon } from '../ui/icons.js';
import { useLoad } from '../ui/load.js';
import { currentLeg } from '../ui/order-time.js';
import { MapSide } from './map-side.js';

const TRAIL_MS = 30 * 60_000;

/** The road is asked for again when the vehicle has moved and this has passed. */
const ROAD_MS = 15_000;

/** The planned road of the vehicle to the order that it drives to, renewed as it goes on; undefined where nobody knows it. */
function useRoad(vehicleId: string | undefined, orderId: string | undefined, tick: number): LonLat[] | undefined {
  const [road, setRoad] = useState<{ of: string; points: LonLat[] }>();
  const asked = useRef({ of: '', at: 0 });
  const of = vehicleId && orderId ? `${vehicleId} ${orderId}` : '';
  useEffect(() => {
    if (!vehicleId || !orderId) return;
    if (asked.current.of === of && performance.now() - asked.current.at < ROAD_MS) return;
    asked.current = { of, at: performance.now() };
    get<{ coordinates: LonLat[] | null }>(
      `/vehicles/${encodeURIComponent(vehicleId)}/road?order=${encodeURIComponent(orderId)}`,
    ).then(
      ({ coordinates }) => setRoad(coordinates ? { of, points: coordinates } : undefined),
      () => setRoad(undefined),
    );
  }, [of, tick]);
  return road?.of === of ? road.points : undefined;
}

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
      .then((text) => setTrail(fixesOf(text).map(({ lat, lon }) => [lon, lat])))
      .catch(() => undefined);
    return () => abort.abort();
  }, [vehicleId]);
  // Only while a vehicle is chosen: without one nothing here follows the positions.
  const tick = vehicleId === undefined ? 0 : positionsTick.value;
  const target = vehicleId === undefined ? undefined : targetOf(vehicleId);
  const road = useRoad(vehicleId, target?.id, tick);
  return useMemo(() => {
    if (!vehicleId) return [];
    const here = positions.get(vehicleId);
    const lines: LineMark[] = [];
    if (here) {
      const last = trail.at(-1);
      if (!last || last[0] !== here.lon || last[1] !== here.lat) trail.push([here.lon, here.lat]);
      if (road) lines.push({ kind: 'plan', points: road });
      else if (target) lines.push({ kind: 'guess', points: [[here.lon, here.lat], [target.site.lon, target.site.lat]] }); // prettier-ignore
    }
    if (trail.length > 1) lines.push({ kind: 'track', points: trail.slice() });
    return lines;
  }, [vehicleId, trail, tick, target, road]);
}

const NO_AREAS: readonly AreaMark[] = [];

/** What the terminal of a vehicle watches: areas that people have set, circles around the sites of its orders. */
function useAreas(vehicleId: string | undefined): readonly AreaMark[] {
  const shown = vehicleId !== undefined && mapAreas.value === 'on';
  // Deliveries change them without changing the vehicle: the newest event about it is the version.
  const newest = shown ? recentEvents.value.find((event) => event.vehicleId === vehicleId)?.position : 0;
  const path = shown ? `/vehicles/${encodeURIComponent(vehicleId)}/areas` : undefined;
  const { value, of } = useLoad<{ items: TerminalAreaJson[] }>(path, newest);
  return useMemo(() => {
    // Those of the vehicle that was chosen before are not this one's.
    if (!value || of !== path) return NO_AREAS;
    return value.items.map(({ id, name, orderId, points, ...shape }): AreaMark => {
      const order = orderId === undefined ? undefined : orders.peek().get(orderId);
      const label = order ? order.number.slice(-4) : name || `${tValue('areaKind', shape.shape)} ${id}`;
      return { ...shape, label, points: points.map(({ lat, lon }) => [lon, lat]) };
    });
  }, [value, of, path]);
}

/** The order that a vehicle is driving to. */
function targetOf(vehicleId: string): LiveOrder | undefined {
  for (const order of orders.value.values()) {
    const leg = currentLeg(order);
    if (leg?.vehicleId === vehicleId && leg.state === 'enRoute') return order;
  }
  return undefined;
}

/** The vehicle whose track is shown: the selected one, or the one that does the selected order. */
function shownVehicle(): string | undefined {
  const chosen = selection.value;
  if (!chosen) return undefined;
  if (chosen.kind === 'vehicle') return chosen.id;
  const order = orders.value.get(chosen.id);
  return order ? currentLeg(order)?.vehicleId : undefined;
}

/** Where all vehicles and orders are. Just after loading a vehicle may only have the position that came with it. */
export function everything() {
  const sites = [...orders.value.values()].map((order) => order.site);
  const trucks = [...vehicles.value.values()].flatMap(
    ({ id, lastPosition }) => positions.get(id) ?? lastPosition ?? [],
  );
  return boundsOf([...sites, ...trucks]);
}

export function MapPage() {
  const engine = useRef<MapEngine | undefined>(undefined);
  const [following, setFollowing] = useState(false);
  const chosen = selection.value;
  const vehicleId = shownVehicle();
  const lines = useLines(vehicleId);
  const areas = useAreas(vehicleId);
  const start = useMemo(() => (loaded.value ? everything() : undefined), [loaded.value]);

  useEffect(() => {
    if (!chosen || !engine.current) return;
    const order = chosen.kind === 'order' ? orders.peek().get(chosen.id) : undefined;
    const at = order ? order.site : positions.get(chosen.id);
    if (at) engine.current.panTo([at.lon, at.lat], 13);
  }, [chosen?.kind, chosen?.id]);
  useEffect(() => {
    if (!following || !vehicleId) return;
    return effect(() => {
      void positionsTick.value;
      const at = positions.get(vehicleId);
      if (at) engine.current?.panTo([at.lon, at.lat]);
    });
  }, [following, vehicleId]);

  return (
    <div class="map-page">
      <MapSide />
      <div class="map-area">
        <Boundary name="map" fallback={(_error, retry) => <MapBroken retry={retry} />}>
          <MapView
            label={t('map.label')}
            fleet={fleetMarks}
            orders={orderMarks}
            lines={lines}
            areas={areas}
            selected={chosen}
            start={start}
            nothing={loaded.value && start === undefined}
            onPick={(kind, id) => (kind === 'order' ? openOrder(id) : openVehicle(id))}
            onDragged={() => setFollowing(false)}
            onView={watch}
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
          <button
            aria-pressed={mapAreas.value === 'on'}
            title={t('map.areasHint')}
            onClick={() => (mapAreas.value = mapAreas.value === 'on' ? 'off' : 'on')}
          >
            <Icon name="layers" /> {t('map.areas')}
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
