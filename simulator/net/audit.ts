import { setTimeout as sleep } from 'node:timers/promises';
import { positionKey } from '../ledger.js';
import type { Api } from './api.js';

export interface Audit {
  received: number;
  lost: number;
  doubled: number;
  missing: { phone: string; at: string; lat: number; lon: number }[];
  /** Terminals whose track could not be read; `notes` say why. */
  unchecked: number;
  notes: string[];
}

interface TrackLine {
  deviceAt: string;
  lat: number;
  lon: number;
}

/** The API shows what is behind the gate a moment later: how long to ask again before something counts as lost. */
const patienceMs = 20_000;
const askAgainMs = 250;
const listedMissing = 10;
/** Vehicles asked at the same time. */
const parallel = 4;

/** Confirmed positions of one terminal, as they were on the wire. */
export interface Confirmed {
  phone: string;
  vehicleId: string | undefined;
  positions: readonly { at: number; latE6: number; lonE6: number }[];
}

/**
 * Compares what terminals were told is safe with what the API shows: every confirmed position must be in the track,
 * once. Terminals without a vehicle on file are left out.
 */
export async function auditPositions(api: Api, terminals: readonly Confirmed[]): Promise<Audit> {
  const result: Audit = { received: 0, lost: 0, doubled: 0, missing: [], unchecked: 0, notes: [] };
  const queue = terminals.filter(({ vehicleId, positions }) => vehicleId !== undefined && positions.length > 0);
  const workers = Array.from({ length: parallel }, async () => {
    for (let terminal = queue.pop(); terminal !== undefined; terminal = queue.pop())
      await auditOne(api, terminal, result);
  });
  await Promise.all(workers);
  return result;
}

async function auditOne(api: Api, terminal: Confirmed, result: Audit): Promise<void> {
  const wanted = new Map(terminal.positions.map((one) => [positionKey(one.at, one.latE6, one.lonE6), one]));
  const times = [...wanted.values()].map((one) => one.at);
  const from = new Date(times.reduce((a, b) => Math.min(a, b))).toISOString();
  const to = new Date(times.reduce((a, b) => Math.max(a, b)) + 1000).toISOString();
  const path = `/vehicles/${encodeURIComponent(terminal.vehicleId!)}/track?from=${from}&to=${to}`;
  const until = performance.now() + patienceMs;
  for (;;) {
    let lines: TrackLine[];
    try {
      lines = await api.lines<TrackLine>(path);
    } catch (error) {
      result.unchecked += 1;
      result.notes.push(`${terminal.phone}: the track could not be read: ${(error as Error).message}`);
      return;
    }
    const shown = new Map<string, number>();
    for (const line of lines) {
      const key = positionKey(Date.parse(line.deviceAt), Math.round(line.lat * 1e6), Math.round(line.lon * 1e6));
      shown.set(key, (shown.get(key) ?? 0) + 1);
    }
    const missing = [...wanted.keys()].filter((key) => !shown.has(key));
    if (missing.length > 0 && performance.now() < until) {
      await sleep(askAgainMs);
      continue;
    }
    result.received += wanted.size - missing.length;
    result.lost += missing.length;
    for (const [key, count] of shown) if (count > 1 && wanted.has(key)) result.doubled += 1;
    for (const key of missing.slice(0, listedMissing - result.missing.length)) {
      const { at, latE6, lonE6 } = wanted.get(key)!;
      result.missing.push({
        phone: terminal.phone,
        at: new Date(at).toISOString(),
        lat: latE6 / 1e6,
        lon: lonE6 / 1e6,
      });
    }
    return;
  }
}
