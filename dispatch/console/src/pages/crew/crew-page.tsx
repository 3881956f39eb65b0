/** The crew's page: the same queue as on the terminal, for a phone in the truck or a PC at the station. */
import { useEffect, useState } from 'preact/hooks';
import type { OrderJson } from '../../api/types.js';
import { clockTime, countdown, rough } from '../../format.js';
import { language, setLanguage, t, tValue, type Key } from '../../i18n/index.js';
import { now } from '../../state/clock.js';
import { connection } from '../../state/connection.js';
import { me, session, signOut } from '../../state/session.js';
import { ask } from '../../ui/dialog.js';
import { Icon, type IconName } from '../../ui/icons.js';
import { Empty } from '../../ui/pieces.js';
import { sayProblem } from '../../ui/toast.js';
import { SignIn } from '../sign-in.js';
import { crewData, crewFresh, startCrew } from './crew-data.js';
import { CrewRecord } from './crew-record.js';
import { flush, kept, loadKept, press, refused, seen, startFlushing, type Kept } from './outbox.js';

const FORWARD: { step: string; icon: IconName }[] = [
  { step: 'accept', icon: 'check' },
  { step: 'depart', icon: 'right' },
  { step: 'arrive', icon: 'target' },
  { step: 'complete', icon: 'check' },
];
const AFTER: Record<string, number> = { accepted: 1, enRoute: 2, onSite: 3, working: 3 };

/** How far the crew has said it is with an order: what the gateway knows, and what is still on the phone. */
function progress(order: OrderJson, legState: string): number {
  const waiting = kept.value.filter((one) => one.orderId === order.id);
  const said = waiting.map((one) => FORWARD.findIndex((forward) => forward.step === one.step) + 1);
  return Math.max(AFTER[legState] ?? 0, ...said, 0);
}

async function act(order: OrderJson, step: string, leg: number, body: Record<string, unknown> = {}): Promise<void> {
  try {
    await press({
      path: `/orders/${encodeURIComponent(order.id)}/${step}`,
      body: { leg, ...body },
      step,
      orderId: order.id,
      label: order.number,
      photos: [],
    });
  } catch (error) {
    sayProblem(error);
  }
}

async function refuse(order: OrderJson, leg: number): Promise<void> {
  const answer = await ask({
    title: `${t('crew.reject')} · ${order.number}`,
    field: t('step.reason'),
    required: true,
    confirm: t('crew.reject'),
    danger: true,
  });
  if (answer) await act(order, 'reject', leg, { reason: answer.text });
}

function OrderItem({ order, leg, state, place }: { order: OrderJson; leg: number; state: string; place: number }) {
  const done = progress(order, state);
  const allowed = order.allowed ?? [];
  const waiting = kept.value.filter((one) => one.orderId === order.id);
  // What waits on the phone moves the order on before the gateway says so.
  const may = (step: string): boolean => allowed.includes(step) || waiting.length > 0;
  const next = FORWARD.slice(done).filter(
    ({ step }) => may(step) && (step !== 'complete' || done >= 2 || may('arrive')),
  );
  const left = order.deadlineAt && !order.timePoints.H ? Date.parse(order.deadlineAt) - now.value : undefined;
  const map = `geo:${order.site.lat},${order.site.lon}?q=${order.site.lat},${order.site.lon}(${encodeURIComponent(order.site.address)})`;
  return (
    <article
      class={`crew-order ${order.priority === 'urgent' ? 'urgent' : ''} ${state === 'recalling' ? 'leaving' : ''}`}
      data-order={order.id}
    >
      <header class="line">
        <span class="place">{place}</span>
        <b class="crew-number">{order.number.slice(-4)}</b>
        <span class="pill">{tValue('leg', state)}</span>
        {order.priority === 'urgent' && (
          <span class="pill bad">
            <Icon name="bolt" size={12} /> {t('new.urgent')}
          </span>
        )}
        <span class="grow" />
        {left !== undefined && (
          <span class={`countdown ${left < 0 ? 'bad' : left < 600_000 ? 'warn' : 'good'}`}>
            <b>{countdown(left)}</b> <span class="small">{left < 0 ? t('time.over') : t('time.left')}</span>
          </span>
        )}
      </header>
      <p class="crew-address">{order.site.address}</p>
      <p>
        {tValue('category', order.fault.category)} · {order.fault.description}
      </p>
      {order.urges.length > 0 && (
        <p class="why">
          <Icon name="bell" size={15} /> {t('card.urged', { n: order.urges.length })}
        </p>
      )}
      <div class="row">
        <a class="button" href={`tel:${order.customer.phone}`}>
          <Icon name="phone" /> {order.customer.name} {order.customer.phone}
        </a>
        <a class="button" href={map}>
          <Icon name="map" /> {t('crew.navigate')}
        </a>
      </div>
      {state !== 'recalling' && (
        <div class="crew-steps">
          {next.map((one, index) => (
            <button
              key={one.step}
              class={index === 0 ? 'primary' : ''}
              data-step={one.step}
              onClick={() => void act(order, one.step, leg)}
            >
              <Icon name={one.icon} /> {t(`crew.${one.step}` as Key)}
            </button>
          ))}
          {allowed.includes('reject') && done < 2 && (
            <button class="danger-text" data-step="reject" onClick={() => void refuse(order, leg)}>
              {t('crew.reject')}
            </button>
          )}
        </div>
      )}
      <Waiting presses={waiting} />
    </article>
  );
}

/** What is still on the phone. */
function Waiting({ presses }: { presses: readonly Kept[] }) {
  if (presses.length === 0) return null;
  const steps = presses.map((one) => `${t(`crew.${one.step}` as Key)} ${clockTime(one.pressedAt)}`).join(' · ');
  return (
    <p class="small behind" role="status">
      <Icon name="clock" size={14} /> {t('crew.waiting', { steps })}
    </p>
  );
}

function Duty() {
  const data = crewData.value;
  if (!data) return null;
  const set = async (to: string): Promise<void> => {
    try {
      await press({
        path: `/vehicles/${encodeURIComponent(data.vehicle.id)}/duty`,
        body: { to },
        step: to,
        label: data.vehicle.plate,
        photos: [],
      });
    } catch (error) {
      sayProblem(error);
    }
  };
  const duty = data.vehicle.duty.state;
  return (
    <>
      <div class="crew-duty" role="group" aria-label={t('vehicle.duty')}>
        {(['standby', 'onBreak', 'offDuty'] as const).map((to) => (
          <button key={to} aria-pressed={duty === to} onClick={() => void set(to)}>
            {tValue('duty', to)}
          </button>
        ))}
      </div>
      <Waiting presses={kept.value.filter((one) => one.orderId === undefined)} />
    </>
  );
}

function State() {
  const data = crewData.value;
  const live = crewFresh.value && (connection.value.state === 'live' || connection.value.state === 'polling');
  return (
    <>
      <p class={`crew-state ${live ? 'live' : 'stale'}`} role="status">
        <Icon name={live ? 'link' : 'alert'} size={15} />{' '}
        {live
          ? t('connection.live')
          : data
            ? t('crew.offline', { at: clockTime(data.savedAt), age: rough(now.value - data.savedAt) })
            : t('connection.connecting')}
        {kept.value.length > 0 && (
          <button class="small-button" onClick={() => void flush()}>
            {t('crew.toSend', { n: kept.value.length })}
          </button>
        )}
      </p>
      {refused.value.map((one) => (
        <p key={one.id} class="problem" role="alert">
          <Icon name="alert" size={15} />
          <span class="grow">
            <b>
              {one.label} · {t(`crew.${one.step}` as Key)} {clockTime(one.pressedAt)}
            </b>{' '}
            {one.words}
          </span>
          <button class="icon-only quiet" aria-label={t('do.close')} onClick={() => void seen(one).catch(sayProblem)}>
            <Icon name="close" size={14} />
          </button>
        </p>
      ))}
    </>
  );
}

/** An account of the office that opened the crew's page: the way to its own. */
function NoVehicle() {
  return (
    <main class="crew">
      <Empty text={t('crew.noVehicle')} />
      <p class="row centre">
        <a class="button" href="/">
          {t('app.toMap')}
        </a>
      </p>
    </main>
  );
}

export function CrewPage() {
  const [record, setRecord] = useState<OrderJson>();
  const signedIn = session.value.kind === 'signedIn';
  useEffect(() => {
    void loadKept().catch(sayProblem);
    return startFlushing();
  }, []);
  useEffect(() => (signedIn ? startCrew() : undefined), [signedIn]);
  const data = crewData.value;
  if (!signedIn && (navigator.onLine || !data)) return <SignIn />;
  if (signedIn && !me.value?.vehicleId) return <NoVehicle />;
  const orders = new Map(data?.orders.map((order) => [order.id, order]));
  const toRecord = (data?.orders ?? []).filter(
    (order) =>
      order.stage === 'repaired' && !kept.value.some((one) => one.orderId === order.id && one.step === 'record'),
  );
  return (
    <main class="crew">
      <header class="crew-head">
        <div class="grow">
          <h1 class="plate">{data?.vehicle.plate ?? '…'}</h1>
          <p>{data?.vehicle.crew.name}</p>
        </div>
        <button class="quiet" onClick={() => setLanguage(language.value === 'en' ? 'zh-CN' : 'en')}>
          {language.value === 'en' ? '中文' : 'English'}
        </button>
        <button class="icon-only quiet" aria-label={t('menu.signOut')} onClick={() => void signOut()}>
          <Icon name="out" />
        </button>
      </header>
      <State />
      <Duty />
      {data?.queue.legs.length === 0 && <Empty text={t('vehicle.noQueue')} />}
      {data?.queue.legs.map((leg) => {
        const order = orders.get(leg.orderId);
        return order ? (
          <OrderItem
            key={`${leg.orderId}/${leg.leg}`}
            order={order}
            leg={leg.leg}
            state={leg.state}
            place={leg.position}
          />
        ) : null;
      })}
      {toRecord.length > 0 && <h2>{t('crew.records')}</h2>}
      {toRecord.map((order) => (
        <article key={order.id} class="crew-order" data-order={order.id}>
          <div class="line">
            <b class="crew-number">{order.number.slice(-4)}</b>
            <span class="grow cut">{order.site.address}</span>
            <button class="primary" data-step="record" onClick={() => setRecord(order)}>
              <Icon name="list" /> {t('crew.record')}
            </button>
          </div>
        </article>
      ))}
      {record && <CrewRecord order={record} onClose={() => setRecord(undefined)} />}
    </main>
  );
}
