/** The call centre: find the caller's order in two keystrokes, see where it is, urge, call back. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get, type PageOf } from '../api/client.js';
import type { OrderJson } from '../api/types.js';
import { clockTime, dateTime } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { gatewayNow, now } from '../state/clock.js';
import { openCards, orders, vehicles, type LiveOrder } from '../state/live.js';
import { openOrder, selection } from '../state/selection.js';
import { CardItem } from '../shell/card-item.js';
import { installKeys } from '../shell/keys.js';
import { Icon } from '../ui/icons.js';
import { currentLeg, standing } from '../ui/order-time.js';
import { centreName, Countdown, Empty, Phone, StagePill } from '../ui/pieces.js';
import { TimeLine } from '../ui/time-line.js';
import { findLocally } from '../shell/search.js';
import { StepButtons } from './step-buttons.js';

/** Calls shown before anything is searched for: who calls again has mostly called a short time ago. */
const NEWEST = 20;

/** What the agent says to the caller, in one sentence. */
export function sayToCaller(order: LiveOrder): string {
  const leg = currentLeg(order);
  const vehicle = leg ? vehicles.value.get(leg.vehicleId) : undefined;
  const crew = vehicle?.crew.name ?? '';
  const eta =
    order.eta && Date.parse(order.eta.at) > now.value ? t('calls.say.eta', { at: clockTime(order.eta.at) }) : '';
  if (order.stage !== 'dispatched' || !leg) {
    return t(`calls.say.${SAID.has(order.stage) ? order.stage : 'other'}` as 'calls.say.other', {
      centre: centreName(order.repairCentreId),
    });
  }
  if (leg.state === 'enRoute') return t('calls.say.enRoute', { crew, eta });
  if (leg.state === 'onSite' || leg.state === 'working')
    return t('calls.say.onSite', { crew, at: clockTime(order.timePoints.H?.at) });
  return t('calls.say.dispatched', { crew, eta });
}
const SAID = new Set([
  'received',
  'issued',
  'atCentre',
  'waiting',
  'merged',
  'repaired',
  'recorded',
  'closed',
  'withdrawn',
]);

function Result({ order }: { order: LiveOrder }) {
  const chosen = selection.value?.id === order.id;
  return (
    <article class={`call-result ${chosen ? 'chosen' : ''}`} data-order={order.id}>
      <div class="line">
        <button class="card-title" onClick={() => openOrder(order.id)}>
          {order.number}
        </button>
        <StagePill order={order} />
        <span class="muted small">{dateTime(order.createdAt)}</span>
        <span class="grow" />
        <Countdown order={order} />
      </div>
      <p class="say">
        <Icon name="message" size={15} /> {sayToCaller(order)}
      </p>
      <p class="small muted">
        {order.customer.name} <Phone number={order.customer.phone} /> · {order.site.address} ·{' '}
        {tValue('category', order.fault.category)} · {order.fault.description}
        {order.urges.length > 0 && ` · ${t('card.urged', { n: order.urges.length })}`}
      </p>
      <TimeLine order={order} />
      <StepButtons order={order} shown={3} small />
    </article>
  );
}

/** Orders of the server that no longer are open: by phone, or by the number's beginning. */
function useClosed(text: string): OrderJson[] {
  const [found, setFound] = useState<OrderJson[]>([]);
  useEffect(() => {
    setFound([]);
    const digits = text.replace(/[\s-]/g, '');
    if (!/^\+?\d{5,}$/.test(digits)) return;
    const abort = new AbortController();
    const by = /^20\d{6}/.test(digits)
      ? `number=${encodeURIComponent(text.trim())}`
      : `phone=${encodeURIComponent(digits)}`;
    const timer = setTimeout(() => {
      get<PageOf<OrderJson>>(`/orders?${by}&limit=10`, { signal: abort.signal }).then(
        (page) => setFound(page.items),
        () => undefined,
      );
    }, 200);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  return found;
}

export function CallsPage() {
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.focus();
    return installKeys({ f: () => input.current?.focus() });
  }, []);
  const closed = useClosed(text);
  const list = useMemo(() => {
    const ids = new Set(
      findLocally(text)
        .filter((hit) => hit.kind === 'order')
        .map((hit) => hit.id),
    );
    const open = [...orders.value.values()].filter((order) => ids.has(order.id));
    const more = closed
      .filter((order) => !orders.value.has(order.id))
      .map((order): LiveOrder => ({ ...order, seenAt: gatewayNow() }));
    return [...open, ...more];
  }, [text, closed, orders.value]);
  const toCall = [...orders.value.values()]
    .filter((order) => order.stage === 'recorded')
    .sort((a, b) => (a.timePoints.J?.at ?? '').localeCompare(b.timePoints.J?.at ?? ''));
  const late = [...orders.value.values()].filter(
    (order) =>
      ['received', 'returned'].includes(order.stage) ||
      (order.stage !== 'recorded' && standing(order, now.value).tone === 'bad' && !order.timePoints.H),
  );
  const newest = [...orders.value.values()]
    .filter((order) => !late.includes(order) && order.stage !== 'recorded')
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    .slice(0, NEWEST);
  const attention = openCards.value.filter((card) => card.kind === 'attention');
  return (
    <div class="calls-page">
      <section class="calls-find">
        <header class="page-head">
          <h1>{t('nav.calls')}</h1>
        </header>
        <div class="calls-search">
          <label class="field">
            <span>{t('calls.find')}</span>
            <input
              ref={input}
              type="search"
              autocomplete="off"
              placeholder={t('calls.findHint')}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && list[0]) openOrder(list[0].id);
              }}
            />
          </label>
        </div>
        <div class="calls-results" aria-live="polite">
          {text && list.length === 0 && <Empty text={t('search.none')} />}
          {text ? list.map((order) => <Result key={order.id} order={order} />) : null}
          {!text && (
            <>
              {attention.map((card) => (
                <CardItem key={card.id} card={card} />
              ))}
              <h2>{t('calls.waiting', { n: late.length })}</h2>
              {late.length === 0 && <Empty text={t('calls.nothing')} />}
              {late.map((order) => (
                <Result key={order.id} order={order} />
              ))}
              {newest.length > 0 && <h2>{t('calls.newest')}</h2>}
              {newest.map((order) => (
                <Result key={order.id} order={order} />
              ))}
            </>
          )}
        </div>
      </section>
      <section class="calls-back" aria-label={t('calls.toCall')}>
        <h2>
          {t('calls.toCall')} <span class="muted">{toCall.length}</span>
        </h2>
        {toCall.length === 0 && <Empty text={t('calls.nothing')} />}
        <ol>
          {toCall.map((order) => (
            <li key={order.id} class="call-back">
              <div class="line">
                <button class="card-title" onClick={() => openOrder(order.id)}>
                  {order.number}
                </button>
                <span class="grow" />
                <Phone number={order.customer.phone} />
              </div>
              <p class="small muted">
                {order.customer.name} · {order.site.address}
              </p>
              <StepButtons order={order} shown={2} small />
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}
