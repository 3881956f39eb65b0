/**
 * Drives the position rules: keeps a fold for each vehicle whose queue has a leg to watch, feeds it what the store
 * applies, and notes what it finds. The folds are memory only: a restart, a change of the queue or positions that come
 * late fold the stored track again, and a finding that was noted before changes nothing.
 */
import { LegWatch, type Finding, type Fix } from './domain/automation.js';
import type { TerminalReport } from './domain/commands.js';
import type { StoredEvent } from './domain/events.js';
import type { Leg, Order, StampFlag, Vehicle } from './domain/model.js';
import { candidate, legOf, otherSites, watchedUntil, watchOf, type OrdersById } from './domain/watch.js';
import type { DispatchPort } from './ports.js';
import { StoreError } from './store/errors.js';
import { POSITION_WIDTH, type Position, type PositionBatch } from './store/position-batch.js';

interface Log {
  error(fields: Record<string, unknown>, message: string): void;
}

/** A watched leg and how far its fold has come. */
interface Watched {
  /** Names all that the fold depends on: another key means another fold. */
  key: string;
  phone: string;
  fold: LegWatch;
  lastAt: number;
}

/** What a track said; `receivedAt` of the position that made the last finding sure. */
interface Folded {
  findings: Finding[];
  receivedAt: number;
  /** No finding rests on positions that came late. */
  live: boolean;
}

/** Track read before the watch begins, to know where the vehicle stood. */
const BEFORE_MS = 10 * 60_000;
/** Late positions are gathered this long (gateway time) before the track is folded again. */
const GATHER_MS = 2_000;
/** Pause before work that the store failed is tried again (gateway time). */
const RETRY_MS = 2_000;
/** Legs of a vehicle that late positions may still speak about. */
const PAST_LEGS = 20;
const HAS_FIX = 0b10;
const IGNITION = 0b1;

export class PositionRules {
  readonly #watched = new Map<string, Watched>();
  /** Work of one vehicle runs one after another; vehicles run side by side. */
  readonly #chains = new Map<string, Promise<void>>();
  /** Vehicle → earliest device time of the late positions gathered. */
  readonly #late = new Map<string, number>();
  /** Vehicles whose track is being read: what comes meanwhile may lie behind the reader, so the track is read again. */
  readonly #folding = new Set<string>();
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
    const after = await dispatch.store.lastPosition();
    this.#stops.push(dispatch.store.watch({ positions: (batch) => this.#positions(batch) }));
    const follower = dispatch.follow(after, (events) => this.#events(events));
    const gathering = dispatch.clock.every(GATHER_MS, () => this.#foldLate());
    this.#stops.push(
      () => follower.cancel(),
      () => gathering.cancel(),
    );
    for (let cursor: string | undefined; ;) {
      const page = await dispatch.scan({
        index: 'vehicles',
        limit: 500,
        ...(cursor === undefined ? {} : { after: cursor }),
      });
      for (const doc of page.items) {
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

  #events(events: StoredEvent[]): void {
    const changed = new Set<string>();
    for (const event of events) {
      if (event.vehicleId === undefined) continue;
      if (event.type === 'queue.changed' || event.type.startsWith('leg.') || event.type === 'timePoint.set')
        changed.add(event.vehicleId);
      if (event.type === 'leg.workDone') {
        const { vehicleId, orderId, leg } = event;
        void this.#enqueue(vehicleId, () => this.#foldEnded(vehicleId, orderId!, leg!));
      }
    }
    for (const vehicleId of changed) void this.#enqueue(vehicleId, () => this.#refresh(vehicleId));
  }

  /** Called for every applied batch: the hot side, so vehicles without a watch cost one look-up a batch. */
  #positions(batch: PositionBatch): void {
    const watched = batch.vehicles.map((vehicleId) => this.#watched.get(vehicleId));
    const { lateMs } = this.dispatch.settings;
    const found = new Map<string, { watch: Watched; findings: Finding[]; receivedAt: number }>();
    for (let i = 0; i < batch.length; i++) {
      const at = i * POSITION_WIDTH;
      const deviceAt = batch.numbers[at]!;
      const receivedAt = batch.numbers[at + 1]!;
      const index = batch.vehicleOf[i]!;
      const watch = watched[index];
      if ((batch.numbers[at + 8]! & HAS_FIX) === 0) continue;
      const isLate = receivedAt - deviceAt > lateMs;
      if (isLate || (watch && deviceAt <= watch.lastAt) || this.#folding.has(batch.vehicles[index]!))
        this.#gather(batch.vehicles[index]!, deviceAt);
      if (!watch || isLate || deviceAt <= watch.lastAt) continue;
      watch.lastAt = deviceAt;
      const findings = watch.fold.step(fixOf(batch, at));
      if (findings.length === 0) continue;
      const vehicleId = batch.vehicles[index]!;
      const entry = found.get(vehicleId) ?? { watch, findings: [], receivedAt };
      entry.findings.push(...findings);
      found.set(vehicleId, entry);
    }
    for (const [vehicleId, { watch, findings, receivedAt }] of found) {
      void this.#enqueue(vehicleId, () => this.#note(vehicleId, watch, findings, receivedAt, true));
    }
  }

  #gather(vehicleId: string, deviceAt: number): void {
    this.#late.set(vehicleId, Math.min(deviceAt, this.#late.get(vehicleId) ?? Infinity));
  }

  #foldLate(): void {
    const late = [...this.#late];
    this.#late.clear();
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

  /** Finds the leg to watch now; a new one starts with the track since it became the candidate. */
  async #refresh(vehicleId: string): Promise<void> {
    const known = await this.#load(vehicleId);
    const chosen = known && candidate(known.vehicle, known.orders, known.profile);
    const leg = chosen && legOf(known.orders, chosen);
    if (!known || !chosen || !leg) return void this.#watched.delete(vehicleId);
    const recent = await this.#recentOrders(vehicleId);
    const sites = otherSites(known.vehicle, known.orders, chosen);
    const watch = watchOf(known.orders.get(chosen.orderId)!, leg, sites, recent);
    const key = JSON.stringify(watch);
    if (this.#watched.get(vehicleId)?.key === key) return;
    const entry: Watched = {
      key,
      phone: known.phone,
      fold: new LegWatch(watch, this.dispatch.settings),
      lastAt: -Infinity,
    };
    this.#folding.add(vehicleId);
    const { findings, receivedAt, live } = await this.#foldTrack(vehicleId, entry, Number.MAX_SAFE_INTEGER).finally(
      () => this.#folding.delete(vehicleId),
    );
    this.#watched.set(vehicleId, entry);
    await this.#note(vehicleId, entry, findings, receivedAt, live);
  }

  /** Positions came late: folds again every leg of the vehicle in whose time they lie, for the leg that was watched then. */
  async #foldPast(vehicleId: string, from: number): Promise<void> {
    const recent = await this.#recentOrders(vehicleId);
    const known = await this.#load(vehicleId);
    if (!known) return;
    for (const order of recent) {
      for (const leg of order.legs) {
        if (leg.vehicleId === vehicleId && watchedUntil(leg) >= from)
          await this.#foldLeg(known.phone, order, leg, recent);
      }
    }
    this.#watched.delete(vehicleId);
    await this.#refresh(vehicleId);
  }

  /** The work on a leg is done that was not watched: the rules follow the log, and the crew was faster. */
  async #foldEnded(vehicleId: string, orderId: string, number: number): Promise<void> {
    const watched = this.#watched.get(vehicleId)?.fold.watch;
    if (watched?.orderId === orderId && watched.leg === number) return;
    const recent = await this.#recentOrders(vehicleId);
    const order = recent.find((one) => one.id === orderId);
    const leg = order?.legs.find((one) => one.leg === number);
    const phone = (await this.dispatch.get('vehicle', vehicleId))?.value.terminal.phone;
    if (order && leg && phone !== undefined) await this.#foldLeg(phone, order, leg, recent);
  }

  /** Folds the track of a leg's time again; what it finds is no live finding. */
  async #foldLeg(phone: string, order: Order, leg: Leg, recent: readonly Order[]): Promise<void> {
    if (!leg.points.E) return;
    const watch = watchOf(order, leg, [], recent);
    const entry: Watched = { key: '', phone, fold: new LegWatch(watch, this.dispatch.settings), lastAt: -Infinity };
    const { findings, receivedAt } = await this.#foldTrack(leg.vehicleId, entry, watchedUntil(leg));
    await this.#note(leg.vehicleId, entry, findings, receivedAt, false);
  }

  async #foldTrack(vehicleId: string, entry: Watched, until: number): Promise<Folded> {
    const folded: Folded = { findings: [], receivedAt: this.dispatch.clock.now(), live: true };
    const from = entry.fold.watch.since - BEFORE_MS;
    for await (const position of this.dispatch.store.track(vehicleId, from, until)) {
      entry.lastAt = position.deviceAt;
      if ((position.status & HAS_FIX) === 0) continue;
      const found = entry.fold.step(fixOfPosition(position));
      if (found.length === 0) continue;
      folded.findings.push(...found);
      folded.receivedAt = position.receivedAt;
      if (position.receivedAt - position.deviceAt > this.dispatch.settings.lateMs) folded.live = false;
    }
    return folded;
  }

  /** Orders that the vehicle had or has, newest first. */
  async #recentOrders(vehicleId: string): Promise<Order[]> {
    const page = await this.dispatch.scan({
      index: 'orders.vehicle',
      from: `${vehicleId}/`,
      to: `${vehicleId}0`,
      reverse: true,
      limit: PAST_LEGS,
    });
    return page.items.map((doc) => doc.value as Order);
  }

  async #load(
    vehicleId: string,
  ): Promise<
    { vehicle: Vehicle; orders: OrdersById; profile: Parameters<typeof candidate>[2]; phone: string } | undefined
  > {
    const vehicle = (await this.dispatch.get('vehicle', vehicleId))?.value;
    if (!vehicle) return undefined;
    const { phone } = vehicle.terminal;
    const terminal = (await this.dispatch.get('terminal', phone))?.value;
    const orders = await this.dispatch.getMany(
      'order',
      vehicle.queue.entries.map((entry) => entry.orderId),
    );
    const byId = new Map(orders.flatMap((order) => (order ? [[order.value.id, order.value] as const] : [])));
    return { vehicle, orders: byId, profile: terminal?.profile ?? 'tracker', phone };
  }

  async #note(
    vehicleId: string,
    { fold, phone }: Watched,
    findings: Finding[],
    receivedAt: number,
    live: boolean,
  ): Promise<void> {
    if (findings.length === 0) return;
    const { orderId, leg } = fold.watch;
    const common = { vehicleId, phone, receivedAt, dedupKey: '' };
    const reports = findings.map((found): TerminalReport => {
      if (found.type === 'stoodAtOther')
        return { ...common, type: 'rule.stoodAtOther', orderId: found.orderId, leg: found.leg, at: found.at };
      const type = found.type === 'departed' ? 'rule.departed' : 'rule.arrived';
      const flags: StampFlag[] = live ? [] : ['late'];
      if (found.type === 'departed' && found.alreadyMoving) flags.push('alreadyMoving');
      return { ...common, type, orderId, leg, at: found.at, live, flags };
    });
    await this.dispatch.note(reports);
  }
}

function fixOf(batch: PositionBatch, at: number): Fix {
  const n = batch.numbers;
  return {
    at: n[at]!,
    lat: n[at + 2]! / 1e6,
    lon: n[at + 3]! / 1e6,
    speedKmh: n[at + 5]! / 10,
    ignition: (n[at + 8]! & IGNITION) !== 0,
  };
}

function fixOfPosition(p: Position): Fix {
  return {
    at: p.deviceAt,
    lat: p.latE6 / 1e6,
    lon: p.lonE6 / 1e6,
    speedKmh: p.speedDeciKmh / 10,
    ignition: (p.status & IGNITION) !== 0,
  };
}
