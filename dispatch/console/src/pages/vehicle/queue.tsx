/** The queue of one vehicle, and what of it the terminal has confirmed. */
import type { QueueJson, VehicleJson } from '../../api/types.js';
import { clockTime } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { orders } from '../../state/live.js';
import { openOrder } from '../../state/selection.js';
import { Icon } from '../../ui/icons.js';
import { Countdown, Empty } from '../../ui/pieces.js';
import { moveInQueue } from '../board/queue-lane.js';

export function Queue({ vehicle, queue }: { vehicle: VehicleJson; queue: QueueJson }) {
  const ids = queue.legs.map((leg) => leg.orderId);
  const agreed = queue.revision === queue.confirmedRevision;
  const move = (place: number, by: number): void =>
    void moveInQueue(vehicle.id, ids[place]!, by < 0 ? ids[place - 1] : ids[place + 2]);
  return (
    <section>
      <h3>
        {t('vehicle.queue')} <span class="muted">{queue.legs.length}</span>
      </h3>
      <p class={`small ${agreed ? 'agreed' : 'behind'}`}>
        <Icon name={agreed ? 'check' : 'clock'} size={14} />{' '}
        {agreed
          ? t('queue.agreed', { revision: queue.revision, at: clockTime(queue.confirmedAt) })
          : t('queue.notYet', { revision: queue.revision, confirmed: queue.confirmedRevision })}
      </p>
      {queue.legs.length === 0 && <Empty text={t('vehicle.noQueue')} />}
      <ol class="queue">
        {queue.legs.map((leg, place) => {
          const order = orders.value.get(leg.orderId);
          return (
            <li key={`${leg.orderId}/${leg.leg}`} class={leg.state === 'recalling' ? 'leaving' : ''}>
              <span class="place">{leg.position}</span>
              <div class="grow">
                <span class="line">
                  <button class="link" onClick={() => openOrder(leg.orderId)}>
                    {leg.number}
                  </button>
                  <span class="pill">{tValue('leg', leg.state)}</span>
                  <span class={`small ${leg.held ? 'agreed' : 'behind'}`}>
                    {leg.held ? t('queue.held') : t('queue.notHeld')}
                  </span>
                  <span class="grow" />
                  {order && <Countdown order={order} />}
                </span>
                <span class="muted small">{leg.address}</span>
              </div>
              <span class="movers">
                <button
                  class="icon-only quiet"
                  disabled={place === 0}
                  aria-label={t('queue.up', { number: leg.number })}
                  onClick={() => move(place, -1)}
                >
                  <Icon name="up" size={14} />
                </button>
                <button
                  class="icon-only quiet"
                  disabled={place === ids.length - 1}
                  aria-label={t('queue.down', { number: leg.number })}
                  onClick={() => move(place, 1)}
                >
                  <Icon name="down" size={14} />
                </button>
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
