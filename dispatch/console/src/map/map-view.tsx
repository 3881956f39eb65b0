/** The map as a component: picks the engine, feeds it, and stays out of the way when none can be had. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { BASE } from '../api/client.js';
import { t } from '../i18n/index.js';
import { dark } from '../state/prefs.js';
import { serverConfig } from '../state/session.js';
import { Icon } from '../ui/icons.js';
import type { Bounds, FleetMark, LineMark, MapEngine, MapOptions, OrderMark } from './engine.js';

/** `none`: no map could be made; the lists beside it go on. */
export type EngineName = 'maplibre' | 'leaflet' | 'none';
export const engineName = signal<EngineName | undefined>(undefined);

/** Streets of the demo or of the operator, asked for once. */
let streets: Promise<GeoJSON.FeatureCollection | undefined> | undefined;
function loadStreets(): Promise<GeoJSON.FeatureCollection | undefined> {
  streets ??= fetch(`${BASE}/map/streets.geojson`, { credentials: 'same-origin' })
    .then(async (response) => (response.ok ? ((await response.json()) as GeoJSON.FeatureCollection) : undefined))
    .catch(() => undefined);
  return streets;
}

function hasWebGl2(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

async function createEngine(options: MapOptions): Promise<{ engine: MapEngine; name: EngineName }> {
  const wanted = new URLSearchParams(window.location.search).get('map');
  if (wanted !== 'simple' && hasWebGl2()) {
    try {
      const { createMapLibre } = await import('./maplibre.js');
      return { engine: await createMapLibre(options), name: 'maplibre' };
    } catch (error) {
      // The simple map is used instead; the browser keeps the reason.
      reportError(error);
      options.container.replaceChildren();
      options.container.className = '';
    }
  }
  const { createLeaflet } = await import('./leaflet.js');
  return { engine: await createLeaflet(options), name: 'leaflet' };
}

export interface MapViewProps {
  fleet: readonly FleetMark[];
  orders: readonly OrderMark[];
  lines: readonly LineMark[];
  selected?: { kind: 'order' | 'vehicle'; id: string } | undefined;
  /** What to show at first. The map waits for it, so that it opens where the work is. */
  start: Bounds | undefined;
  /** Opens without `start`, because there is nothing to show. */
  nothing?: boolean;
  label: string;
  onPick?(kind: 'order' | 'vehicle', id: string): void;
  onDragged?(): void;
  onPoint?(lon: number, lat: number): void;
  onEngine?(engine: MapEngine | undefined): void;
  controls?: boolean;
}

export function MapView(props: MapViewProps) {
  const holder = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [engine, setEngine] = useState<MapEngine>();
  const [failed, setFailed] = useState<string>();
  const mayOpen = props.start !== undefined || props.nothing === true;

  useEffect(() => {
    if (!mayOpen || !holder.current) return;
    const container = holder.current.appendChild(document.createElement('div'));
    container.classList.add('map-canvas');
    let made: MapEngine | undefined;
    let gone = false;
    const options = async (): Promise<MapOptions> => ({
      container,
      base: serverConfig.peek().map ?? {},
      streets: await loadStreets(),
      dark: dark.peek(),
      start: latest.current.start,
      callbacks: {
        onPick: (kind, id) => latest.current.onPick?.(kind, id),
        onDragged: () => latest.current.onDragged?.(),
        onPoint: (lon, lat) => latest.current.onPoint?.(lon, lat),
      },
    });
    options()
      .then(createEngine)
      .then(
        ({ engine: created, name }) => {
          if (gone) return created.destroy();
          made = created;
          engineName.value = name;
          setEngine(created);
          latest.current.onEngine?.(created);
        },
        (error: Error) => {
          engineName.value = 'none';
          setFailed(error.message);
        },
      );
    const observer = new ResizeObserver(() => made?.resize());
    observer.observe(container);
    return () => {
      gone = true;
      observer.disconnect();
      latest.current.onEngine?.(undefined);
      made?.destroy();
      container.remove();
    };
  }, [mayOpen]);

  useEffect(() => engine?.setFleet(props.fleet), [engine, props.fleet]);
  useEffect(() => engine?.setOrders(props.orders), [engine, props.orders]);
  useEffect(() => engine?.setLines(props.lines), [engine, props.lines]);
  useEffect(
    () => engine?.setSelected(props.selected?.kind, props.selected?.id),
    [engine, props.selected?.kind, props.selected?.id],
  );
  useEffect(() => engine?.setDark(dark.value), [engine, dark.value]);

  return (
    <section class="map" aria-label={props.label}>
      <div class="map-holder" ref={holder} />
      {failed && (
        <div class="map-none" role="alert">
          <p>{t('map.failed')}</p>
          <p class="muted small">{failed}</p>
        </div>
      )}
      {engineName.value === 'leaflet' && <p class="map-note">{t('map.simple')}</p>}
      {engine && props.controls !== false && (
        <div class="map-buttons">
          <button class="icon-only" aria-label={t('map.zoomIn')} onClick={() => engine.zoomBy(1)}>
            <Icon name="plus" />
          </button>
          <button class="icon-only" aria-label={t('map.zoomOut')} onClick={() => engine.zoomBy(-1)}>
            <span class="minus" aria-hidden="true" />
          </button>
        </div>
      )}
    </section>
  );
}
