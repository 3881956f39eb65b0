/** One vehicle: queue with what the terminal confirmed, deliveries, crew, duty, a text to the driver. */
import { post, type PageOf } from '../api/client.js';
import type { DeliveryJson, QueueJson, VehicleJson } from '../api/types.js';
import { clockTime, rough } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { now } from '../state/clock.js';
import { orders, recentEvents, refreshVehicles, vehicles } from '../state/live.js';
import { positionAgeMs, positions } from '../state/positions.js';
import { closeInspector, openOrder } from '../state/selection.js';
import { ask } from '../ui/dialog.js';
import { Icon } from '../ui/icons.js';
import { useLoad } from '../ui/load.js';
import { centreName, Countdown, DutyPill, Empty, LinkMark, Phone } from '../ui/pieces.js';
import { say, sayProblem } from '../ui/toast.js';
import { Problem } from '../api/client.js';
import { moveInQueue } from './board/queue-lane.js';
import { plainText, textOf } from '../ui/form-data.js';

const pathOf = (id: string): string => `/vehicles/${encodeURIComponent(id)}`;

function Queue({ vehicle, queue }: { vehicle: VehicleJson; queue: QueueJson }) {
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

const OPEN_DELIVERY = new Set(['queued', 'inFlight', 'unanswered']);

function Deliveries({ vehicle, list, again }: { vehicle: VehicleJson; list: DeliveryJson[]; again(): void }) {
  const cancel = async (delivery: DeliveryJson): Promise<void> => {
    try {
      await post(`${pathOf(vehicle.id)}/deliveries/${encodeURIComponent(delivery.id)}/cancel`);
      again();
    } catch (error) {
      sayProblem(error);
    }
  };
  const row = (delivery: DeliveryJson) => (
    <li key={delivery.id} class={OPEN_DELIVERY.has(delivery.state) ? 'open' : 'past'}>
      <span class="line">
        <time>{clockTime(delivery.createdAt)}</time>
        <b>{tValue('deliveryKind', delivery.kind)}</b>
        <span class={`pill delivery-${delivery.state}`}>{tValue('delivery', delivery.state)}</span>
        <span class="grow" />
        {delivery.orderId && (
          <button class="link small" onClick={() => openOrder(delivery.orderId!)}>
            {orders.value.get(delivery.orderId)?.number.slice(-4) ?? t('card.order')}
          </button>
        )}
        {delivery.state === 'queued' && (
          <button class="small-button" onClick={() => void cancel(delivery)}>
            {t('do.cancel')}
          </button>
        )}
      </span>
      {delivery.text && <span class="small">{delivery.text}</span>}
      <span class="muted small">
        {t('delivery.attempts', { n: delivery.attempts.length })}
        {delivery.attempts.length > 0 &&
          ` ${delivery.attempts
            .map((attempt) => clockTime(attempt.at))
            .slice(-4)
            .join(' ')}`}
        {delivery.result && ` · ${delivery.result}`}
        {delivery.nextAt &&
          OPEN_DELIVERY.has(delivery.state) &&
          ` · ${t('delivery.next', { at: clockTime(delivery.nextAt) })}`}
      </span>
    </li>
  );
  return (
    <section>
      <h3>{t('vehicle.deliveries')}</h3>
      {list.length === 0 && <Empty text={t('vehicle.noDeliveries')} />}
      <ol class="deliveries">{list.slice(0, 25).map(row)}</ol>
    </section>
  );
}

function Message({ vehicle, sent }: { vehicle: VehicleJson; sent(): void }) {
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    try {
      await post(`${pathOf(vehicle.id)}/messages`, {
        text: textOf(data, 'text'),
        urgent: data.get('urgent') !== null,
      });
      say(t('vehicle.messageQueued'));
      form.reset();
      sent();
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <section>
      <h3>{t('vehicle.message')}</h3>
      <form class="message" onSubmit={(event) => void submit(event)}>
        <textarea
          name="text"
          rows={2}
          required
          maxLength={1000}
          aria-label={t('vehicle.message')}
          placeholder={t('vehicle.messageHint')}
        />
        <div class="row">
          <label class="check">
            <input type="checkbox" name="urgent" /> {t('new.urgent')}
          </label>
          <span class="grow" />
          <button type="submit">
            <Icon name="message" size={15} /> {t('do.send')}
          </button>
        </div>
      </form>
    </section>
  );
}

async function setDuty(vehicle: VehicleJson, to: string, confirm = false): Promise<void> {
  try {
    await post(`${pathOf(vehicle.id)}/duty`, { to, ...(confirm ? { confirm } : {}) });
    say(t('duty.set', { plate: vehicle.plate, duty: tValue('duty', to) }));
    await refreshVehicles([vehicle.id]);
  } catch (error) {
    if (!confirm && error instanceof Problem && /confirm/i.test(error.code)) {
      const sure = await ask({ title: tValue('duty', to), text: error.message, confirm: t('do.confirm') });
      return sure ? setDuty(vehicle, to, true) : undefined;
    }
    sayProblem(error);
  }
}

function Crew({ vehicle }: { vehicle: VehicleJson }) {
  const { crew, duty, terminal } = vehicle;
  const position = positions.get(vehicle.id);
  return (
    <section>
      <h3>{t('vehicle.crew')}</h3>
      <dl class="facts">
        <dt>{t('vehicle.crew')}</dt>
        <dd>
          <b>{crew.name}</b> · {tValue('trade', vehicle.trade)}
        </dd>
        {crew.members.length > 0 && (
          <>
            <dt>{t('vehicle.members')}</dt>
            <dd>
              {crew.members.map((person) => (
                <span key={person.name} class="person">
                  {person.name} <Phone number={person.phone} />
                </span>
              ))}
            </dd>
          </>
        )}
        {(crew.managers?.length ?? 0) > 0 && (
          <>
            <dt>{t('vehicle.managers')}</dt>
            <dd>
              {crew.managers!.map((person) => (
                <span key={person.name} class="person">
                  {person.name} <Phone number={person.phone} />
                </span>
              ))}
            </dd>
          </>
        )}
        <dt>{t('vehicle.centre')}</dt>
        <dd>{centreName(vehicle.repairCentreId)}</dd>
        <dt>{t('vehicle.terminal')}</dt>
        <dd>
          {terminal.phone} · {tValue('profile', plainText(terminal.profile))}
        </dd>
        {position && (
          <>
            <dt>{t('vehicle.position')}</dt>
            <dd>
              {position.lat.toFixed(5)}, {position.lon.toFixed(5)} · {Math.round(position.speedKmh)} km/h ·{' '}
              {t('link.age', { age: rough(positionAgeMs(vehicle.id) ?? 0) })}
            </dd>
          </>
        )}
      </dl>
      <div class="row" role="group" aria-label={t('vehicle.duty')}>
        {(['standby', 'onBreak', 'offDuty'] as const).map((to) => (
          <button key={to} aria-pressed={duty.state === to} onClick={() => void setDuty(vehicle, to)}>
            {tValue('duty', to)}
          </button>
        ))}
      </div>
    </section>
  );
}

export function VehiclePanel({ id }: { id: string }) {
  const vehicle = vehicles.value.get(id);
  // Deliveries change without the vehicle's own document changing: the newest event about it is the version.
  const newest = recentEvents.value.find((event) => event.vehicleId === id)?.position ?? 0;
  const queue = useLoad<QueueJson>(`${pathOf(id)}/queue`, `${vehicle?.version}/${newest}`);
  const deliveries = useLoad<PageOf<DeliveryJson>>(`${pathOf(id)}/deliveries`, `${vehicle?.version}/${newest}`);
  void now.value;
  return (
    <aside class="inspector" aria-label={t('vehicle.label')} data-inspector={id}>
      <header class="panel-head">
        <div class="grow">
          <h2 class="plate">{vehicle?.plate ?? id}</h2>
          {vehicle && (
            <p class="line">
              <DutyPill vehicle={vehicle} />
              <LinkMark vehicle={vehicle} words />
            </p>
          )}
        </div>
        <button class="icon-only quiet" aria-label={t('do.close')} onClick={closeInspector}>
          <Icon name="close" />
        </button>
      </header>
      <div class="panel-body" tabIndex={0} role="region" aria-label={vehicle?.plate ?? id}>
        {!vehicle && <Empty text={queue.problem ?? t('app.loading')} />}
        {vehicle && (
          <>
            {queue.value && <Queue vehicle={vehicle} queue={queue.value} />}
            <Crew vehicle={vehicle} />
            <Message vehicle={vehicle} sent={deliveries.again} />
            <Deliveries vehicle={vehicle} list={deliveries.value?.items ?? []} again={deliveries.again} />
            <p>
              <a class="button" href={`/replay?vehicle=${encodeURIComponent(id)}`}>
                <Icon name="replay" size={15} /> {t('order.replay')}
              </a>
            </p>
          </>
        )}
      </div>
    </aside>
  );
}
