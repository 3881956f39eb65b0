/**
 * Alarms of terminals as events with begin and end (JT/T 808, 3.2). A report says which bits are set now; only what
 * changed becomes an event. SOS also becomes an alert that stays until a person has acknowledged it: its bit is cleared by
 * our mere answer, so the end of the bit says nothing about the people in the vehicle.
 */
import { endAlert, raiseAlert } from './alerts.js';
import { queueItem } from './delivery-items.js';
import type { ActiveAlarm, Alarms, Alert } from './model.js';
import { folding, type Appliers, type Hooks, type Reducers, type ReportOf } from './tables.js';
import type { Tx } from './tx.js';

interface Raised {
  alarm: ActiveAlarm;
  /** SOS: the alert that tells people. */
  alertId?: string;
}
export interface AlarmEnded {
  bit: number;
  name: string;
  since: number;
  /** SOS: the alert that told people. */
  alertId?: string;
}

/** Emergency button. */
const SOS_BIT = 0;
const SOS_ALERT = 'sos';
/** Function of the terminal that confirms alarms (0x8203), and how long that is of use. */
const CONFIRM = 'confirm-alarm';
const CONFIRM_MS = 10 * 60_000;

export const alarmReducers: Reducers = {
  'alarm.raised': folding<Raised>((docs, { vehicleId, data: { alarm, alertId } }) => {
    const before: Alarms = docs.get('alarms', vehicleId!) ?? { vehicleId: vehicleId!, active: {} };
    const active = { ...before.active, [alarm.bit]: alarm };
    docs.put('alarms', vehicleId!, { ...before, active, ...(alertId === undefined ? {} : { sosAlertId: alertId }) });
  }),
  'alarm.ended': folding<AlarmEnded>((docs, { vehicleId, data: { bit } }) => {
    const before = docs.get('alarms', vehicleId!);
    if (!before) return;
    const { [bit]: _ended, ...active } = before.active;
    docs.put('alarms', vehicleId!, { ...before, active });
  }),
};

export const alarmAppliers: Appliers = { 'report.alarms': changed };

function changed(tx: Tx, report: ReportOf<'report.alarms'>): void {
  const { vehicleId, alarms, at, place } = report;
  const vehicle = tx.get('vehicle', vehicleId);
  if (!vehicle) return;
  const refs = { vehicleId, centreId: vehicle.repairCentreId };
  const before = tx.get('alarms', vehicleId)?.active ?? {};
  const now = new Set(alarms.map(({ bit }) => bit));
  for (const { bit, name } of alarms) {
    if (before[bit]) continue;
    const alarm: ActiveAlarm = { bit, name, since: at, ...(place ? { place } : {}) };
    const alertId = bit === SOS_BIT ? callForHelp(tx, report) : undefined;
    tx.emit({ type: 'alarm.raised', ...refs, data: { alarm, ...(alertId ? { alertId } : {}) } satisfies Raised });
  }
  for (const { bit, name, since } of Object.values(before)) {
    if (now.has(bit)) continue;
    const alertId = bit === SOS_BIT ? tx.get('alarms', vehicleId)?.sosAlertId : undefined;
    const data: AlarmEnded = { bit, name, since, ...(alertId === undefined ? {} : { alertId }) };
    tx.emit({ type: 'alarm.ended', ...refs, data });
    if (bit === SOS_BIT) settle(tx, vehicleId);
  }
}

/** One alert until it has ended, however often the button is pressed. @returns its id */
function callForHelp(tx: Tx, { vehicleId, at, place }: ReportOf<'report.alarms'>): string {
  const open = tx.get('alarms', vehicleId)?.sosAlertId;
  if (open !== undefined && tx.get('alert', open)?.endedAt === undefined) return open;
  const vehicle = tx.get('vehicle', vehicleId)!;
  const id = `${SOS_ALERT}:${vehicleId}:${at}`;
  const where = place ? ` at ${place.lat.toFixed(6)}, ${place.lon.toFixed(6)}` : '';
  raiseAlert(tx, {
    id,
    kind: SOS_ALERT,
    vehicleId,
    centreId: vehicle.repairCentreId,
    told: [{ level: 'repairCentre' }, { level: 'callCentre' }],
    message: `vehicle ${vehicle.plate} calls for help (SOS)${where}`,
    values: { plate: vehicle.plate },
    severity: 'sos',
  });
  return id;
}

/** Over when a person has seen it and the button is not held down any more, whichever is later. */
function settle(tx: Tx, vehicleId: string): void {
  const doc = tx.get('alarms', vehicleId);
  if (doc?.sosAlertId === undefined || doc.active[SOS_BIT]) return;
  const alert = tx.get('alert', doc.sosAlertId);
  if (alert && alert.acknowledged.length > 0) endAlert(tx, alert.id, 'acknowledged');
}

export const alarmHooks: Hooks = {
  'alert.acknowledged': (tx, { data }) => {
    const alert = tx.get('alert', (data as { alertId: string }).alertId);
    if (alert?.kind !== SOS_ALERT || alert.vehicleId === undefined || alert.endedAt !== undefined) return;
    if (alert.acknowledged.length === 1) confirmToTerminal(tx, alert);
    settle(tx, alert.vehicleId);
  },
};

/** 0x8203: the terminal shows the driver that somebody knows. Not in 2011, nor over MQTT. */
function confirmToTerminal(tx: Tx, { vehicleId }: Readonly<Alert>): void {
  const vehicle = tx.get('vehicle', vehicleId!);
  const terminal = vehicle && tx.get('terminal', vehicle.terminal.phone);
  if (!terminal || terminal.profile === 'mqtt' || (terminal.edition ?? 2011) === 2011) return;
  const command = { name: CONFIRM, arguments: { bits: [SOS_BIT] } };
  queueItem(tx, vehicleId!, 'command', { command, expiresAt: tx.now + CONFIRM_MS });
}
