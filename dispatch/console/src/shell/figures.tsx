/** The five figures that say how the shift goes. */
import { computed } from '@preact/signals';
import { t, type Key } from '../i18n/index.js';
import { now } from '../state/clock.js';
import { orders, vehicles } from '../state/live.js';
import { standing } from '../ui/order-time.js';
import { linkHealth, shownDuty } from '../ui/pieces.js';

const OPEN = new Set(['received', 'issued', 'atCentre', 'dispatched', 'waiting', 'returned']);

export const figures = computed(() => {
  const at = now.value;
  let [open, risk, late] = [0, 0, 0];
  for (const order of orders.value.values()) {
    if (!OPEN.has(order.stage)) continue;
    open += 1;
    const { tone } = standing(order, at);
    if (tone === 'bad' && !order.timePoints.H) late += 1;
    else if (tone === 'warn') risk += 1;
  }
  return { open, risk, late };
});
const vehicleFigures = computed(() => {
  let [free, unreachable] = [0, 0];
  for (const vehicle of vehicles.value.values()) {
    const duty = shownDuty(vehicle);
    if (duty === 'standby' && vehicle.queueLength === 0) free += 1;
    if (duty !== 'offDuty' && linkHealth(vehicle) === 'down') unreachable += 1;
  }
  return { free, unreachable };
});

function Figure({ label, value, tone }: { label: Key; value: number; tone: string }) {
  return (
    <div class={`figure ${value > 0 ? tone : ''}`}>
      <b>{value}</b>
      <span>{t(label)}</span>
    </div>
  );
}

export function Figures() {
  const { open, risk, late } = figures.value;
  const { free, unreachable } = vehicleFigures.value;
  return (
    <div class="figures" role="group" aria-label={t('figures.label')}>
      <Figure label="figures.open" value={open} tone="" />
      <Figure label="figures.risk" value={risk} tone="warn" />
      <Figure label="figures.late" value={late} tone="bad" />
      <Figure label="figures.free" value={free} tone="good" />
      <Figure label="figures.unreachable" value={unreachable} tone="bad" />
    </div>
  );
}
