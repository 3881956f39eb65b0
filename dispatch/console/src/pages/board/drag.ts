/** What is being dragged over the board: an order card, or a place in a vehicle's queue. */
import { signal } from '@preact/signals';

export interface Dragged {
  orderId: string;
  /** Vehicle whose queue it is taken from; undefined for a card. */
  fromVehicleId?: string;
}
export const dragged = signal<Dragged | undefined>(undefined);

export function startDrag(event: DragEvent, what: Dragged, label: string): void {
  dragged.value = what;
  event.dataTransfer?.setData('text/plain', label);
  if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
}
export function endDrag(): void {
  dragged.value = undefined;
}
