/** Followers of the event log and of positions. */
import type { StoredEvent } from './domain/events.js';
import { POSITION_WIDTH, PositionBatch, type Position } from './store/position-batch.js';
import type { DispatchStore } from './store/store.js';

const READ_AT_ONCE = 500;
/** The log is looked at this often (machine time) even if no word of a commit came: another node's may be lost. */
const SWEEP_MS = 1_000;
const RETRY_MS = 500;
/** Positions are handed on this often (machine time), the newest of each vehicle. */
const COALESCE_MS = 100;

/**
 * Calls `on` with every event once, in order, from behind `after`. A listener that returns a promise is waited for; one
 * that fails is given the same events again.
 */
export function followLog(
  store: DispatchStore,
  log: { warn(fields: Record<string, unknown>, message: string): void },
  after: number,
  on: (events: StoredEvent[]) => void | Promise<void>,
): { cancel(): void } {
  let position = after;
  let cancelled = false;
  let wake: () => void = () => {};
  // A commit between the look at the log and the sleep must not be slept over.
  let news = false;
  const unwatch = store.watch({
    committed() {
      news = true;
      wake();
    },
  });

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (news || cancelled) return resolve();
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const run = async (): Promise<void> => {
    while (!cancelled) {
      try {
        news = false;
        const events = await store.eventsAfter(position, READ_AT_ONCE);
        if (cancelled) return;
        if (events.length > 0) {
          await on(events);
          position = events.at(-1)!.position;
        } else {
          const last = await store.lastPosition();
          if (last < position) {
            // A replica was promoted that lacks the end of the log: what comes now has positions that were here before.
            log.warn({ position, last }, 'the event log has lost its end; following from where it ends now');
            position = last;
            // Never a loop without a pause: what makes the store know better needs the event loop.
            await sleep(RETRY_MS);
          } else await sleep(SWEEP_MS);
        }
      } catch (error) {
        if (cancelled) return;
        log.warn({ err: error, position }, 'a follower of the event log failed; it is given the same events again');
        news = false;
        await sleep(RETRY_MS);
      }
    }
  };
  void run();
  return {
    cancel() {
      cancelled = true;
      unwatch();
      wake();
    },
  };
}

/** Calls `on` with positions as they are applied, coalesced to the newest of each vehicle. */
export function followPositions(store: DispatchStore, on: (batch: PositionBatch) => void): { cancel(): void } {
  const newest = new Map<string, Position>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    timer = undefined;
    const batch = new PositionBatch(newest.size);
    for (const p of newest.values()) addTo(batch, p);
    newest.clear();
    on(batch);
  };
  const unwatch = store.watch({
    positions(batch) {
      for (const row of newestRows(batch)) {
        const position = batch.at(row);
        const before = newest.get(position.vehicleId);
        if (!before || before.deviceAt <= position.deviceAt) newest.set(position.vehicleId, position);
      }
      if (newest.size > 0) timer ??= setTimeout(flush, COALESCE_MS);
    },
  });
  return {
    cancel() {
      unwatch();
      clearTimeout(timer);
    },
  };
}

/** The row with the latest device time of each vehicle; of equal ones the last. No object for each position. */
function newestRows({ vehicles, vehicleOf, numbers, length }: PositionBatch): Uint32Array {
  const newest = new Uint32Array(vehicles.length);
  const newestAt = new Float64Array(vehicles.length).fill(-Infinity);
  for (let row = 0; row < length; row++) {
    const vehicle = vehicleOf[row]!;
    const deviceAt = numbers[row * POSITION_WIDTH]!;
    if (deviceAt < newestAt[vehicle]!) continue;
    newest[vehicle] = row;
    newestAt[vehicle] = deviceAt;
  }
  return newest;
}

function addTo(batch: PositionBatch, p: Position): void {
  batch.add(
    p.vehicleId,
    p.deviceAt,
    p.receivedAt,
    p.latE6,
    p.lonE6,
    p.altitudeM,
    p.speedDeciKmh,
    p.headingDeg,
    p.alarm,
    p.status,
    p.mileageDeciKm,
  );
}
