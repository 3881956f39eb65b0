/** Charts of the segment report, drawn as SVG with a text beside every mark. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { minutes } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { timeZone } from '../../format.js';
import { dark } from '../../state/prefs.js';
import { PARTS } from '../../ui/order-time.js';
import { Empty, vehicleName } from '../../ui/pieces.js';

export interface SegmentSummary {
  name: string;
  count: number;
  measured: number;
  breached: number;
  medianMs: number | null;
  p90Ms: number | null;
  proposedLimitMin: number | null;
}
export interface SegmentRow {
  number: string;
  vehicleId?: string;
  segments: Record<string, { elapsedMs: number | null; limitMs: number; state: string }>;
  kept?: string;
  cause?: string;
  responsible?: string;
  A?: string;
}

const MIN = 60_000;
const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.floor(sorted.length / 2)]!;
};

/** Median and 90th percentile of each part; how many broke their limit; the proposed limit. */
export function SegmentBars({ summary }: { summary: SegmentSummary[] }) {
  const shown = summary.filter((one) => one.count > 0 && one.name !== 'R');
  if (shown.length === 0) return <Empty text={t('reports.none')} />;
  const most = Math.max(...shown.map((one) => one.p90Ms ?? one.medianMs ?? 0), MIN);
  return (
    <table class="data-table bars">
      <thead>
        <tr>
          <th scope="col">{t('time.part')}</th>
          <th scope="col">{t('reports.medianP90')}</th>
          <th scope="col" class="number">
            {t('reports.median')}
          </th>
          <th scope="col" class="number">
            P90
          </th>
          <th scope="col" class="number">
            {t('reports.count')}
          </th>
          <th scope="col" class="number">
            {t('reports.breached')}
          </th>
          <th scope="col" class="number">
            {t('reports.proposed')}
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map((one) => (
          <tr key={one.name}>
            <th scope="row">
              <b>{one.name}</b> <span class="muted">{tValue('segment', one.name)}</span>
            </th>
            <td class="bar-cell">
              <svg viewBox="0 0 300 16" preserveAspectRatio="none" aria-hidden="true">
                <rect class="bed" width={300} height={16} rx={3} />
                <rect class="p90" y={3} width={((one.p90Ms ?? 0) / most) * 300} height={10} rx={2} />
                <rect class="median" y={3} width={((one.medianMs ?? 0) / most) * 300} height={10} rx={2} />
              </svg>
            </td>
            <td class="number">{one.medianMs === null ? '–' : (one.medianMs / MIN).toFixed(1)}</td>
            <td class="number">{one.p90Ms === null ? '–' : (one.p90Ms / MIN).toFixed(1)}</td>
            <td class="number">{one.count}</td>
            <td class={`number ${one.breached > 0 ? 'tone bad' : ''}`}>{one.breached}</td>
            <td class="number">{one.proposedLimitMin ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Orders that broke the promise, by the part that went over by most and whose it is. */
export function BreachBars({ rows }: { rows: SegmentRow[] }) {
  const counts = new Map<string, { part: string; who: string; n: number }>();
  for (const row of rows) {
    if (row.kept !== 'breached' || !row.cause) continue;
    const found = counts.get(row.cause) ?? { part: row.cause, who: row.responsible ?? '', n: 0 };
    counts.set(row.cause, { ...found, n: found.n + 1 });
  }
  const list = [...counts.values()].sort((a, b) => b.n - a.n);
  if (list.length === 0) return <Empty text={t('reports.noBreaches')} />;
  const most = list[0]!.n;
  return (
    <ul class="h-bars">
      {list.map((one) => (
        <li key={one.part}>
          <span>
            <b>{one.part}</b> {tValue('segment', one.part)} <span class="muted">{tValue('level', one.who)}</span>
          </span>
          <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
            <rect class="breach" width={(one.n / most) * 100} height={12} rx={1} />
          </svg>
          <b>{one.n}</b>
        </li>
      ))}
    </ul>
  );
}

const hourOf = (at: string): number =>
  Number(new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23' }).format(Date.parse(at)));

/** Median minutes to arrival and number of orders by hour of the call. */
export function HourChart({ rows }: { rows: SegmentRow[] }) {
  const holder = useRef<HTMLDivElement>(null);
  const isDark = dark.value;
  useEffect(() => {
    const hours = Array.from({ length: 24 }, () => [] as number[]);
    const calls = Array.from({ length: 24 }, () => 0);
    for (const row of rows) {
      if (!row.A) continue;
      const hour = hourOf(row.A);
      calls[hour]! += 1;
      const ah = row.segments.AH;
      if (ah?.elapsedMs !== null && ah && (ah.state === 'met' || ah.state === 'breached'))
        hours[hour]!.push(ah.elapsedMs / MIN);
    }
    const ink = isDark ? '#a5b3c3' : '#4a5868';
    const axis = { stroke: ink, grid: { stroke: isDark ? '#2a3748' : '#e2e7ed', width: 1 }, ticks: { show: false } };
    const chart = new uPlot(
      {
        width: holder.current!.clientWidth,
        height: 220,
        scales: { x: { time: false, range: [-0.5, 23.5] }, n: { range: (_u, _min, max) => [0, Math.max(4, max * 1.2)] } },
        legend: { show: true },
        cursor: { y: false },
        axes: [
          { ...axis, values: (_u, values) => values.map((value) => `${value}`), space: 34 },
          { ...axis, label: t('reports.minutes'), labelSize: 18, size: 44 },
          { ...axis, scale: 'n', side: 1, label: t('reports.orders'), labelSize: 18, size: 40, grid: { show: false } },
        ],
        series: [
          { label: t('reports.hour') },
          { label: t('reports.medianAH'), stroke: isDark ? '#6bb2ff' : '#0b5cc0', width: 2, points: { show: true, size: 6 }, spanGaps: true, value: (_u, v) => (v === null ? '–' : v.toFixed(1)) },
          { label: t('reports.orders'), scale: 'n', stroke: '#8493a5', fill: isDark ? '#2a374888' : '#c9d4e088', paths: uPlot.paths.bars!({ size: [0.7] }), points: { show: false } },
        ],
      },
      [hours.map((_, hour) => hour), hours.map((values) => (values.length > 0 ? median(values) : null)), calls],
      holder.current!,
    ); // prettier-ignore
    const observer = new ResizeObserver(() => chart.setSize({ width: holder.current!.clientWidth, height: 220 }));
    observer.observe(holder.current!);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [rows, isDark]);
  return <div class="chart" ref={holder} role="img" aria-label={t('reports.byHour')} />;
}

const MAX_CREWS = 12;

/** The median of each part, end to end, for every crew. */
export function CrewBars({ rows }: { rows: SegmentRow[] }) {
  const crews = new Map<string, SegmentRow[]>();
  for (const row of rows) if (row.vehicleId) crews.set(row.vehicleId, [...(crews.get(row.vehicleId) ?? []), row]);
  if (crews.size === 0) return <Empty text={t('reports.none')} />;
  const parts = PARTS.filter((name) => name === 'DE' || name === 'EF' || name === 'FG' || name === 'GH');
  const list = [...crews]
    .map(([vehicleId, own]) => {
      const medians = parts.map((name) =>
        median(
          own.flatMap((row) =>
            row.segments[name]?.state === 'met' || row.segments[name]?.state === 'breached'
              ? (row.segments[name].elapsedMs ?? [])
              : [],
          ),
        ),
      );
      return { vehicleId, n: own.length, medians, total: medians.reduce((a, b) => a + b, 0) };
    })
    .sort((a, b) => b.total - a.total)
    .slice(0, MAX_CREWS);
  const most = Math.max(...list.map((one) => one.total), MIN);
  return (
    <>
      <p class="key small">
        {parts.map((name) => (
          <span key={name} class={`part-${name}`}>
            <i aria-hidden="true" /> {name} {tValue('segment', name)}
          </span>
        ))}
      </p>
      <ul class="h-bars crews">
        {list.map((one) => {
          let x = 0;
          return (
            <li key={one.vehicleId}>
              <span>
                {vehicleName(one.vehicleId)} <span class="muted">{one.n}</span>
              </span>
              <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
                {one.medians.map((value, index) => {
                  const width = (value / most) * 100;
                  const rect = (
                    <rect key={parts[index]} class={`part-${parts[index]}`} x={x} width={width} height={12} />
                  );
                  x += width;
                  return rect;
                })}
              </svg>
              <b>{minutes(one.total)}</b>
            </li>
          );
        })}
      </ul>
    </>
  );
}
