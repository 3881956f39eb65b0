/** The board: orders by stage, vehicles with their queues beside it, conflicts above it. */
import { useState } from 'preact/hooks';
import { computed } from '@preact/signals';
import { t, tValue } from '../../i18n/index.js';
import { fleetFilter } from '../../map/live-marks.js';
import { now } from '../../state/clock.js';
import { centres, openCards, orders, type LiveOrder } from '../../state/live.js';
import { boardView } from '../../state/prefs.js';
import { openOrder } from '../../state/selection.js';
import { standing } from '../../ui/order-time.js';
import { Countdown, Empty, holderOf, StagePill } from '../../ui/pieces.js';
import { TimeLine } from '../../ui/time-line.js';
import { CardItem } from '../../shell/card-item.js';
import { StepButtons } from '../step-buttons.js';
import { COLUMNS, type Column } from './columns.js';
import { OrderCard, whyLate } from './order-card.js';
import { QueueLanes } from './queue-lane.js';

/** Urgent ones first, then those for which customers called more often, then those whose promise ends first. */
const sorted = computed<readonly LiveOrder[]>(() => {
  const at = now.value;
  const { centre } = fleetFilter.value;
  const left = (order: LiveOrder): number => standing(order, at).remainingMs ?? Number.MAX_SAFE_INTEGER;
  return [...orders.value.values()]
    .filter((order) => order.stage !== 'merged' && (!centre || order.repairCentreId === centre))
    .map((order) => ({ order, urgent: Number(order.priority === 'urgent'), left: left(order) }))
    .sort(
      (a, b) =>
        b.urgent - a.urgent ||
        b.order.urges.length - a.order.urges.length ||
        a.left - b.left ||
        a.order.number.localeCompare(b.order.number),
    )
    .map(({ order }) => order);
});

/** Moves the focus between cards with the arrow keys. */
function onArrow(event: KeyboardEvent): void {
  const here = (event.target as Element).closest?.('.card');
  if (!here || !/^Arrow/.test(event.key) || event.altKey) return;
  const column = here.closest('.column')!;
  const cards = [...column.querySelectorAll('.card')];
  const at = cards.indexOf(here);
  let next: Element | undefined;
  if (event.key === 'ArrowDown') next = cards[at + 1];
  else if (event.key === 'ArrowUp') next = cards[at - 1];
  else {
    const columns = [...document.querySelectorAll('.column')].filter((one) => one.querySelector('.card'));
    const beside = columns[columns.indexOf(column) + (event.key === 'ArrowRight' ? 1 : -1)];
    const list = beside ? [...beside.querySelectorAll('.card')] : [];
    next = list[Math.min(at, list.length - 1)];
  }
  const button = next?.querySelector<HTMLElement>('.card-title');
  if (!button) return;
  event.preventDefault();
  button.focus();
}

function ColumnView({ column, list }: { column: Column; list: readonly LiveOrder[] }) {
  return (
    <section class={`column ${list.length === 0 ? 'bare' : ''}`} aria-label={t(column.label)} data-column={column.id}>
      <h2>
        {t(column.label)} <span class="count">{list.length}</span>
      </h2>
      <div class="cards" tabIndex={list.length > 0 ? 0 : -1} role="group" aria-label={t(column.label)}>
        {list.map((order) => (
          <OrderCard key={order.id} order={order} />
        ))}
        {list.length === 0 && <Empty text={t('board.none')} />}
      </div>
    </section>
  );
}

function ListView() {
  return (
    <div class="table-holder" tabIndex={0} role="region" aria-label={t('board.list')}>
      <table class="orders-table">
        <thead>
          <tr>
            <th scope="col">{t('col.left')}</th>
            <th scope="col">{t('col.number')}</th>
            <th scope="col">{t('col.stage')}</th>
            <th scope="col">{t('col.address')}</th>
            <th scope="col">{t('col.fault')}</th>
            <th scope="col">{t('col.holder')}</th>
            <th scope="col">{t('col.line')}</th>
            <th scope="col">{t('col.why')}</th>
            <th scope="col">{t('col.steps')}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.value.map((order) => (
            <tr key={order.id} onClick={() => openOrder(order.id)}>
              <td>
                <Countdown order={order} />
              </td>
              <td>
                <button class="link" onClick={() => openOrder(order.id)}>
                  {order.number}
                </button>
              </td>
              <td>
                <StagePill order={order} />
              </td>
              <td>{order.site.address}</td>
              <td>{tValue('category', order.fault.category)}</td>
              <td>{holderOf(order)}</td>
              <td class="line-cell">
                <TimeLine order={order} />
              </td>
              <td class="small">{whyLate(order)}</td>
              <td>
                <StepButtons order={order} shown={1} small />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Conflicts() {
  const [all, setAll] = useState(false);
  const list = openCards.value.filter((card) => card.kind === 'conflict' || card.kind === 'proposal');
  if (list.length === 0) return null;
  const shown = all ? list : list.slice(0, 2);
  return (
    <section class="conflicts" aria-label={t('board.conflicts')}>
      {shown.map((card) => (
        <CardItem key={card.id} card={card} />
      ))}
      {list.length > shown.length && (
        <button class="quiet" onClick={() => setAll(true)}>
          {t('board.moreConflicts', { n: list.length - shown.length })}
        </button>
      )}
    </section>
  );
}

export function BoardPage() {
  const lists = COLUMNS.map((column) => sorted.value.filter((order) => column.holds(order)));
  return (
    <div class="board-page">
      <div class="board-main">
        <header class="page-head">
          <h1>{t('nav.board')}</h1>
          {centres.value.length > 1 && (
            <select
              aria-label={t('filter.centre')}
              value={fleetFilter.value.centre}
              onChange={(event) => (fleetFilter.value = { ...fleetFilter.value, centre: event.currentTarget.value })}
            >
              <option value="">{t('filter.centre')}</option>
              {centres.value.map((centre) => (
                <option key={centre.id} value={centre.id}>
                  {centre.name}
                </option>
              ))}
            </select>
          )}
          <span class="grow" />
          <div class="switch" role="group" aria-label={t('board.view')}>
            {(['columns', 'list'] as const).map((view) => (
              <button key={view} aria-pressed={boardView.value === view} onClick={() => (boardView.value = view)}>
                {t(`board.${view}`)}
              </button>
            ))}
          </div>
        </header>
        <Conflicts />
        {boardView.value === 'list' ? (
          <ListView />
        ) : (
          <div class="columns" onKeyDown={onArrow}>
            {COLUMNS.map((column, index) => (
              <ColumnView key={column.id} column={column} list={lists[index]!} />
            ))}
          </div>
        )}
      </div>
      <QueueLanes />
    </div>
  );
}
