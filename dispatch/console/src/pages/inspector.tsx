/** The panel at the right: one order or one vehicle, over any view. */
import { useEffect } from 'preact/hooks';
import { location } from '../router.js';
import { closeInspector, selection } from '../state/selection.js';
import { OrderPanel } from './order-panel.js';
import { VehiclePanel } from './vehicle/vehicle-panel.js';

export function Inspector() {
  const chosen = selection.value;
  useEffect(() => {
    if (!chosen) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if ((event.target as Element | null)?.closest?.('dialog, input, textarea, details[open]')) return;
      closeInspector();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [chosen]);
  if (!chosen || /^\/(replay|reports|admin)$/.test(location.value.path)) return null;
  return chosen.kind === 'order' ? (
    <OrderPanel key={`o${chosen.id}`} id={chosen.id} />
  ) : (
    <VehiclePanel key={`v${chosen.id}`} id={chosen.id} />
  );
}
