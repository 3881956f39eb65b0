/** Reports as pictures: where the minutes went, what broke the promise, when crews were missing. */
import { useState } from 'preact/hooks';
import { BASE } from '../../api/client.js';
import { t, tValue } from '../../i18n/index.js';
import { gatewayNow } from '../../state/clock.js';
import { centres } from '../../state/live.js';
import { Icon } from '../../ui/icons.js';
import { useLoad } from '../../ui/load.js';
import { Problem } from '../../ui/pieces.js';
import { CapacityHeatMap, type CapacityCell } from './capacity-heat-map.js';
import {
  BreachBars,
  CrewBars,
  HourChart,
  SegmentBars,
  type SegmentRow,
  type SegmentSummary,
} from './segment-charts.js';
import { DeliveryTable } from './delivery-table.js';

interface Report<S, R> {
  from: string;
  to: string;
  truncated: boolean;
  summary: S[];
  items: R[];
}
const DAY_MS = 86_400_000;
const PERIODS = [1, 7, 30, 90] as const;

export function ReportsPage() {
  const [days, setDays] = useState<number>(7);
  const [centre, setCentre] = useState('');
  const [to] = useState(() => gatewayNow());
  const query = new URLSearchParams({
    from: new Date(to - days * DAY_MS).toISOString(),
    to: new Date(to + 1).toISOString(),
  });
  if (centre) query.set('centre', centre);
  const segments = useLoad<Report<SegmentSummary, SegmentRow>>(`/reports/segments?${query}`);
  const capacity = useLoad<Report<CapacityCell, Record<string, unknown>>>(`/reports/capacity?${query}`);
  const deliveries = useLoad<Report<Record<string, unknown>, Record<string, unknown>>>(`/reports/deliveries?${query}`);
  const reports = [segments, capacity, deliveries];
  const problem = reports.find((one) => one.problem !== undefined)?.problem;
  const csv = (name: string) => (
    <a class="button small-button" href={`${BASE}/reports/${name}?${query}&format=csv`} download>
      <Icon name="download" size={14} /> {t('do.export')}
    </a>
  );
  const rows = segments.value?.items ?? [];
  const reached = rows.filter((row) => row.kept === 'met' || row.kept === 'breached');
  const kept = reached.filter((row) => row.kept === 'met').length;
  return (
    <div class="reports-page" tabIndex={0} role="region" aria-label={t('nav.reports')}>
      <header class="page-head">
        <h1>{t('nav.reports')}</h1>
        <div class="switch" role="group" aria-label={t('reports.period')}>
          {PERIODS.map((one) => (
            <button key={one} aria-pressed={days === one} onClick={() => setDays(one)}>
              {t('unit.days', { n: one })}
            </button>
          ))}
        </div>
        {centres.value.length > 1 && (
          <select
            aria-label={t('filter.centre')}
            value={centre}
            onChange={(event) => setCentre(event.currentTarget.value)}
          >
            <option value="">{t('filter.centre')}</option>
            {centres.value.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
        <span class="grow" />
        <p class="reports-key">
          <b>{rows.length}</b> {t('reports.orders')} ·{' '}
          <b>{reached.length > 0 ? `${Math.round((kept / reached.length) * 100)} %` : '–'}</b> {t('reports.kept')}
        </p>
      </header>
      {problem && (
        <Problem
          words={problem}
          again={() => {
            for (const one of reports) one.again();
          }}
        />
      )}
      {segments.value?.truncated && <p class="why">{t('reports.truncated')}</p>}
      <div class="report-grid">
        <section class="report wide">
          <header class="line">
            <h2>{t('reports.segments')}</h2>
            <span class="grow" />
            {csv('segments')}
          </header>
          <SegmentBars summary={segments.value?.summary ?? []} />
        </section>
        <section class="report">
          <h2>{t('reports.breaches')}</h2>
          <BreachBars rows={rows} />
        </section>
        <section class="report">
          <h2>{t('reports.byHour')}</h2>
          <HourChart rows={rows} />
        </section>
        <section class="report">
          <h2>{t('reports.byCrew')}</h2>
          <CrewBars rows={rows} />
        </section>
        <section class="report wide">
          <header class="line">
            <h2>{t('reports.capacity')}</h2>
            <span class="grow" />
            {csv('capacity')}
          </header>
          <CapacityHeatMap cells={capacity.value?.summary ?? []} />
        </section>
        <section class="report wide">
          <header class="line">
            <h2>{t('reports.deliveries')}</h2>
            <span class="grow" />
            {csv('deliveries')}
          </header>
          <DeliveryTable summary={deliveries.value?.summary ?? []} />
        </section>
      </div>
      <p class="muted small">{tValue('reports', 'note')}</p>
    </div>
  );
}
