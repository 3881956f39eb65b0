/** What the position rules must know of a vehicle: its queue, its terminal, the orders that it had. */
import type { Order, ProfileName, Vehicle } from './domain/model.js';
import type { OrdersById } from './domain/watch.js';
import type { DispatchPort } from './ports.js';

/** A vehicle with what is in its queue. */
export interface Known {
  vehicle: Vehicle;
  orders: OrdersById;
  profile: ProfileName;
  phone: string;
  /** The terminal's clock minus the gateway's, ms, as measured. */
  offsetMs: number;
}

/** Legs of a vehicle that late positions may still speak about. */
const PAST_LEGS = 20;

type Reads = Pick<DispatchPort, 'get' | 'getMany' | 'scan'>;

export async function knownVehicle(dispatch: Reads, vehicleId: string): Promise<Known | undefined> {
  const vehicle = (await dispatch.get('vehicle', vehicleId))?.value;
  if (!vehicle) return undefined;
  const { phone } = vehicle.terminal;
  const terminal = (await dispatch.get('terminal', phone))?.value;
  const orders = await dispatch.getMany(
    'order',
    vehicle.queue.entries.map((entry) => entry.orderId),
  );
  const byId = new Map(orders.flatMap((order) => (order ? [[order.value.id, order.value] as const] : [])));
  const offsetMs = terminal?.clockOffset?.ms ?? 0;
  return { vehicle, orders: byId, profile: terminal?.profile ?? 'tracker', phone, offsetMs };
}

/** Orders that the vehicle had or has, newest first. */
export async function recentOrders(dispatch: Reads, vehicleId: string): Promise<Order[]> {
  const page = await dispatch.scan({
    index: 'orders.vehicle',
    from: `${vehicleId}/`,
    to: `${vehicleId}0`,
    reverse: true,
    limit: PAST_LEGS,
  });
  return page.items.map((doc) => doc.value as Order);
}
