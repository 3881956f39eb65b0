import type { Histogram } from './histogram.js';

/** What a run was and what became of it; printed at the end, and as JSON. */
export interface Report {
  scenario: string;
  seed: string | number;
  vehicles: number;
  /** Gateway seconds. */
  durationS: number;
  clockRate: number;
  positions: {
    /** Made by the trucks. */
    sent: number;
    /** Confirmed by the platform. */
    confirmed: number;
    /** Shown by the platform's API; undefined without an API token. */
    received?: number;
    /** Confirmed, but not shown (without a token: not known, 0). Must be 0. */
    lost: number;
    /** Shown more than once. Must be 0. */
    doubled: number;
    /** Still in the terminals' memories at the end. */
    pending: number;
    /** Pushed out of a full blind-zone memory: the platform never saw them. */
    dropped: number;
  };
  keys: { pressed: number; confirmed: number; pending: number };
  orders: {
    /** Appeared on a screen, each leg once per terminal. */
    shown: number;
    /** The same leg appeared again on the same screen although it had not been taken off. Must be 0. */
    doubled: number;
    removed: number;
    done: number;
  };
  calls: { made: number; issued: number; assigned: number; failed: number };
  links: { connected: number; lost: number; refused: number };
  /** From the making of a live report to its confirmation, ms of gateway time. */
  confirmationMs: ReturnType<Histogram['summary']>;
  /** Confirmed but lost, by phone; only the first few. */
  missing: { phone: string; at: string; lat: number; lon: number }[];
  /** Terminals whose track the API would not give: nothing is known about their positions. */
  unchecked: number;
  /** Anything that a person should read. */
  notes: string[];
}

/** A run is good when nothing that was confirmed is missing or doubled, and all of it could be looked at. */
export function isSound(report: Report): boolean {
  if (report.unchecked > 0) return false;
  return report.positions.lost === 0 && report.positions.doubled === 0 && report.orders.doubled === 0;
}

/** The report as lines of text. */
export function formatReport(report: Report): string {
  const { positions, keys, orders, calls, links, confirmationMs } = report;
  const received = positions.received === undefined ? 'not asked' : String(positions.received);
  const lines = [
    `${report.scenario}: ${report.vehicles} vehicles, ${report.durationS.toFixed(0)} s at clock rate ${report.clockRate}, seed ${report.seed}`,
    `positions   sent ${positions.sent}  confirmed ${positions.confirmed}  received ${received}  lost ${positions.lost}  doubled ${positions.doubled}  pending ${positions.pending}  dropped ${positions.dropped}`,
    `keys        pressed ${keys.pressed}  confirmed ${keys.confirmed}  pending ${keys.pending}`,
    `orders      shown ${orders.shown}  removed ${orders.removed}  done ${orders.done}  doubled ${orders.doubled}`,
    `calls       made ${calls.made}  issued ${calls.issued}  assigned ${calls.assigned}  failed ${calls.failed}`,
    `links       connected ${links.connected}  lost ${links.lost}  refused ${links.refused}`,
    `confirmed   p50 ${ms(confirmationMs.p50)}  p99 ${ms(confirmationMs.p99)}  p99.9 ${ms(confirmationMs.p999)}  max ${ms(confirmationMs.max)}`,
    ...report.missing.map((one) => `LOST        ${one.phone} ${one.at} ${one.lat},${one.lon}`),
    ...report.notes.map((note) => `note        ${note}`),
  ];
  return lines.join('\n');
}

function ms(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}
