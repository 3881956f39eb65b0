/** One order on the board: time line, minutes left, holder, why it is late, next steps. */
import { t, tValue } from '../../i18n/index.js';
import { now } from '../../state/clock.js';
import type { LiveOrder } from '../../state/live.js';
import { openOrder, selection } from '../../state/selection.js';
import { countdown } from '../../format.js';
import { Icon } from '../../ui/icons.js';
import { segmentNow, standing } from '../../ui/order-time.js';
import { Countdown, holderOf, StagePill } from '../../ui/pieces.js';
import { TimeLine } from '../../ui/time-line.js';
import { StepButtons } from '../step-buttons.js';
import { endDrag, startDrag } from './drag.js';

/** Why the order is late or about to be, in one line. */
export function whyLate(order: LiveOrder): string | undefined {
  const at = now.value;
  const { late, atRisk } = standing(order, at);
  if (late.length > 0) {
    return late
      .map((part) => {
        const over = -segmentNow(part, order.seenAt, at).remainingMs;
        const words = t('why.over', { part: part.name, over: countdown(over), who: tValue('level', part.responsible) });
        // One part stays on one line.
        return words.replaceAll(' ', '\u00a0');
      })
      .join(' · ');
  }
  if (atRisk) return t('why.risk');
  if (order.stage === 'waiting' && order.reason)
    return t('why.waiting', { reason: tValue('reason', order.reason.code) });
  return undefined;
}

export function OrderCard({ order }: { order: LiveOrder }) {
  const { tone } = standing(order, now.value);
  const chosen = selection.value?.kind === 'order' && selection.value.id === order.id;
  const why = whyLate(order);
  const mayDrag = order.allowed?.includes('assign') || order.allowed?.includes('reassign');
  return (
    <article
      class={`card tone-${tone} ${chosen ? 'chosen' : ''} ${order.priority === 'urgent' ? 'urgent' : ''}`}
      data-order={order.id}
      data-number={order.number}
      draggable={mayDrag ?? false}
      onDragStart={(event) => startDrag(event, { orderId: order.id }, order.number)}
      onDragEnd={endDrag}
      onClick={() => openOrder(order.id)}
    >
      <header>
        <button
          class="card-title"
          aria-label={t('card.open', { number: order.number, address: order.site.address })}
          onClick={(event) => {
            event.stopPropagation();
            openOrder(order.id);
          }}
        >
          {order.priority === 'urgent' && (
            <span class="urgent-mark" title={t('new.urgent')}>
              <Icon name="bolt" size={14} />
            </span>
          )}
          {order.number.slice(-4)}
        </button>
        <StagePill order={order} />
        {order.urges.length > 0 && (
          <span class="pill warn" title={t('card.urged', { n: order.urges.length })}>
            <Icon name="bell" size={12} /> {order.urges.length}
          </span>
        )}
        {order.subs.length > 0 && (
          <span class="pill" title={t('card.merged', { n: order.subs.length })}>
            <Icon name="merge" size={12} /> {order.subs.length}
          </span>
        )}
        <span class="grow" />
        <Countdown order={order} />
      </header>
      <p class="address">{order.site.address}</p>
      <p class="muted small cut">
        {tValue('category', order.fault.category)} · {order.fault.description}
      </p>
      <div class="card-line">
        <TimeLine order={order} />
      </div>
      <p class="small holder">
        <Icon name={order.stage === 'dispatched' ? 'truck' : 'user'} size={13} /> {holderOf(order)}
      </p>
      {why && (
        <p class="small why">
          <Icon name="alert" size={13} /> {why}
        </p>
      )}
      <StepButtons order={order} shown={2} small />
    </article>
  );
}
