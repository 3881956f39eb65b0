/** Vehicles beside the board: drop an order on one, move orders inside its queue, see what its terminal confirmed. */
import { useState } from 'preact/hooks';
import { computed } from '@preact/signals';
import { get, put } from '../../api/client.js';
import type { QueueJson, VehicleJson } from '../../api/types.js';
import { t, tValue } from '../../i18n/index.js';
import { filteredVehicles } from '../../map/live-marks.js';
import { now } from '../../state/clock.js';
import { orders, refreshVehicles, type LiveOrder } from '../../state/live.js';
import { openOrder, openVehicle } from '../../state/selection.js';
import { takeStep } from '../../state/steps.js';
import { currentLeg, standing } from '../../ui/order-time.js';
import { Countdown, DutyPill, LinkMark, shownDuty, UndeliveredMark } from '../../ui/pieces.js';
import { say, sayProblem } from '../../ui/toast.js';
import { dragged, endDrag, startDrag } from './drag.js';

const RANK = ['standby', 'tasked', 'enRoute', 'onSite', 'unreachable', 'onBreak', 'offDuty'];
const lanes = computed(() =>
  [...filteredVehicles.value].sort(
    (a, b) => RANK.indexOf(shownDuty(a)) - RANK.indexOf(shownDuty(b)) || a.plate.localeCompare(b.plate),
  ),
);
/** Lanes drawn at once: a centre has dozens of vehicles; whoever has more filters. */
const MAX_LANES = 80;

interface Queued {
  order: LiveOrder;
  state: string;
  leg: number;
}
/** Orders with an open leg, by vehicle. Their order in the queue comes with the vehicle's queue when it is moved. */
const byVehicle = computed(() => {
  const found = new Map<string, Queued[]>();
  for (const order of orders.value.values()) {
    for (const leg of order.legs) {
      if (!leg.open) continue;
      const list = found.get(leg.vehicleId) ?? [];
      list.push({ order, state: leg.state, leg: leg.leg });
      found.set(leg.vehicleId, list);
    }
  }
  return found;
});

export async function moveInQueue(vehicleId: string, orderId: string, before: string | undefined): Promise<void> {
  try {
    const path = `/vehicles/${encodeURIComponent(vehicleId)}/queue`;
    const queue = await get<QueueJson>(path);
    const present = queue.legs.filter((leg) => leg.state !== 'recalling').map((leg) => leg.orderId);
    const ids = present.filter((id) => id !== orderId);
    const at = before === undefined ? ids.length : ids.indexOf(before);
    ids.splice(at < 0 ? ids.length : at, 0, orderId);
    const { revision } = await put<QueueJson>(path, { revision: queue.revision, orderIds: ids });
    say(t('queue.moved'), () => void putBack(vehicleId, revision, present));
    await refreshVehicles([vehicleId]);
  } catch (error) {
    sayProblem(error);
  }
}

/** Only while nobody has changed the queue since: the server compares the revision. */
async function putBack(vehicleId: string, revision: number, orderIds: string[]): Promise<void> {
  try {
    await put(`/vehicles/${encodeURIComponent(vehicleId)}/queue`, { revision, orderIds });
    await refreshVehicles([vehicleId]);
  } catch (error) {
    sayProblem(error);
  }
}

async function dropOn(vehicle: VehicleJson, before: string | undefined): Promise<void> {
  const what = dragged.value;
  endDrag();
  const order = what && orders.value.get(what.orderId);
  if (!what || !order) return;
  if (what.fromVehicleId === vehicle.id) return moveInQueue(vehicle.id, order.id, before);
  const onAnother = what.fromVehicleId !== undefined || !order.allowed?.includes('assign');
  const leg = onAnother ? currentLeg(order) : undefined;
  if (leg?.vehicleId === vehicle.id) return moveInQueue(vehicle.id, order.id, before);
  await takeStep(order, onAnother ? 'reassign' : 'assign', {
    vehicleId: vehicle.id,
    ...(onAnother ? { reason: t('reassign.reason') } : {}),
  });
}

function Chip({ queued, vehicle, place, ids }: { queued: Queued; vehicle: VehicleJson; place: number; ids: string[] }) {
  const { order, state } = queued;
  const [over, setOver] = useState(false);
  const { tone } = standing(order, now.value);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    const before = event.key === 'ArrowUp' ? ids[place - 1] : ids[place + 2];
    if (event.key === 'ArrowUp' ? place > 0 : place < ids.length - 1) void moveInQueue(vehicle.id, order.id, before);
  };
  return (
    <li>
      <button
        class={`chip tone-${tone} ${over ? 'over' : ''} ${state === 'recalling' ? 'leaving' : ''}`}
        draggable
        title={`${order.number} · ${order.site.address}`}
        onClick={() => openOrder(order.id)}
        onKeyDown={onKeyDown}
        onDragStart={(event) => startDrag(event, { orderId: order.id, fromVehicleId: vehicle.id }, order.number)}
        onDragEnd={endDrag}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          event.stopPropagation();
          setOver(false);
          void dropOn(vehicle, order.id);
        }}
      >
        <b>{order.number.slice(-4)}</b>
        <span class="muted">{tValue('leg', state)}</span>
        <Countdown order={order} />
      </button>
    </li>
  );
}

function Lane({ vehicle }: { vehicle: VehicleJson }) {
  const [over, setOver] = useState(false);
  const places = new Map(vehicle.queue.orderIds.map((id, index) => [id, index]));
  const queued = [...(byVehicle.value.get(vehicle.id) ?? [])].sort(
    (a, b) => (places.get(a.order.id) ?? 99) - (places.get(b.order.id) ?? 99),
  );
  const ids = queued.map((one) => one.order.id);
  const behind = vehicle.queue.revision !== vehicle.queue.confirmedRevision;
  return (
    <section
      class={`lane ${over ? 'over' : ''}`}
      data-vehicle={vehicle.id}
      aria-label={vehicle.plate}
      onDragOver={(event) => {
        if (!dragged.value) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!(event.currentTarget as Element).contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void dropOn(vehicle, undefined);
      }}
    >
      <button class="lane-head" onClick={() => openVehicle(vehicle.id)}>
        <span class="line">
          <LinkMark vehicle={vehicle} />
          <b class="plate">{vehicle.plate}</b>
          <UndeliveredMark vehicle={vehicle} />
          <DutyPill vehicle={vehicle} />
        </span>
        <span class="line muted small">
          <span class="grow cut">
            {vehicle.crew.name} · {tValue('trade', vehicle.trade)}
          </span>
          {behind && queued.length > 0 && <span class="pill warn">{t('queue.behind')}</span>}
        </span>
      </button>
      {queued.length > 0 && (
        <ol class="chips">
          {queued.map((one, place) => (
            <Chip key={`${one.order.id}/${one.leg}`} queued={one} vehicle={vehicle} place={place} ids={ids} />
          ))}
        </ol>
      )}
    </section>
  );
}

export function QueueLanes() {
  const shown = lanes.value.slice(0, MAX_LANES);
  return (
    <aside class={`lanes ${dragged.value ? 'dropping' : ''}`} aria-label={t('board.vehicles')}>
      <h2>
        {t('board.vehicles')} <span class="muted">{lanes.value.length}</span>
      </h2>
      <div class="lanes-list">
        {shown.map((vehicle) => (
          <Lane key={vehicle.id} vehicle={vehicle} />
        ))}
        {lanes.value.length > MAX_LANES && (
          <p class="muted small">{t('board.moreVehicles', { n: lanes.value.length - MAX_LANES })}</p>
        )}
      </div>
    </aside>
  );
}
