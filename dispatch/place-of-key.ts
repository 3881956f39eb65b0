/**
 * Where the vehicle was when its crew pressed a key. Terminals of JT/T 808 send their keys without a place, so it is
 * looked up among the positions that come with the key and those that are stored; rules then judge it (domain.md,
 * "What time a point gets", 2: a key "arrived" from farther than the arrival radius).
 */
import type { TerminalReport } from './domain/commands.js';
import type { PositionBatch, Position } from './store/position-batch.js';
import type { DispatchStore } from './store/store.js';

/** A position farther from the key in time than this says nothing about it. */
const NEAR_MS = 60_000;
/** A vehicle that stood may have driven on meanwhile, at the speed of a town. */
const LEAST_KMH = 30;
const HAS_FIX = 0b10;

interface Found {
  position: Position;
  gapMs: number;
}

/** The report with the place of its key, where that matters, is not given and can be known. */
export async function withPlace(
  store: Pick<DispatchStore, 'track'>,
  report: TerminalReport,
  positions?: PositionBatch,
): Promise<TerminalReport> {
  const asks = report.type === 'report.menuEvent' || (report.type === 'report.action' && report.action === 'arrive');
  if (!asks || report.at) return report;
  const key = {
    vehicleId: report.vehicleId,
    receivedAt: report.receivedAt,
    ...('deviceAt' in report && report.deviceAt !== undefined ? { deviceAt: report.deviceAt } : {}),
  };
  const found = await nearest(store, key, positions);
  if (!found) return report;
  const { latE6, lonE6, speedDeciKmh } = found.position;
  const withinM = ((Math.max(speedDeciKmh / 10, LEAST_KMH) / 3.6) * found.gapMs) / 1000;
  return { ...report, at: { lat: latE6 / 1e6, lon: lonE6 / 1e6, withinM: Math.round(withinM) } };
}

interface Key {
  vehicleId: string;
  receivedAt: number;
  /** By the same clock as the positions' device times; absent where the message carries none (0x0301). */
  deviceAt?: number;
}

async function nearest(
  store: Pick<DispatchStore, 'track'>,
  key: Key,
  positions: PositionBatch | undefined,
): Promise<Found | undefined> {
  let best: Found | undefined;
  const consider = (position: Position): void => {
    if ((position.status & HAS_FIX) === 0) return;
    const gapMs = gapOf(key, position);
    if (gapMs <= NEAR_MS && (!best || gapMs < best.gapMs)) best = { position, gapMs };
  };
  const at = key.deviceAt ?? key.receivedAt;
  for await (const position of store.track(key.vehicleId, at - NEAR_MS, at + NEAR_MS + 1)) consider(position);
  const index = positions?.vehicles.indexOf(key.vehicleId) ?? -1;
  for (let i = 0; index >= 0 && i < positions!.length; i++) {
    if (positions!.vehicleOf[i] === index) consider(positions!.at(i));
  }
  return best;
}

/** Without a device time both ends are times of receipt, and a position that came late is as old as it says. */
function gapOf({ deviceAt, receivedAt }: Key, position: Position): number {
  if (deviceAt !== undefined) return Math.abs(position.deviceAt - deviceAt);
  return Math.max(Math.abs(position.receivedAt - receivedAt), Math.abs(position.deviceAt - receivedAt));
}
