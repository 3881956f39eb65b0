/** The crew's own vehicle, queue and orders: live where there is a network, the last known copy otherwise. */
import { computed, effect, signal } from '@preact/signals';
import { get, post, type PageOf } from '../../api/client.js';
import type { EventJson, OrderJson, QueueJson, VehicleJson } from '../../api/types.js';
import { gatewayNow } from '../../state/clock.js';
import { connection, LiveConnection } from '../../state/connection.js';
import { me } from '../../state/session.js';
import { flush, kept } from './outbox.js';

export interface CrewData {
  vehicle: VehicleJson;
  queue: QueueJson;
  orders: OrderJson[];
  /** Gateway time at which it was read. */
  savedAt: number;
}
const SAVED = 'linecrew.crew.data';

function saved(): CrewData | undefined {
  try {
    const text = localStorage.getItem(SAVED);
    return text ? (JSON.parse(text) as CrewData) : undefined;
  } catch {
    return undefined;
  }
}

const known = signal<CrewData | undefined>(saved());
/** What an earlier crew left on this phone is not this crew's. */
export const crewData = computed(() => {
  const vehicleId = me.value?.vehicleId;
  return vehicleId === undefined || known.value?.vehicle.id === vehicleId ? known.value : undefined;
});
export const crewFresh = signal(false);
const shown = new Set<string>();

/** Orders of the queue, and those that were repaired and still lack their record. */
export async function refreshCrew(): Promise<void> {
  const vehicleId = me.value?.vehicleId;
  if (!vehicleId) return;
  const id = encodeURIComponent(vehicleId);
  try {
    const [vehicle, queue, orders] = await Promise.all([
      get<VehicleJson>(`/vehicles/${id}`),
      get<QueueJson>(`/vehicles/${id}/queue`),
      get<PageOf<OrderJson>>(`/orders?vehicle=${id}&stage=issued,atCentre,dispatched,waiting,repaired&limit=60`),
    ]);
    const data = { vehicle, queue, orders: orders.items, savedAt: gatewayNow() };
    known.value = data;
    crewFresh.value = true;
    localStorage.setItem(SAVED, JSON.stringify(data));
    await sayShown(vehicleId, data);
  } catch {
    crewFresh.value = false;
  }
}

/** The page showed a new order: that is its delivery (point E) where the terminal has not said so earlier. */
async function sayShown(vehicleId: string, data: CrewData): Promise<void> {
  if (document.hidden) return;
  for (const leg of data.queue.legs) {
    const key = `${leg.orderId}/${leg.leg}`;
    if (shown.has(key) || !['queued', 'sent'].includes(leg.state)) continue;
    shown.add(key);
    await post(
      `/orders/${encodeURIComponent(leg.orderId)}/shown`,
      { leg: leg.leg },
      { idempotencyKey: `shown/${vehicleId}/${key}` },
    ).catch(() => shown.delete(key));
  }
}

export function startCrew(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void refreshCrew();
    }, 250);
  };
  const live = new LiveConnection(() => '', {
    onEvents: (events: EventJson[]) => {
      const vehicleId = me.peek()?.vehicleId;
      if (events.some((event) => event.vehicleId === vehicleId || event.orderId)) soon();
    },
    onLook: refreshCrew,
    onReload: async () => {
      await refreshCrew();
      await flush();
    },
  });
  live.start();
  let before = kept.peek().length;
  const stopWatching = effect(() => {
    const count = kept.value.length;
    if (count < before) soon();
    before = count;
  });
  // A read that failed without a network is done again when the line is back, whether or not something has happened.
  const stopFollowing = effect(() => {
    const { state } = connection.value;
    if ((state === 'live' || state === 'polling') && !crewFresh.peek()) soon();
  });
  const onVisible = (): void => {
    if (!document.hidden) soon();
  };
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    live.stop();
    stopWatching();
    stopFollowing();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onVisible);
  };
}
