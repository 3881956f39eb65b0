/** Replay: a vehicle's track or an order's whole story on one time bar. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { clockTime, dateTime, distance } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import {
  boundsOf,
  type FleetMark,
  type LineMark,
  type LonLat,
  type MapEngine,
  type OrderMark,
} from '../../map/engine.js';
import { MapView } from '../../map/map-view.js';
import { query, setQuery } from '../../router.js';
import { gatewayNow } from '../../state/clock.js';
import { orders, vehicles } from '../../state/live.js';
import { Boundary } from '../../ui/boundary.js';
import { Icon } from '../../ui/icons.js';
import { Empty, vehicleName } from '../../ui/pieces.js';
import { problemWords } from '../../ui/toast.js';
import { metresBetween } from '../board/nearby.js';
import { describeEvent } from '../event-words.js';
import { TimeBar } from './time-bar.js';
import {
  eventTime,
  pointAt,
  pointTime,
  recordOrder,
  recordVehicle,
  type Mode,
  type Recording,
} from './timeline-data.js';

const SPEEDS = [1, 2, 4, 8, 16, 32, 64];
const FRAME_MS = 100;
const PERIODS_H = [1, 2, 6, 12, 24];
/** A position older than this is drawn as quiet: nobody knew where the vehicle was. */
const QUIET_MS = 120_000;

function useRecording(hours: number): { recording: Recording | undefined; problem: string | undefined } {
  const vehicle = query.value.get('vehicle');
  const order = query.value.get('order');
  const [state, setState] = useState<{ recording?: Recording; problem?: string }>({});
  useEffect(() => {
    setState({});
    if (!vehicle && !order) return;
    const abort = new AbortController();
    const now = gatewayNow();
    const work = order
      ? recordOrder(order, now, abort.signal)
      : recordVehicle(vehicle!, now - hours * 3_600_000, now, abort.signal);
    work.then(
      (recording) => setState({ recording }),
      (error: unknown) => {
        if (!abort.signal.aborted) setState({ problem: problemWords(error) });
      },
    );
    return () => abort.abort();
  }, [vehicle, order, hours]);
  return { recording: state.recording, problem: state.problem };
}

function marksAt(
  recording: Recording,
  at: number,
  mode: Mode,
): { fleet: FleetMark[]; lines: LineMark[]; orders: OrderMark[] } {
  const fleet: FleetMark[] = [];
  const lines: LineMark[] = [];
  for (const [id, points] of recording.tracks) {
    const here = pointAt(points, at, mode);
    const ll = (p: { lon: number; lat: number }): LonLat => [p.lon, p.lat];
    if (points.length > 1) lines.push({ kind: 'ghost', points: points.map(ll) });
    const gone = points.filter((point) => pointTime(point, mode) <= at);
    if (gone.length > 1) lines.push({ kind: 'track', points: gone.map(ll) });
    if (!here) continue;
    const quiet = at - pointTime(here, mode) > QUIET_MS;
    fleet.push({ id, lon: here.lon, lat: here.lat, headingDeg: here.headingDeg, moving: !quiet && here.speedKmh > 3, duty: 'enRoute', link: quiet ? 'quiet' : 'up', queue: 0, undelivered: false, label: vehicleName(id) }); // prettier-ignore
  }
  const marks = recording.orders.map((order): OrderMark => ({
    id: order.id,
    lon: order.site.lon,
    lat: order.site.lat,
    tone: 'idle',
    left: 0,
    minutes: order.number.slice(-4),
    urgent: order.priority === 'urgent',
    label: order.site.address,
  }));
  return { fleet, lines, orders: marks };
}

function totals(recording: Recording): { metres: number; stops: number } {
  let [metres, stops] = [0, 0];
  for (const points of recording.tracks.values()) {
    let stoodSince: number | undefined;
    points.forEach((point, index) => {
      const before = points[index - 1];
      if (before) metres += metresBetween(before, point);
      if (point.speedKmh > 3) stoodSince = undefined;
      else if (stoodSince === undefined) stoodSince = point.deviceAt;
      else if (point.deviceAt - stoodSince > 60_000) {
        stops += 1;
        stoodSince = Number.POSITIVE_INFINITY;
      }
    });
  }
  return { metres, stops };
}

function Choice({ hours, setHours }: { hours: number; setHours(hours: number): void }) {
  const vehicle = query.value.get('vehicle') ?? '';
  const order = query.value.get('order') ?? '';
  const known = [...vehicles.value.values()].sort((a, b) => a.plate.localeCompare(b.plate));
  const open = [...orders.value.values()].sort((a, b) => b.number.localeCompare(a.number));
  return (
    <div class="stack replay-choice">
      <label class="field">
        <span>{t('replay.vehicle')}</span>
        <select
          value={vehicle}
          onChange={(event) => setQuery({ vehicle: event.currentTarget.value, order: undefined })}
        >
          <option value="">–</option>
          {known.map((one) => (
            <option key={one.id} value={one.id}>
              {one.plate} {one.crew.name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{t('replay.order')}</span>
        <select value={order} onChange={(event) => setQuery({ order: event.currentTarget.value, vehicle: undefined })}>
          <option value="">–</option>
          {order && !orders.value.has(order) && <option value={order}>{order}</option>}
          {open.map((one) => (
            <option key={one.id} value={one.id}>
              {one.number} {one.site.address}
            </option>
          ))}
        </select>
      </label>
      {vehicle && (
        <label class="field">
          <span>{t('replay.period')}</span>
          <select value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
            {PERIODS_H.map((one) => (
              <option key={one} value={one}>
                {t('unit.hours', { n: one })}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

function EventList({
  recording,
  mode,
  at,
  onSeek,
}: {
  recording: Recording;
  mode: Mode;
  at: number;
  onSeek(at: number): void;
}) {
  const list = useMemo(
    () => recording.events.map((event) => ({ event, at: eventTime(event, mode) })).sort((a, b) => a.at - b.at),
    [recording, mode],
  );
  const current = list.findLastIndex((one) => one.at <= at);
  const ref = useRef<HTMLOListElement>(null);
  useEffect(() => {
    ref.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  if (list.length === 0) return <Empty text={t('replay.noEvents')} />;
  return (
    <ol class="replay-events" ref={ref}>
      {list.map(({ event, at: time }, index) => (
        <li key={event.position} class={index > current ? 'future' : ''}>
          <button class="row-button" aria-current={index === current ? 'step' : undefined} onClick={() => onSeek(time)}>
            <span class="line">
              <time>{clockTime(time)}</time>
              <span class="grow">{describeEvent(event)}</span>
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

export function ReplayPage() {
  const [hours, setHours] = useState(2);
  const [mode, setMode] = useState<Mode>('happened');
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(8);
  const [at, setAt] = useState(0);
  const engine = useRef<MapEngine | undefined>(undefined);
  const { recording, problem } = useRecording(hours);
  useEffect(() => {
    if (!recording) return;
    setAt(recording.from);
    setPlaying(false);
    const all = boundsOf([...[...recording.tracks.values()].flat(), ...recording.orders.map((order) => order.site)]);
    if (all) engine.current?.fit(all, true);
  }, [recording]);
  useEffect(() => {
    if (!playing || !recording) return;
    const timer = setInterval(() => setAt((now) => Math.min(recording.to, now + FRAME_MS * speed)), FRAME_MS);
    return () => clearInterval(timer);
  }, [playing, speed, recording]);
  useEffect(() => {
    if (recording && at >= recording.to) setPlaying(false);
  }, [at, recording]);
  const second = Math.floor(at / 1000);
  const shown = useMemo(() => (recording ? marksAt(recording, at, mode) : undefined), [recording, second, mode]);
  const start = useMemo(
    () =>
      recording && boundsOf([...[...recording.tracks.values()].flat(), ...recording.orders.map((order) => order.site)]),
    [recording],
  );
  const sum = useMemo(() => (recording ? totals(recording) : undefined), [recording]);
  const step = (ms: number): void => {
    if (recording) setAt(Math.max(recording.from, Math.min(recording.to, at + ms)));
  };
  return (
    <div class="replay-page">
      <aside class="side" aria-label={t('nav.replay')}>
        <header class="page-head">
          <h1>{t('nav.replay')}</h1>
        </header>
        <Choice hours={hours} setHours={setHours} />
        {problem && <Empty text={problem} />}
        {!recording && !problem && <Empty text={t('replay.choose')} />}
        {recording && sum && (
          <p class="small muted replay-sum">
            {dateTime(recording.from)} · {distance(sum.metres)} · {t('replay.stops', { n: sum.stops })} ·{' '}
            {t('replay.events', { n: recording.events.length })}
          </p>
        )}
        {recording && <EventList recording={recording} mode={mode} at={at} onSeek={setAt} />}
      </aside>
      <div class="replay-main">
        <div class="map-area">
          <Boundary name="map">
            <MapView
              label={t('replay.map')}
              fleet={shown?.fleet ?? []}
              orders={shown?.orders ?? []}
              lines={shown?.lines ?? []}
              start={start}
              nothing={recording !== undefined && start === undefined}
              onEngine={(made) => (engine.current = made)}
            />
          </Boundary>
        </div>
        {recording && (
          <section class="replay-controls" aria-label={t('replay.controls')}>
            <div class="line">
              <button class="icon-only" aria-label={t('replay.back')} onClick={() => step(-60_000)}>
                <Icon name="left" />
              </button>
              <button
                class="primary"
                onClick={() => (at >= recording.to && setAt(recording.from), setPlaying(!playing))}
              >
                <Icon name={playing ? 'pause' : 'play'} /> {t(playing ? 'replay.pause' : 'replay.play')}
              </button>
              <button class="icon-only" aria-label={t('replay.forward')} onClick={() => step(60_000)}>
                <Icon name="right" />
              </button>
              <select
                class="speed"
                aria-label={t('replay.speed')}
                value={speed}
                onChange={(event) => setSpeed(Number(event.currentTarget.value))}
              >
                {SPEEDS.map((one) => (
                  <option key={one} value={one}>
                    {one}×
                  </option>
                ))}
              </select>
              <b class="replay-time">{dateTime(at)}</b>
              <span class="grow" />
              <div class="switch" role="group" aria-label={t('replay.mode')}>
                {(['happened', 'known'] as const).map((one) => (
                  <button key={one} aria-pressed={mode === one} onClick={() => setMode(one)}>
                    {tValue('replay', one)}
                  </button>
                ))}
              </div>
            </div>
            <TimeBar recording={recording} mode={mode} at={at} onSeek={setAt} />
          </section>
        )}
      </div>
    </div>
  );
}
