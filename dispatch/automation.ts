/**
 * Drives the position rules: keeps a fold for each vehicle whose queue has a leg to watch, feeds it what the store
 * applies, and notes what it finds. The folds are memory only: a restart, a change of the queue or positions that come
 * late fold the stored track again, and a finding that was noted before changes nothing. How far the event log was
 * followed, and until when late positions were folded, is stored, so that orders which ended while no node ran the rules
 * are looked at later.
 */
import { LegWatch, type Finding } from './domain/automation.js';
import type { TerminalReport } from './domain/commands.js';
import type { StoredEvent } from './domain/events.js';
import type { Leg, Order, StampFlag, Vehicle } from './domain/model.js';
import { candidate, legOf, otherSites, watchedUntil, watchOf } from './domain/watch.js';
import { fixOf, isFix, timeIn } from './fixes.js';
import { knownVehicle, recentOrders, type Known } from './known-vehicle.js';
import { RULES_META, unfolded, type RulesMeta } from './late-marks.js';
import type { DispatchPort } from './ports.js';
import { StoreError } from './store/errors.js';
import { POSITION_WIDTH, type PositionBatch } from './store/position-batch.js';

interface Log {
  error(fields: Record<string, unknown>, message: string): void;
}

/** A watched leg and how far its fold has come. */
interface Watched {
  /** Names all that the fold depends on: another key means another fold. */
  key: string;
  phone: string;
  /** Of the terminal's clock, ms. */
  offsetMs: number;
  fold: LegWatch;
  lastAt: number;
}

/** What a track said; `receivedAt` of the position that made the last finding sure. */
interface Folded {
  findings: Finding[];
  receivedAt: number;
  /** A finding rests on positions that came late. */
  late: boolean;
}

/** Track read before the watch begins, to know where the vehicle stood. */
const BEFORE_MS = 10 * 60_000;
/** Late positions are gathered this long (gateway time) before the track is folded again. */
const GATHER_MS = 2_000;
/** Pause before work that the store failed is tried again (gateway time). */
const RETRY_MS = 2_000;
/** How far the event log was followed is stored this often (gateway time). */
const STORE_MS = 10_000;

export class PositionRules {
  readonly #watched = new Map<string, Watched>();
  /** Work of one vehicle runs one after another; vehicles run side by side. */
  readonly #chains = new Map<string, Promise<void>>();
  /** Vehicle → earliest time of the late positions gathered. */
  readonly #late = new Map<string, number>();
  /** Vehicles whose track is being read: what comes meanwhile may lie behind the reader, so the track is read again. */
  readonly #folding = new Set<string>();
  /** Vehicle → offset of its terminal's clock, ms, where there is one. */
  readonly #offsets = new Map<string, number>();
  /** Positions in the event log: followed, and stored as followed. */
  #followed = 0;
  #stored = 0;
  /** Late positions were folded since that was stored. */
  #foldedLate = false;
  readonly #stops: (() => void)[] = [];
  #stopped = false;
  /** Ends the pauses of work that waits for the store. */
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly dispatch: DispatchPort,
    private readonly log: Log,
  ) {}

  /** Watches every vehicle that has something to watch; resolves when the tracks so far are folded. */
  async start(): Promise<void> {
    const { dispatch } = this;
    const stored = (await dispatch.store.meta(RULES_META)) as RulesMeta | undefined;
    this.#stored = this.#followed = stored?.followed ?? (await dispatch.store.lastPosition());
    this.#stops.push(dispatch.store.watch({ positions: (batch) => this.#positions(batch) }));
    const follower = dispatch.follow(this.#followed, (events) => this.#events(events));
    const gathering = dispatch.clock.every(GATHER_MS, () => this.#foldLate());
    const storing = dispatch.clock.every(STORE_MS, () => void this.#storeFollowed());
    this.#stops.push(
      () => follower.cancel(),
      () => gathering.cancel(),
      () => storing.cancel(),
    );
    const late = await unfolded(dispatch.store, stored);
    for (let cursor: string | undefined; ;) {
      const page = await dispatch.scan({
        index: 'vehicles',
        limit: 500,
        ...(cursor === undefined ? {} : { after: cursor }),
      });
      await this.#learnOffsets(page.items.map((doc) => doc.value as Vehicle));
      for (const doc of page.items) {
        const from = Math.min(late.vehicles.get(doc.id) ?? Infinity, late.all ?? Infinity);
        if (from < Infinity) this.#gather(doc.id, from - this.#offsets.get(doc.id)!);
        if ((doc.value as Vehicle).queue.entries.length > 0) await this.#enqueue(doc.id, () => this.#refresh(doc.id));
      }
      if (page.next === undefined) return;
      cursor = page.next;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const stop of this.#stops.splice(0)) stop();
    for (const wake of this.#waiting) wake();
    await Promise.allSettled(this.#chains.values());
  }

  async #learnOffsets(vehicles: readonly Vehicle[]): Promise<void> {
    const terminals = await this.dispatch.getMany(
      'terminal',
      vehicles.map((vehicle) => vehicle.terminal.phone),
    );
    for (const [i, vehicle] of vehicles.entries())
      this.#offsets.set(vehicle.id, terminals[i]?.value.clockOffset?.ms ?? 0);
  }

  /** What was followed so far counts once its work is done; a failed store is asked again the next time. */
  async #storeFollowed(): Promise<void> {
    const followed = this.#followed;
    const foldedAt = this.dispatch.clock.now();
    this.#foldLate();
    if (followed === this.#stored && !this.#foldedLate) return;
    this.#foldedLate = false;
    await Promise.allSettled(this.#chains.values());
    if (this.#stopped) return;
    try {
      await this.dispatch.store.setMeta(RULES_META, { followed, foldedAt } satisfies RulesMeta);
      this.#stored = followed;
    } catch (error) {
      this.log.error({ err: error }, 'how far the position rules followed the log could not be stored');
    }
  }

  #events(events: StoredEvent[]): void {
    const changed = new Set<string>();
    for (const event of events) {
      if (event.vehicleId === undefined) continue;
      if (changesWatch(event.type)) changed.add(event.vehicleId);
      if (event.type === 'leg.workDone') {
        const { vehicleId, orderId, leg } = event;
        void this.#enqueue(vehicleId, () => this.#foldEnded(vehicleId, orderId!, leg!));
      }
    }
    for (const vehicleId of changed) void this.#enqueue(vehicleId, () => this.#refresh(vehicleId));
    this.#followed = events.at(-1)?.position ?? this.#followed;
  }

  /** Called for every applied batch: the hot side, so vehicles without a watch cost one look-up a batch. */
  #positions(batch: PositionBatch): void {
    const watched = batch.vehicles.map((vehicleId) => this.#watched.get(vehicleId));
    const offsets = batch.vehicles.map((vehicleId) => this.#offsets.get(vehicleId) ?? 0);
    const { lateMs } = this.dispatch.settings;
    const found = new Map<string, { watch: Watched; findings: Finding[]; receivedAt: number }>();
    for (let i = 0; i < batch.length; i++) {
      const receivedAt = batch.numbers[i * POSITION_WIDTH + 1]!;
      const index = batch.vehicleOf[i]!;
      const watch = watched[index];
      if (!isFix(batch.numbers[i * POSITION_WIDTH + 8]!)) continue;
      const time = timeIn(batch, i, watch?.offsetMs ?? offsets[index]!);
      const isLate = receivedAt - time > lateMs;
      if (isLate || (watch && time <= watch.lastAt) || this.#folding.has(batch.vehicles[index]!))
        this.#gather(batch.vehicles[index]!, time);
      if (!watch || isLate || time <= watch.lastAt) continue;
      watch.lastAt = time;
      const findings = watch.fold.step(fixOf(batch.at(i), watch.offsetMs));
      if (findings.length === 0) continue;
      const vehicleId = batch.vehicles[index]!;
      const entry = found.get(vehicleId) ?? { watch, findings: [], receivedAt };
      entry.findings.push(...findings);
      found.set(vehicleId, entry);
    }
    for (const [vehicleId, { watch, findings, receivedAt }] of found) {
      void this.#enqueue(vehicleId, () => this.#note(vehicleId, watch, { findings, receivedAt, late: false }));
    }
  }

  #gather(vehicleId: string, time: number): void {
    this.#late.set(vehicleId, Math.min(time, this.#late.get(vehicleId) ?? Infinity));
  }

  #foldLate(): void {
    const late = [...this.#late];
    this.#late.clear();
    if (late.length > 0) this.#foldedLate = true;
    for (const [vehicleId, from] of late) void this.#enqueue(vehicleId, () => this.#foldPast(vehicleId, from));
  }

  /**
   * Runs after what the vehicle already has to do. While the store fails it is tried again; another failure is logged and
   * does not hold up what follows.
   */
  #enqueue(vehicleId: string, work: () => Promise<void>): Promise<void> {
    const before = this.#chains.get(vehicleId) ?? Promise.resolve();
    const next = before
      .then(() => this.#persist(work))
      .catch((error: unknown) => this.log.error({ err: error, vehicleId }, 'the position rules failed for a vehicle'));
    this.#chains.set(vehicleId, next);
    return next.then(() => {
      if (this.#chains.get(vehicleId) === next) this.#chains.delete(vehicleId);
    });
  }

  async #persist(work: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StoreError) || error.code === 'invalid') throw error;
      }
      await new Promise<void>((resolve) => {
        const timer = this.dispatch.clock.after(RETRY_MS, () => wake());
        const wake = (): void => {
          timer.cancel();
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  async #know(vehicleId: string): Promise<Known | undefined> {
    const known = await knownVehicle(this.dispatch, vehicleId);
    if (known) this.#offsets.set(vehicleId, known.offsetMs);
    return known;
  }

  /** Finds the leg to watch now; a new one starts with the track since it became the candidate. */
  async #refresh(vehicleId: string): Promise<void> {
    const known = await this.#know(vehicleId);
    const chosen = known && candidate(known.vehicle, known.orders, known.profile);
    const leg = chosen && legOf(known.orders, chosen);
    if (!known || !chosen || !leg) return void this.#watched.delete(vehicleId);
    const recent = await recentOrders(this.dispatch, vehicleId);
    const sites = otherSites(known.vehicle, known.orders, chosen);
    const watch = watchOf(known.orders.get(chosen.orderId)!, leg, sites, recent);
    const key = JSON.stringify([watch, known.offsetMs]);
    if (this.#watched.get(vehicleId)?.key === key) return;
    const entry = this.#watchWith(watch, known, key);
    this.#folding.add(vehicleId);
    const folded = await this.#foldTrack(vehicleId, entry, Number.MAX_SAFE_INTEGER).finally(() =>
      this.#folding.delete(vehicleId),
    );
    this.#watched.set(vehicleId, entry);
    await this.#note(vehicleId, entry, folded);
  }

  /** Positions came late: folds again every leg of the vehicle in whose time they lie, for the leg that was watched then. */
  async #foldPast(vehicleId: string, from: number): Promise<void> {
    const recent = await recentOrders(this.dispatch, vehicleId);
    const known = await this.#know(vehicleId);
    if (!known) return;
    for (const order of recent) {
      for (const leg of order.legs) {
        if (leg.vehicleId === vehicleId && watchedUntil(leg) >= from) await this.#foldLeg(known, order, leg, recent);
      }
    }
    this.#watched.delete(vehicleId);
    await this.#refresh(vehicleId);
  }

  /** The work on a leg is done that was not watched: the rules follow the log, and the crew was faster. */
  async #foldEnded(vehicleId: string, orderId: string, number: number): Promise<void> {
    const watched = this.#watched.get(vehicleId)?.fold.watch;
    if (watched?.orderId === orderId && watched.leg === number) return;
    const recent = await recentOrders(this.dispatch, vehicleId);
    const order = recent.find((one) => one.id === orderId);
    const leg = order?.legs.find((one) => one.leg === number);
    const known = await this.#know(vehicleId);
    if (order && leg && known) await this.#foldLeg(known, order, leg, recent);
  }

  /** Folds the track of a leg's time again. */
  async #foldLeg(known: Known, order: Order, leg: Leg, recent: readonly Order[]): Promise<void> {
    if (!leg.points.E) return;
    const entry = this.#watchWith(watchOf(order, leg, [], recent), known, '');
    await this.#note(leg.vehicleId, entry, await this.#foldTrack(leg.vehicleId, entry, watchedUntil(leg)));
  }

  #watchWith(watch: LegWatch['watch'], { phone, offsetMs }: Known, key: string): Watched {
    return { key, phone, offsetMs, fold: new LegWatch(watch, this.dispatch.settings), lastAt: -Infinity };
  }

  async #foldTrack(vehicleId: string, entry: Watched, until: number): Promise<Folded> {
    const folded: Folded = { findings: [], receivedAt: this.dispatch.clock.now(), late: false };
    const { offsetMs } = entry;
    // The track is kept by the terminal's own clock.
    const from = entry.fold.watch.since - BEFORE_MS + offsetMs;
    const to = Math.min(Number.MAX_SAFE_INTEGER, until + offsetMs);
    for await (const position of this.dispatch.store.track(vehicleId, from, to)) {
      const fix = fixOf(position, offsetMs);
      entry.lastAt = fix.at;
      if (!isFix(position.status)) continue;
      const found = entry.fold.step(fix);
      if (found.length === 0) continue;
      folded.findings.push(...found);
      folded.receivedAt = position.receivedAt;
      if (position.receivedAt - fix.at > this.dispatch.settings.lateMs) folded.late = true;
    }
    return folded;
  }

  async #note(
    vehicleId: string,
    { fold, phone, offsetMs }: Watched,
    { findings, receivedAt, late }: Folded,
  ): Promise<void> {
    if (findings.length === 0) return;
    const { orderId, leg } = fold.watch;
    const common = { vehicleId, phone, receivedAt, dedupKey: '' };
    const reports = findings.map((found): TerminalReport => {
      if (found.type === 'stoodAtOther')
        return { ...common, type: 'rule.stoodAtOther', orderId: found.orderId, leg: found.leg, at: found.at };
      const type = found.type === 'departed' ? 'rule.departed' : 'rule.arrived';
      const flags: StampFlag[] = late ? ['late'] : [];
      if (found.byReceipt) flags.push('received');
      else if (offsetMs !== 0) flags.push('corrected');
      if (found.type === 'departed' && found.alreadyMoving) flags.push('alreadyMoving');
      return { ...common, type, orderId, leg, at: found.at, flags };
    });
    await this.dispatch.note(reports);
  }
}

/** A vehicle may have another leg to watch, or another clock. */
function changesWatch(type: string): boolean {
  return (
    type === 'queue.changed' ||
    type.startsWith('leg.') ||
    type === 'timePoint.set' ||
    type === 'terminal.clockMeasured' ||
    type === 'vehicle.edited'
  );
}
