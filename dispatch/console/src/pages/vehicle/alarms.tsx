/** Alarms of the terminal: those that are on, when earlier ones began and ended, and who has seen the call for help. */
import { useEffect, useState } from 'preact/hooks';
import { get, post, type PageOf } from '../../api/client.js';
import type { VehicleJson } from '../../api/types.js';
import { clockTime, dateTime, rough } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { now } from '../../state/clock.js';
import { alerts, recentEvents } from '../../state/live.js';
import { Icon } from '../../ui/icons.js';
import { say, sayProblem } from '../../ui/toast.js';
import { AcknowledgeButton, AcknowledgedBy } from '../../ui/alert-parts.js';
import { pathOf } from './path.js';

interface Alarm {
  bit: number;
  name: string;
  since: string;
  endedAt?: string;
  alertId?: string;
}
const MAX_SHOWN = 8;
/** Types that a person can confirm to the terminal (JT/T 808, 0x8203). */
const CONFIRMABLE = new Set([0, 3, 20, 21, 22, 27, 28]);

function useAlarms(vehicleId: string): Alarm[] {
  const [list, setList] = useState<Alarm[]>([]);
  const newest = recentEvents.value.find(
    (one) => one.vehicleId === vehicleId && one.type.startsWith('alarm.'),
  )?.position;
  useEffect(() => {
    let wanted = true;
    get<PageOf<Alarm>>(`${pathOf(vehicleId)}/alarms?limit=${MAX_SHOWN}`).then(
      ({ items }) => wanted && setList(items),
      () => undefined,
    );
    return () => void (wanted = false);
  }, [vehicleId, newest]);
  return list;
}

export function Alarms({ vehicle }: { vehicle: VehicleJson }) {
  const list = useAlarms(vehicle.id);
  if (list.length === 0 && vehicle.alarms.length === 0) return null;
  const confirm = async (alarm: Alarm): Promise<void> => {
    try {
      await post(`${pathOf(vehicle.id)}/terminal/confirm-alarm`, { bits: [alarm.bit] });
      say(t('alarms.told'));
    } catch (error) {
      sayProblem(error);
    }
  };
  const row = (alarm: Alarm) => {
    const alert = alarm.alertId === undefined ? undefined : alerts.value.get(alarm.alertId);
    return (
      <li key={`${alarm.bit}:${alarm.since}`} class={alarm.endedAt ? 'past' : 'open'} data-alarm={alarm.name}>
        <span class="line">
          <Icon name="alert" size={14} />
          <b>{tValue('alarm', alarm.name)}</b>
          <span class={`pill ${alarm.endedAt ? '' : 'bad'}`}>{t(alarm.endedAt ? 'alarms.over' : 'alarms.on')}</span>
          <span class="grow" />
          {alert && <AcknowledgeButton alert={alert} />}
          {!alert && !alarm.endedAt && CONFIRMABLE.has(alarm.bit) && (
            <button class="small-button" onClick={() => void confirm(alarm)}>
              {t('alarms.tell')}
            </button>
          )}
        </span>
        <span class="muted small">
          {dateTime(alarm.since)} –{' '}
          {alarm.endedAt
            ? `${clockTime(alarm.endedAt)} · ${rough(Date.parse(alarm.endedAt) - Date.parse(alarm.since))}`
            : rough(now.value - Date.parse(alarm.since))}
        </span>
        {alert && <AcknowledgedBy alert={alert} />}
      </li>
    );
  };
  return (
    <section>
      <h3>
        {t('alarms.title')} <span class="muted">{vehicle.alarms.length}</span>
      </h3>
      <ol class="deliveries">{list.map(row)}</ol>
    </section>
  );
}
