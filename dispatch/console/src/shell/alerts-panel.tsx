/** Alerts, and what waits for me: acknowledged by name, ended for everybody when what they wait for happens. */
import { useState } from 'preact/hooks';
import type { AlertJson } from '../api/types.js';
import { clockTime, rough } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { now } from '../state/clock.js';
import { activeAlerts, alerts, openCards, orders } from '../state/live.js';
import { openOrder, openVehicle } from '../state/selection.js';
import { waitingAlerts, waitingCount } from '../state/waiting.js';
import { AcknowledgeButton, AcknowledgedBy, alertWords } from '../ui/alert-parts.js';
import { Icon } from '../ui/icons.js';
import { Empty, Phone, vehicleName } from '../ui/pieces.js';
import { Tabs } from '../ui/tabs.js';
import { CardItem } from './card-item.js';

const SHAPES = { info: '●', warning: '▲', breach: '■', sos: '✱' } as const;

function AlertItem({ alert }: { alert: AlertJson }) {
  const order = alert.orderId ? orders.value.get(alert.orderId) : undefined;
  return (
    <article class={`notice severity-${alert.severity} ${alert.endedAt ? 'ended' : ''}`} data-alert={alert.id}>
      <header class="line">
        <span class="shape" aria-hidden="true">
          {SHAPES[alert.severity]}
        </span>
        <b>{tValue('severity', alert.severity)}</b>
        <time class="muted small">
          {clockTime(alert.raisedAt)} · {rough(now.value - Date.parse(alert.raisedAt))}
        </time>
      </header>
      <p>{alertWords(alert)}</p>
      {alert.told.length > 0 && (
        <p class="small told">
          {alert.told.map((told, index) => (
            <span key={index}>
              {tValue('level', told.level)} {told.name ?? ''} <Phone number={told.phone} />
            </span>
          ))}
        </p>
      )}
      <AcknowledgedBy alert={alert} />
      {alert.endedAt && (
        <p class="small muted">
          {t('alerts.endedAt', { at: clockTime(alert.endedAt), why: tValue('endedBecause', alert.endedBecause ?? '') })}
        </p>
      )}
      <div class="row">
        {alert.orderId && (
          <button class="link" onClick={() => openOrder(alert.orderId!)}>
            {order?.number ?? t('card.order')}
          </button>
        )}
        {alert.vehicleId && (
          <button class="link" onClick={() => openVehicle(alert.vehicleId!)}>
            {vehicleName(alert.vehicleId)}
          </button>
        )}
        <span class="grow" />
        <AcknowledgeButton alert={alert} />
      </div>
    </article>
  );
}

export function AlertsPanel({ onClose }: { onClose: () => void }) {
  const [tab, setTab] = useState<'mine' | 'all' | 'ended'>('mine');
  const open = activeAlerts.value;
  const waiting = waitingAlerts.value;
  const ended = [...alerts.value.values()]
    .filter((alert) => alert.endedAt)
    .sort((a, b) => b.raisedAt.localeCompare(a.raisedAt));
  const counts = { mine: waitingCount.value, all: open.length, ended: ended.length };
  const shown = tab === 'mine' ? waiting : tab === 'all' ? open : ended.slice(0, 60);
  return (
    <aside
      class="alerts-panel"
      aria-label={t('alerts.title')}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <header class="panel-head">
        <h2>{t('alerts.title')}</h2>
        <span class="grow" />
        <button class="icon-only quiet" aria-label={t('do.close')} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <Tabs
        tabs={(['mine', 'all', 'ended'] as const).map((name) => ({
          name,
          label: t(`alerts.${name}`),
          count: counts[name],
        }))}
        chosen={tab}
        onChoose={setTab}
      />
      <div class="notices" tabIndex={0} role="region" aria-label={t(`alerts.${tab}`)}>
        {tab === 'mine' && openCards.value.map((card) => <CardItem key={card.id} card={card} />)}
        {shown.map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
        {shown.length === 0 && (tab !== 'mine' || openCards.value.length === 0) && <Empty text={t('alerts.none')} />}
      </div>
    </aside>
  );
}
