/** Small marks that every view uses: stage, duty, link health, countdown, people. */
import type { VehicleJson } from '../api/types.js';
import { countdown, rough } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { now } from '../state/clock.js';
import type { LiveOrder } from '../state/live.js';
import { centres, vehicles } from '../state/live.js';
import { positionAgeMs } from '../state/positions.js';
import { currentLeg, standing, type Tone } from './order-time.js';
import { Icon, type IconName } from './icons.js';

const SHAPES: Record<Tone, string> = { idle: '○', good: '●', warn: '▲', bad: '■', done: '✓' };

/** The minutes left of the promise, with a shape that says the same as the colour. */
export function Countdown({ order, large }: { order: LiveOrder; large?: boolean }) {
  const { remainingMs, tone, atRisk } = standing(order, now.value);
  if (remainingMs === undefined) return <span class={`countdown ${tone}`}>{SHAPES[tone]}</span>;
  const words = remainingMs < 0 ? t('time.over') : atRisk ? t('time.atRisk') : t('time.left');
  return (
    <span class={`countdown ${tone} ${large ? 'large' : ''}`} title={words}>
      <span aria-hidden="true">{SHAPES[tone]}</span> <b>{countdown(remainingMs)}</b>
      <span class={large ? 'small' : 'visually-hidden'}> {words}</span>
    </span>
  );
}

export function StagePill({ order }: { order: LiveOrder }) {
  const leg = order.stage === 'dispatched' ? currentLeg(order) : undefined;
  const words = leg ? tValue('leg', leg.state) : tValue('stage', order.stage);
  return <span class={`pill stage-${order.stage} ${leg ? `leg-${leg.state}` : ''}`}>{words}</span>;
}

const DUTY_ICONS: Record<string, IconName> = {
  offDuty: 'moon', standby: 'check', onBreak: 'pause', tasked: 'list', enRoute: 'right', onSite: 'bolt',
  unreachable: 'alert',
}; // prettier-ignore

export const shownDuty = (vehicle: VehicleJson): string => vehicle.duty.shown ?? vehicle.duty.state;

export function DutyPill({ vehicle }: { vehicle: VehicleJson }) {
  const duty = shownDuty(vehicle);
  return (
    <span class={`pill duty-${duty}`}>
      <Icon name={DUTY_ICONS[duty] ?? 'truck'} size={12} /> {tValue('duty', duty)}
    </span>
  );
}

/** Orders that the vehicle has been given and its terminal has not confirmed, as the map's `!` says it. */
export function UndeliveredMark({ vehicle: { undelivered = 0 } }: { vehicle: VehicleJson }) {
  if (undelivered === 0) return null;
  const words = t('vehicle.undelivered', { n: undelivered });
  return (
    <span class="pill warn undelivered" title={words}>
      <Icon name="alert" size={12} /> {undelivered}
      <span class="visually-hidden"> {words}</span>
    </span>
  );
}

export type LinkHealth = 'up' | 'quiet' | 'down' | 'never';
const QUIET_AFTER_MS = 120_000;

/** Health of the link: connected and heard lately, connected but quiet, down, never seen. */
export function linkHealth(vehicle: VehicleJson, ageMs = positionAgeMs(vehicle.id)): LinkHealth {
  if (vehicle.connection.state !== 'up') return vehicle.connection.state;
  return ageMs !== undefined && ageMs > QUIET_AFTER_MS ? 'quiet' : 'up';
}

export function LinkMark({ vehicle, words }: { vehicle: VehicleJson; words?: boolean }) {
  void now.value;
  const health = linkHealth(vehicle);
  const age = positionAgeMs(vehicle.id);
  const text = `${tValue('link', health)}${age !== undefined ? ` · ${t('link.age', { age: rough(age) })}` : ''}`;
  return (
    <span class={`link-mark link-${health}`} title={text}>
      <i aria-hidden="true" />
      <span class={words ? '' : 'visually-hidden'}>{text}</span>
    </span>
  );
}

export const centreName = (id: string | undefined): string =>
  id === undefined ? '' : (centres.value.find((centre) => centre.id === id)?.name ?? id);
export const vehicleName = (id: string): string => vehicles.value.get(id)?.plate ?? id;

/** Who holds the order now, in words: the level that the running part is charged to, and its name. */
export function holderOf(order: LiveOrder): string {
  const leg = currentLeg(order);
  if (order.stage === 'dispatched' && leg) {
    const vehicle = vehicles.value.get(leg.vehicleId);
    return vehicle ? `${vehicle.plate} ${vehicle.crew.name}` : leg.vehicleId;
  }
  const { running } = standing(order, now.value);
  const level = running ? tValue('level', running.responsible) : '';
  const centre = order.stage === 'received' ? '' : centreName(order.repairCentreId);
  return centre || level || tValue('holder', order.stage);
}

export function Phone({ number }: { number: string | undefined }) {
  if (!number) return null;
  return (
    <a class="phone" href={`tel:${number.replace(/[^+\d]/g, '')}`}>
      <Icon name="phone" size={13} />
      {number}
    </a>
  );
}

/** What could not be loaded, in words, and another try. */
export function Problem({ words, again }: { words: string; again(): void }) {
  return (
    <p class="problem" role="alert">
      {words}{' '}
      <button type="button" class="small-button" onClick={again}>
        {t('do.retry')}
      </button>
    </p>
  );
}

export function Empty({ text }: { text: string }) {
  return <p class="empty">{text}</p>;
}
