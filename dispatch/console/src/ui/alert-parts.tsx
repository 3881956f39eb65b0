/** Acknowledging an alert, and who has, wherever one is shown. */
import { post } from '../api/client.js';
import type { AlertJson } from '../api/types.js';
import { clockTime } from '../format.js';
import { known, t, tValue } from '../i18n/index.js';
import { orders, refreshAlerts } from '../state/live.js';
import { me } from '../state/session.js';
import { Icon } from './icons.js';
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

/**
 * In the reader's language where what it says is known, else as the server put it. An alert of urges is raised once: how
 * often the customer has called by now, the order says.
 */
export function alertWords(alert: Pick<AlertJson, 'kind' | 'message' | 'values' | 'orderId'>): string {
  const { kind, message, values, orderId } = alert;
  const key = `alertText.${kind}`;
  if (!known(key) || !values) return message;
  const urges = kind === 'urged' ? orders.value.get(orderId ?? '')?.urges.length : undefined;
  return t(key, { ...values, when: dayWords(values.when), ...(urges === undefined ? {} : { count: urges }) });
}

/** `Mon 09:00 (2)`: the days in the reader's language. */
const dayWords = (when: string | number = ''): string =>
  String(when).replace(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b/g, (day) => tValue('weekday', day));

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
