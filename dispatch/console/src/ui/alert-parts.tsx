/** Acknowledging an alert, and who has, wherever one is shown. */
import { post } from '../api/client.js';
import type { AlertJson } from '../api/types.js';
import { clockTime } from '../format.js';
import { known, t } from '../i18n/index.js';
import { orders, refreshAlerts } from '../state/live.js';
import { me } from '../state/session.js';
import { Icon } from './icons.js';
import { vehicleName } from './pieces.js';
import { say, sayProblem } from './toast.js';

async function acknowledge(alert: AlertJson): Promise<void> {
  try {
    await post(`/alerts/${encodeURIComponent(alert.id)}/acknowledge`);
    say(t('alerts.acknowledgedNow'));
    await refreshAlerts();
  } catch (error) {
    sayProblem(error);
  }
}

/** In the reader's language where the browser knows what it speaks of, else in the server's words. */
export function alertWords(alert: AlertJson): string {
  const key = `alertText.${alert.kind}`;
  const order = orders.value.get(alert.orderId ?? '');
  if (!known(key) || (alert.orderId && !order)) return alert.message;
  return t(key, {
    number: order?.number ?? '',
    plate: alert.vehicleId ? vehicleName(alert.vehicleId) : '',
    count: order?.urges.length ?? 0,
  });
}

/** For an alert that goes on and that this person has not acknowledged. */
export function AcknowledgeButton({ alert }: { alert: AlertJson }) {
  const mine = alert.acknowledged.some((one) => one.by === me.value?.name);
  if (alert.endedAt || mine) return null;
  return (
    <button class="primary small-button" data-do="acknowledge" onClick={() => void acknowledge(alert)}>
      <Icon name="check" size={14} /> {t('alerts.acknowledge')}
    </button>
  );
}

export function AcknowledgedBy({ alert }: { alert: AlertJson }) {
  return (
    <>
      {alert.acknowledged.map((one) => (
        <p key={one.by} class="small muted">
          <Icon name="check" size={13} /> {t('alerts.by', { name: one.by, at: clockTime(one.at) })}
        </p>
      ))}
    </>
  );
}
