import type { Histogram } from '../histogram.js';
import type { LoadCounts } from '../net/load.js';

type Summary = ReturnType<Histogram['summary']>;

/** What to do about errors of connections, where something can be done. */
const advice: Record<string, string> = {
  EMFILE: 'this machine’s limit of open files: raise `ulimit -n`, or share the terminals among more --processes',
  EADDRNOTAVAIL:
    'no local ports are left (one address has about 28,000 of them towards one port), or --from is no address of this machine',
  ECONNREFUSED: 'nobody listens there, or the queue of connections is full: a smaller --connect-rate',
  ECONNRESET:
    'the platform ends connections: mind its limits of open files and of connections from one address (a gateway takes' +
    ' 500 new ones a second and --max-connections-per-address in all), connect from more addresses with --from',
};

/** What kept connections from being made, in all processes, with what to do about it. */
export function notesOf(all: readonly Record<string, number>[]): string[] {
  const totals = new Map<string, number>();
  for (const errors of all) {
    for (const [code, count] of Object.entries(errors)) totals.set(code, (totals.get(code) ?? 0) + count);
  }
  return [...totals].map(
    ([code, count]) => `${count} × ${code}${advice[code] === undefined ? '' : `: ${advice[code]}`}`,
  );
}

/** The account of a load run as lines of text. */
export function formatLoad(
  report: LoadCounts &
    Record<string, unknown> & { delayMs: Summary; loginMs: Summary; lost: number; doubled: number; notes: string[] },
): string {
  const { delayMs, loginMs } = report;
  const times = (of: Summary): string =>
    `p50 ${of.p50.toFixed(1)}  p90 ${of.p90.toFixed(1)}  p99 ${of.p99.toFixed(1)}  p99.9 ${of.p999.toFixed(1)}  max ${of.max.toFixed(1)} ms`;
  return [
    `load: ${String(report['vehicles'])} terminals, ${Number(report['durationS']).toFixed(0)} s at clock rate ${String(report['clockRate'])}`,
    `positions   due ${report.due}  sent ${report.sent}  confirmed ${report.confirmed}  pending ${report.sent - report.confirmed}  not sent ${report.unsent}  lost ${report.lost}  doubled ${report.doubled}`,
    `rate        ${String(report['perSecond'])} confirmed a second`,
    `links       connected ${report.connected}  online ${report.online}  refused ${report.refused}  closed ${report.closed}`,
    `confirmed   ${times(delayMs)} from the time when it was due`,
    `login       ${times(loginMs)}`,
    ...report.notes.map((note) => `note        ${note}`),
  ].join('\n');
}
