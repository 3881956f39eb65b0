/** One order: what can be done, its time line, customer, vehicles, events. */
import { useState } from 'preact/hooks';
import type { EventJson, LegJson, OrderJson } from '../api/types.js';
import { clockTime, dateTime } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { gatewayNow, now } from '../state/clock.js';
import { orders, type LiveOrder } from '../state/live.js';
import { closeInspector, openOrder, openVehicle } from '../state/selection.js';
import { runStep, STEPS, takeStep } from '../state/steps.js';
import { Icon } from '../ui/icons.js';
import { useLoad } from '../ui/load.js';
import { centreName, Countdown, Empty, holderOf, Phone, StagePill, vehicleName } from '../ui/pieces.js';
import { TimeLine, TimeTable } from '../ui/time-line.js';
import { CandidateRow, useCandidates } from './assign-dialog.js';
import { whyLate } from './board/order-card.js';
import { describeEvent, isTelling } from './event-words.js';
import { OrderPhotos } from './order-photos.js';
import { RecordFacts } from './record-form.js';
import { StepButtons } from './step-buttons.js';
import { plainText } from '../ui/form-data.js';

function Legs({ order }: { order: LiveOrder }) {
  if (order.legs.length === 0) return null;
  const recallStep = STEPS.find((step) => step.name === 'confirm-recall')!;
  const row = (leg: LegJson) => (
    <tr key={leg.leg} class={leg.open ? '' : 'past'}>
      <td>{leg.leg}</td>
      <td>
        <button class="link" onClick={() => openVehicle(leg.vehicleId)}>
          {vehicleName(leg.vehicleId)}
        </button>
      </td>
      <td>
        {tValue('leg', leg.state)}
        {leg.effective && <span class="flag">{t('leg.effective')}</span>}
        {leg.toldByPhone && <span class="flag">{tValue('flag', 'byPhone')}</span>}
        {leg.reason && <span class="muted small"> {leg.reason}</span>}
      </td>
      <td class="number">{clockTime(leg.timePoints.D?.at ?? leg.createdAt)}</td>
      <td>
        {leg.state === 'recalling' && (
          <button class="small-button" onClick={() => void runStep(order, recallStep, leg.leg)}>
            {t('step.confirm-recall')}
          </button>
        )}
      </td>
    </tr>
  );
  return (
    <section>
      <h3>{t('order.legs')}</h3>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{t('order.vehicle')}</th>
            <th scope="col">{t('col.stage')}</th>
            <th scope="col">{t('order.assignedAt')}</th>
            <th scope="col">
              <span class="visually-hidden">{t('col.steps')}</span>
            </th>
          </tr>
        </thead>
        <tbody>{order.legs.map(row)}</tbody>
      </table>
    </section>
  );
}

function Recommended({ order }: { order: LiveOrder }) {
  const { list } = useCandidates(order.id);
  const suitable = list?.filter((one) => one.suitable).slice(0, 3) ?? [];
  if (suitable.length === 0) return null;
  return (
    <section>
      <h3>{t('order.recommended')}</h3>
      <ol class="candidates">
        {suitable.map((one) => (
          <CandidateRow
            key={one.vehicleId}
            candidate={one}
            action={() => void takeStep(order, 'assign', { vehicleId: one.vehicleId })}
          />
        ))}
      </ol>
    </section>
  );
}

function Events({ events }: { events: EventJson[] }) {
  const [all, setAll] = useState(false);
  const newest = events.filter(isTelling).reverse();
  const shown = all ? newest : newest.slice(0, 12);
  return (
    <section>
      <h3>{t('order.events')}</h3>
      <ol class="events">
        {shown.map((event) => (
          <li key={event.position}>
            <time>{clockTime(event.committedAt)}</time>
            <span class="grow">{describeEvent(event)}</span>
            <span class="muted small">
              {tValue('source', event.source)} {event.by}
            </span>
          </li>
        ))}
      </ol>
      {newest.length > shown.length && (
        <button class="quiet" onClick={() => setAll(true)}>
          {t('order.allEvents', { n: newest.length })}
        </button>
      )}
    </section>
  );
}

function Facts({ order }: { order: LiveOrder }) {
  return (
    <section>
      <h3>{t('order.customer')}</h3>
      <dl class="facts">
        <dt>{t('new.name')}</dt>
        <dd>
          {order.customer.name} <Phone number={order.customer.phone} />
        </dd>
        <dt>{t('new.address')}</dt>
        <dd>
          {order.site.address} <span class="muted">{tValue('siteClass', order.site.siteClass)}</span>
        </dd>
        <dt>{t('order.fault')}</dt>
        <dd>
          {tValue('category', order.fault.category)} · {tValue('voltage', order.fault.voltage)} ·{' '}
          {order.fault.description}
        </dd>
        <dt>{t('order.centre')}</dt>
        <dd>{centreName(order.repairCentreId) || '–'}</dd>
        {order.receivedBy && (
          <>
            <dt>{t('order.receivedBy')}</dt>
            <dd>
              {order.receivedBy.name} {clockTime(order.receivedBy.at)}
            </dd>
          </>
        )}
        {order.reason && (
          <>
            <dt>{t('step.reason')}</dt>
            <dd>
              {tValue('reason', order.reason.code)} {order.reason.note}
            </dd>
          </>
        )}
        {order.urges.map((urge) => (
          <>
            <dt>{t('step.urge')}</dt>
            <dd>
              {clockTime(urge.at)} {urge.by} {urge.note}
            </dd>
          </>
        ))}
        <RecordFacts order={order} />
        {order.callBacks.map((call) => (
          <>
            <dt>{t('step.callback')}</dt>
            <dd>
              {clockTime(call.at)} {tValue('callback', call.result)} {plainText(call.words)}
            </dd>
          </>
        ))}
      </dl>
      {order.mergedInto && (
        <p>
          {t('order.mergedInto')}{' '}
          <button class="link" onClick={() => openOrder(order.mergedInto!)}>
            {orders.value.get(order.mergedInto)?.number ?? order.mergedInto}
          </button>
        </p>
      )}
      {order.subs.length > 0 && (
        <p>
          {t('order.subs')}{' '}
          {order.subs.map((id) => (
            <button key={id} class="link" onClick={() => openOrder(id)}>
              {orders.value.get(id)?.number ?? id}
            </button>
          ))}
        </p>
      )}
    </section>
  );
}

export function OrderPanel({ id }: { id: string }) {
  const live = orders.value.get(id);
  const full = useLoad<OrderJson>(`/orders/${encodeURIComponent(id)}`, live?.version);
  const order: LiveOrder | undefined = live ?? (full.value ? { ...full.value, seenAt: gatewayNow() } : undefined);
  const why = order && whyLate(order);
  return (
    <aside class="inspector" aria-label={t('order.label')} data-inspector={id}>
      <header class="panel-head">
        <div class="grow">
          <h2>{order?.number ?? '…'}</h2>
          {order && (
            <p class="line">
              <StagePill order={order} />
              {order.priority === 'urgent' && (
                <span class="pill bad">
                  <Icon name="bolt" size={12} /> {t('new.urgent')}
                </span>
              )}
              {order.cycle > 1 && <span class="pill warn">{t('order.cycle', { n: order.cycle })}</span>}
              <span class="muted small">{dateTime(order.createdAt)}</span>
            </p>
          )}
        </div>
        {order && <Countdown order={order} large />}
        <button class="icon-only quiet" aria-label={t('do.close')} onClick={closeInspector}>
          <Icon name="close" />
        </button>
      </header>
      <div class="panel-body" tabIndex={0} role="region" aria-label={order?.number ?? t('order.label')}>
        {full.problem && !order && <Empty text={full.problem} />}
        {order && (
          <>
            <StepButtons order={order} shown={3} />
            {why && (
              <p class="why">
                <Icon name="alert" size={15} /> {why}
              </p>
            )}
            <p class="holder">
              <Icon name="user" size={14} /> {t('order.holder')}: {holderOf(order)}
              {order.eta && now.value < Date.parse(order.eta.at) && (
                <span> · {t('order.eta', { at: clockTime(order.eta.at) })}</span>
              )}
            </p>
            <TimeLine order={order} />
            {order.allowed?.includes('assign') && <Recommended order={order} />}
            <Facts order={order} />
            <OrderPhotos order={order} />
            <Legs order={order} />
            <section>
              <h3>{t('order.times')}</h3>
              <TimeTable order={order} />
            </section>
            {full.value?.events && <Events events={full.value.events} />}
            <p>
              <a class="button" href={`/replay?order=${encodeURIComponent(id)}`}>
                <Icon name="replay" size={15} /> {t('order.replay')}
              </a>
            </p>
          </>
        )}
      </div>
    </aside>
  );
}
