/** The wall: the map and the worst ten orders, to be read from across the room; no controls. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { t } from '../i18n/index.js';
import type { MapEngine } from '../map/engine.js';
import { fleetMarks, orderMarks } from '../map/live-marks.js';
import { MapView } from '../map/map-view.js';
import { navigate } from '../router.js';
import { connection } from '../state/connection.js';
import { loaded } from '../state/live.js';
import { watch } from '../state/watched.js';
import { ConnectionMark, StaleBanner } from '../shell/connection-mark.js';
import { figures, Figures } from '../shell/figures.js';
import { GatewayClock } from '../shell/gateway-clock.js';
import { Boundary } from '../ui/boundary.js';
import { Countdown, Empty, holderOf, StagePill } from '../ui/pieces.js';
import { TimeLine } from '../ui/time-line.js';
import { everything } from './map-page.js';
import { pressing } from './map-side.js';

const WORST = 10;
/** The map is fitted anew this often, since nobody moves it. */
const FIT_MS = 30_000;

export function WallPage() {
  const engine = useRef<MapEngine | undefined>(undefined);
  const start = useMemo(() => (loaded.value ? everything() : undefined), [loaded.value]);
  useEffect(() => {
    const timer = setInterval(() => {
      const bounds = everything();
      if (bounds) engine.current?.fit(bounds, true);
    }, FIT_MS);
    const leave = (event: KeyboardEvent): void => void (event.key === 'Escape' && navigate('/'));
    window.addEventListener('keydown', leave);
    return () => {
      clearInterval(timer);
      window.removeEventListener('keydown', leave);
    };
  }, []);
  const worst = pressing.value.slice(0, WORST);
  return (
    <div class={`wall ${connection.value.state === 'stale' ? 'is-stale' : ''}`}>
      <header>
        <img src="/icon.svg" alt="" width={36} height={36} />
        <h1>Linecrew</h1>
        <Figures />
        <span class="grow" />
        <ConnectionMark />
        <GatewayClock />
      </header>
      <StaleBanner />
      <main class="wall-body">
        <div class="wall-map">
          <Boundary name="map">
            <MapView
              label={t('map.label')}
              fleet={fleetMarks}
              orders={orderMarks}
              lines={[]}
              start={start}
              nothing={loaded.value && start === undefined}
              controls={false}
              onView={watch}
              onEngine={(made) => (engine.current = made)}
            />
          </Boundary>
        </div>
        <section aria-label={t('wall.worst')}>
          <h2>
            {t('wall.worst')} <span class="muted">{figures.value.open}</span>
          </h2>
          {worst.length === 0 && <Empty text={t('side.noOrders')} />}
          <ol>
            {worst.map((order) => (
              <li key={order.id}>
                <div class="line">
                  <Countdown order={order} large />
                  <div class="grow">
                    <p class="line">
                      <b>{order.number.slice(-4)}</b> <StagePill order={order} />
                      <span class="muted cut">{holderOf(order)}</span>
                    </p>
                    <p class="cut">{order.site.address}</p>
                  </div>
                </div>
                <TimeLine order={order} />
              </li>
            ))}
          </ol>
        </section>
      </main>
    </div>
  );
}
