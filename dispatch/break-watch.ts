/**
 * A crew on break whose vehicle drives off has ended its break and forgotten to say so: that is proposed to the
 * dispatcher (domain.md, "Availability"). Memory only: a restart takes the newest position as where the vehicle stood.
 */
import { distanceM, type Place } from './domain/geo.js';
import type { TerminalReport } from './domain/commands.js';
import type { Vehicle } from './domain/model.js';
import type { DispatchPort } from './ports.js';
import type { Position, PositionBatch } from './store/position-batch.js';

interface Log {
  error(fields: Record<string, unknown>, message: string): void;
}

interface OnBreak {
  phone: string;
  since: number;
  /** Where the vehicle stood; undefined until a position is known. */
  stood: Place | undefined;
}

const HAS_FIX = 0b10;
const MOVING_DECI_KMH = 50;

export class BreakWatch {
  readonly #onBreak = new Map<string, OnBreak>();
  readonly #stops: (() => void)[] = [];

  constructor(
    private readonly dispatch: DispatchPort,
    private readonly log: Log,
  ) {}

  async start(): Promise<void> {
    const { dispatch } = this;
    const after = await dispatch.store.lastPosition();
    for (let cursor: string | undefined; ;) {
      const page = await dispatch.scan({
        index: 'vehicles',
        limit: 500,
        ...(cursor === undefined ? {} : { after: cursor }),
      });
      for (const { value } of page.items) await this.#look(value as Vehicle);
      if (page.next === undefined) break;
      cursor = page.next;
    }
    const follower = dispatch.follow(after, async (events) => {
      const changed = new Set(events.filter(({ type }) => type.startsWith('duty.')).map(({ vehicleId }) => vehicleId!));
      for (const id of changed) await this.#look((await dispatch.get('vehicle', id))?.value, id);
    });
    const positions = dispatch.onPositions((batch) => this.#positions(batch));
    this.#stops.push(
      () => follower.cancel(),
      () => positions.cancel(),
    );
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** Whether the vehicle's crew is known here to be on break. */
  isWatching(vehicleId: string): boolean {
    return this.#onBreak.has(vehicleId);
  }

  async #look(vehicle: Vehicle | undefined, id = vehicle?.id ?? ''): Promise<void> {
    if (vehicle?.duty.state !== 'onBreak') return void this.#onBreak.delete(id);
    if (this.#onBreak.get(id)?.since === vehicle.duty.since) return;
    const last = (await this.dispatch.lastPositions([id])).get(id);
    const stood = last && (last.status & HAS_FIX) !== 0 ? placeOf(last) : undefined;
    this.#onBreak.set(id, { phone: vehicle.terminal.phone, since: vehicle.duty.since, stood });
  }

  #positions(batch: PositionBatch): void {
    if (this.#onBreak.size === 0) return;
    for (let i = 0; i < batch.length; i++) {
      const watched = this.#onBreak.get(batch.vehicles[batch.vehicleOf[i]!]!);
      if (watched) this.#step(watched, batch.at(i));
    }
  }

  #step(watched: OnBreak, position: Position): void {
    if ((position.status & HAS_FIX) === 0 || position.deviceAt < watched.since) return;
    const here = placeOf(position);
    watched.stood ??= here;
    const away = distanceM(watched.stood, here) > this.dispatch.settings.departure.distanceM;
    if (!away || position.speedDeciKmh <= MOVING_DECI_KMH) return;
    const { vehicleId, deviceAt, receivedAt } = position;
    // Told once: the break ends, or the dispatcher says that it goes on.
    this.#onBreak.delete(vehicleId);
    const report: TerminalReport = {
      type: 'rule.movedOnBreak',
      vehicleId,
      phone: watched.phone,
      receivedAt,
      at: deviceAt,
      dedupKey: '',
    };
    this.dispatch.note([report]).catch((error: unknown) => {
      this.log.error({ err: error, vehicleId }, 'that a vehicle moved in its break could not be noted');
      this.#onBreak.set(vehicleId, watched);
    });
  }
}

const placeOf = ({ latE6, lonE6 }: Position): Place => ({ lat: latE6 / 1e6, lon: lonE6 / 1e6 });
