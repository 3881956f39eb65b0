/** The samples of a soak as CSV and as one SVG with a chart for each figure. */
import type { Sample } from './soaking.js';

const COLUMNS = ['seconds', 'rssMb', 'ownMb', 'heapMb', 'handles', 'p50Ms', 'p99Ms', 'confirmed'] as const;

export function toCsv(samples: readonly Sample[]): string {
  const rows = samples.map((sample) => COLUMNS.map((column) => Number(sample[column].toFixed(2))).join(','));
  return [COLUMNS.join(','), ...rows].join('\n') + '\n';
}

const CHARTS: [keyof Sample, string][] = [
  ['rssMb', 'resident memory, pages of the store among it, MiB'],
  ['ownMb', 'memory of its own, MiB'],
  ['heapMb', 'JavaScript heap in use, MiB'],
  ['handles', 'open handles'],
  ['p99Ms', 'confirmation, 99th percentile, ms'],
];
const WIDTH = 720;
const HEIGHT = 130;
const LEFT = 60;
const PLOT = 80;

export function toSvg(samples: readonly Sample[], title: string): string {
  const charts = CHARTS.map(([key, words], i) => chart(samples, key, words, 40 + i * HEIGHT)).join('\n');
  const height = 40 + CHARTS.length * HEIGHT;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n<text x="${LEFT}" y="22" font-size="14">${title}</text>\n${charts}\n</svg>\n`
  );
}

/** From zero, so that a flat line looks flat. */
function chart(samples: readonly Sample[], key: keyof Sample, words: string, top: number): string {
  const end = samples.at(-1)?.seconds ?? 1;
  const highest = Math.max(1e-9, ...samples.map((sample) => sample[key]));
  const x = (seconds: number): string => (LEFT + ((WIDTH - LEFT - 20) * seconds) / end).toFixed(1);
  const y = (value: number): string => (top + 20 + PLOT * (1 - value / highest)).toFixed(1);
  const points = samples.map((sample) => `${x(sample.seconds)},${y(sample[key])}`).join(' ');
  const base = top + 20 + PLOT;
  return (
    `<text x="${LEFT}" y="${top + 12}">${words}</text>` +
    `<text x="${LEFT - 6}" y="${top + 26}" text-anchor="end">${highest.toFixed(0)}</text>` +
    `<text x="${LEFT - 6}" y="${base}" text-anchor="end">0</text>` +
    `<text x="${WIDTH - 20}" y="${base + 16}" text-anchor="end">${(end / 60).toFixed(1)} min</text>` +
    `<path d="M${LEFT} ${top + 20}V${base}H${WIDTH - 20}" fill="none" stroke="#999"/>` +
    `<polyline points="${points}" fill="none" stroke="#1864ab" stroke-width="1.5"/>`
  );
}
