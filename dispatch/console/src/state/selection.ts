/** What the inspector shows: a path of its own on the map, a query value on the other views. */
import { computed } from '@preact/signals';
import { location, navigate, query, setQuery } from '../router.js';

export type Selection = { kind: 'order' | 'vehicle'; id: string } | undefined;

export const selection = computed<Selection>(() => {
  const match = /^\/(order|vehicle)\/([^/]+)$/.exec(location.value.path);
  if (match) return { kind: match[1] as 'order' | 'vehicle', id: decodeURIComponent(match[2]!) };
  const order = query.value.get('order');
  if (order) return { kind: 'order', id: order };
  const vehicle = query.value.get('vehicle');
  return vehicle ? { kind: 'vehicle', id: vehicle } : undefined;
});

const onMap = (): boolean => !/^\/(board|calls)$/.test(window.location.pathname);

export function openOrder(id: string): void {
  if (onMap()) navigate(`/order/${encodeURIComponent(id)}`);
  else setQuery({ order: id, vehicle: undefined }, false);
}
export function openVehicle(id: string): void {
  if (onMap()) navigate(`/vehicle/${encodeURIComponent(id)}`);
  else setQuery({ vehicle: id, order: undefined }, false);
}
export function closeInspector(): void {
  if (/^\/(order|vehicle)\//.test(window.location.pathname)) navigate('/');
  else setQuery({ order: undefined, vehicle: undefined });
}
