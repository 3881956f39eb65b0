/** The map as a component: picks the engine, feeds it, and stays out of the way when none can be had. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { effect, signal, type ReadonlySignal } from '@preact/signals';
import { BASE } from '../api/client.js';
import { t } from '../i18n/index.js';
import { dark } from '../state/prefs.js';
import { serverConfig } from '../state/session.js';
import { Icon } from '../ui/icons.js';
import { projectionOf, shifted } from './crs.js';
import type { AreaMark, Bounds, FleetMark, LineMark, MapEngine, MapOptions, OrderMark } from './engine.js';

/** `none`: no map could be made; the lists beside it go on. */
export type EngineName = 'maplibre' | 'leaflet' | 'none';
export const engineName = signal<EngineName | undefined>(undefined);
/** Times that the graphics card dropped the map before the simple map is used instead. */
const LOST_AT_MOST = 2;
let lost = 0;

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
  if (wanted !== 'simple' && lost < LOST_AT_MOST && hasWebGl2()) {
    try {
      const { createMapLibre } = await import('./maplibre.js');
      return { engine: await createMapLibre(options), name: 'maplibre' };
    } catch (error) {
      // The simple map is used instead; the browser keeps the reason.
      reportError(error);
      options.container.replaceChildren();
      options.container.className = 'map-canvas';
    }
  }
  const { createLeaflet } = await import('./leaflet.js');
  return { engine: await createLeaflet(options), name: 'leaflet' };
}

/** Marks that are given once, or a signal of them: what moves each second then moves on the map alone. */
type Marks<T> = readonly T[] | ReadonlySignal<readonly T[]>;

export interface MapViewProps {
  fleet: Marks<FleetMark>;
  orders: Marks<OrderMark>;
  lines: readonly LineMark[];
  areas?: readonly AreaMark[];
  selected?: { kind: 'order' | 'vehicle'; id: string } | undefined;
  /** What to show at first. The map waits for it, so that it opens where the work is. */
  start: Bounds | undefined;
  /** Opens without `start`, because there is nothing to show. */
  nothing?: boolean;
  label: string;
  onPick?(kind: 'order' | 'vehicle', id: string): void;
  onDragged?(): void;
  onPoint?(lon: number, lat: number): void;
  /** What is on the screen; undefined when the map is gone. */
  onView?(view: Bounds | undefined): void;
  onEngine?(engine: MapEngine | undefined): void;
  controls?: boolean;
}

/** Gives the engine what is to be shown, now and whenever it changes. */
function useMarks<T>(engine: MapEngine | undefined, marks: Marks<T>, show: (marks: readonly T[]) => void): void {
  useEffect(() => {
    if (!engine) return;
    if ('peek' in marks) return effect(() => show(marks.value));
    show(marks);
  }, [engine, marks]);
}

export function MapView(props: MapViewProps) {
  const holder = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [engine, setEngine] = useState<MapEngine>();
  const [failed, setFailed] = useState<string>();
  const [ground, setGround] = useState<{ what: 'tiles' | 'style'; reason: string }>();
  /** Rises when the map must be made again. */
  const [life, setLife] = useState(0);
  const mayOpen = props.start !== undefined || props.nothing === true;

  useEffect(() => {
    if (!mayOpen || !holder.current) return;
    const container = holder.current.appendChild(document.createElement('div'));
    container.classList.add('map-canvas');
    let made: MapEngine | undefined;
    let gone = false;
    const base = { ...serverConfig.peek().map };
    const options = async (): Promise<MapOptions> => {
      const plain = await loadStreets();
      return {
        container,
        base,
        streets: plain && shifted(plain, projectionOf(base.crs)),
        dark: dark.peek(),
        start: latest.current.start,
        callbacks: {
          onPick: (kind, id) => latest.current.onPick?.(kind, id),
          onDragged: () => latest.current.onDragged?.(),
          onPoint: (lon, lat) => latest.current.onPoint?.(lon, lat),
          onView: (view) => !gone && latest.current.onView?.(view),
          onGroundProblem: (what, reason) => !gone && setGround((known) => known ?? { what, reason }),
          onLost: () => {
            if (gone) return;
            lost += 1;
            setLife(life + 1);
          },
        },
      };
    };
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
      latest.current.onView?.(undefined);
      setEngine(undefined);
      made?.destroy();
      container.remove();
    };
  }, [mayOpen, life]);

  useMarks(engine, props.fleet, (marks) => engine!.setFleet(marks));
  useMarks(engine, props.orders, (marks) => engine!.setOrders(marks));
  useEffect(() => engine?.setLines(props.lines), [engine, props.lines]);
  useEffect(() => engine?.setAreas(props.areas ?? []), [engine, props.areas]);
  useEffect(
    () => engine?.setSelected(props.selected?.kind, props.selected?.id),
    [engine, props.selected?.kind, props.selected?.id],
  );
  useEffect(() => engine?.setDark(dark.value), [engine, dark.value]);

  const notes = [
    ...(engineName.value === 'leaflet' ? [t('map.simple')] : []),
    ...(ground ? [t(ground.what === 'style' ? 'map.noStyle' : 'map.noTiles')] : []),
  ];
  return (
    <section class="map" aria-label={props.label} data-engine={engineName.value}>
      <div class="map-holder" ref={holder} />
      {failed && (
        <div class="map-none" role="alert">
          <p>{t('map.failed')}</p>
          <p class="muted small">{failed}</p>
        </div>
      )}
      {notes.length > 0 && (
        <p class="map-note" title={ground?.reason}>
          {notes.join(' · ')}
        </p>
      )}
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
