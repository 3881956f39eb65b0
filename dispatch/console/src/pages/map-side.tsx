/** Beside the map: vehicles and open orders, with the filter that both map and list obey. */
import { useState } from 'preact/hooks';
import { computed } from '@preact/signals';
import type { VehicleJson } from '../api/types.js';
import { t, tValue } from '../i18n/index.js';
import { filteredVehicles, fleetFilter, type FleetFilter } from '../map/live-marks.js';
import { now } from '../state/clock.js';
import { centres, orders, vehicles, type LiveOrder } from '../state/live.js';
import { positions } from '../state/positions.js';
import { openOrder, openVehicle, selection } from '../state/selection.js';
import { standing } from '../ui/order-time.js';
import { Countdown, DutyPill, Empty, LinkMark, StagePill, shownDuty, UndeliveredMark } from '../ui/pieces.js';
import { TimeLine } from '../ui/time-line.js';
import { Tabs } from '../ui/tabs.js';
import { WindowList } from '../ui/window-list.js';

const WORKING = new Set(['received', 'issued', 'atCentre', 'dispatched', 'waiting', 'returned']);

/** Open orders, the most pressing first. */
export const pressing = computed<readonly LiveOrder[]>(() => {
  const at = now.value;
  const centre = fleetFilter.value.centre;
  const left = (order: LiveOrder): number => standing(order, at).remainingMs ?? Number.MAX_SAFE_INTEGER;
  return [...orders.value.values()]
    .filter((order) => WORKING.has(order.stage) && (!centre || order.repairCentreId === centre))
    .map((order) => ({ order, left: left(order) }))
    .sort((a, b) => a.left - b.left || a.order.number.localeCompare(b.order.number))
    .map(({ order }) => order);
});

const DUTY_RANK = ['unreachable', 'onSite', 'enRoute', 'tasked', 'standby', 'onBreak', 'offDuty'];
const sortedVehicles = computed(() =>
  [...filteredVehicles.value].sort(
    (a, b) => DUTY_RANK.indexOf(shownDuty(a)) - DUTY_RANK.indexOf(shownDuty(b)) || a.plate.localeCompare(b.plate),
  ),
);

function Filter() {
  const filter = fleetFilter.value;
  const set = (change: Partial<FleetFilter>): void => void (fleetFilter.value = { ...filter, ...change });
  const trades = [...new Set([...vehicles.value.values()].map((vehicle) => vehicle.trade))].sort();
  const select = (name: 'centre' | 'trade' | 'duty', all: string, options: { value: string; label: string }[]) => (
    <select aria-label={all} value={filter[name]} onChange={(event) => set({ [name]: event.currentTarget.value })}>
      <option value="">{all}</option>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
  return (
    <div class="filter">
      <input
        type="search"
        placeholder={t('filter.text')}
        aria-label={t('filter.text')}
        value={filter.text}
        onInput={(event) => set({ text: event.currentTarget.value })}
      />
      <div class="row">
        {centres.value.length > 1 &&
          select(
            'centre',
            t('filter.centre'),
            centres.value.map((one) => ({ value: one.id, label: one.name })),
          )}
        {select(
          'trade',
          t('filter.trade'),
          trades.map((one) => ({ value: one, label: tValue('trade', one) })),
        )}
        {select(
          'duty',
          t('filter.duty'),
          DUTY_RANK.map((one) => ({ value: one, label: tValue('duty', one) })),
        )}
      </div>
    </div>
  );
}

function VehicleRow({ vehicle }: { vehicle: VehicleJson }) {
  const position = positions.get(vehicle.id);
  const chosen = selection.value?.kind === 'vehicle' && selection.value.id === vehicle.id;
  return (
    <button class="row-button vehicle-row" aria-pressed={chosen} onClick={() => openVehicle(vehicle.id)}>
      <span class="line">
        <LinkMark vehicle={vehicle} />
        <b class="plate">{vehicle.plate}</b>
        <UndeliveredMark vehicle={vehicle} />
        <DutyPill vehicle={vehicle} />
        {vehicle.queueLength > 0 && <span class="count">{t('vehicle.queueShort', { n: vehicle.queueLength })}</span>}
      </span>
      <span class="line muted small">
        <span class="grow">
          {vehicle.crew.name} · {tValue('trade', vehicle.trade)}
        </span>
        {position && <span>{Math.round(position.speedKmh)} km/h</span>}
      </span>
    </button>
  );
}

function OrderRow({ order }: { order: LiveOrder }) {
  const chosen = selection.value?.kind === 'order' && selection.value.id === order.id;
  return (
    <button class="row-button order-row" aria-pressed={chosen} onClick={() => openOrder(order.id)}>
      <span class="line">
        <Countdown order={order} />
        <b>{order.number.slice(-4)}</b>
        <StagePill order={order} />
      </span>
      <span class="line small">
        <span class="grow cut">{order.site.address}</span>
      </span>
      <TimeLine order={order} />
    </button>
  );
}

export function MapSide() {
  const [tab, setTab] = useState<'orders' | 'vehicles'>('orders');
  return (
    <aside class="side" aria-label={t('side.label')}>
      <Tabs
        tabs={[
          { name: 'orders', label: t('side.orders'), count: pressing.value.length },
          { name: 'vehicles', label: t('side.vehicles'), count: filteredVehicles.value.length },
        ]}
        chosen={tab}
        onChoose={setTab}
      />
      <Filter />
      {tab === 'orders' &&
        (pressing.value.length === 0 ? (
          <Empty text={t('side.noOrders')} />
        ) : (
          <WindowList
            items={pressing.value}
            rowPx={96}
            keyOf={(order) => order.id}
            label={t('side.orders')}
            render={(order) => <OrderRow order={order} />}
          />
        ))}
      {tab === 'vehicles' && (
        <WindowList
          items={sortedVehicles.value}
          rowPx={58}
          keyOf={(one) => one.id}
          label={t('side.vehicles')}
          render={(one) => <VehicleRow vehicle={one} />}
        />
      )}
    </aside>
  );
}
