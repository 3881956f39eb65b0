/**
 * Departed and arrived, found in positions (domain.md, "Automation from positions"). A pure fold over one vehicle's
 * positions in device order for one watched leg; the same positions always give the same findings, so a restart or a
 * late batch simply folds the track again.
 */
import { distanceM, type Place } from './geo.js';
import type { ArrivalMode } from './model.js';
import type { DispatchSettings } from './settings.js';

/** A position as the rules see it. */
export interface Fix extends Place {
  /** Its time by rule 1 of "What time a point gets", ms UTC. */
  at: number;
  /** The terminal's clock was of no use: `at` is when the position was received. */
  byReceipt?: boolean;
  speedKmh: number;
  /** Status bit 0 of 0x0200. */
  ignition: boolean;
}

/** The leg that the rules work on, and from when. */
export interface Watch {
  orderId: string;
  leg: number;
  site: Place;
  arrivalMode: ArrivalMode;
  /** When this leg became the candidate (accepted, delivered or told by phone, by profile), ms UTC. */
  since: number;
  /** F: a vehicle that was already moving then departed then. */
  acceptedAt: number;
  /** Sites of the vehicle's other queued legs: standing there is only proposed. */
  others: { orderId: string; leg: number; site: Place }[];
}

export type Finding =
  | { type: 'departed'; at: number; byReceipt?: boolean; alreadyMoving: boolean }
  | { type: 'arrived'; at: number; byReceipt?: boolean }
  | { type: 'stoodAtOther'; orderId: string; leg: number; at: number };

export type AutomationSettings = Pick<DispatchSettings, 'arrival' | 'departure'>;

/** A gap in the positions longer than this says nothing about standing in between. */
const LONGEST_GAP_MS = 30 * 60_000;
/** Slower than this is standing: GPS of a parked truck wanders at walking speed. */
const MOVING_KMH = 5;
/** The last position before the leg became the candidate tells "already moving" only when it is this fresh. */
const FRESH_MS = 2 * 60_000;

/** A run of positions that all satisfy one condition. */
interface Run {
  first: Fix;
  lastAt: number;
}

export class LegWatch {
  /** Where the vehicle stood when the leg became the candidate. */
  #anchor: Fix | undefined;
  #movingAtStart = false;
  #move: Run | undefined;
  #stand: Run | undefined;
  readonly #standAtOther = new Map<string, Run>();
  #everIgnition = false;
  #departed = false;
  #arrived = false;
  readonly #proposed = new Set<string>();

  constructor(
    readonly watch: Watch,
    private readonly settings: AutomationSettings,
    /** The vehicle's last position before `watch.since`. */
    before?: Fix,
  ) {
    if (!before) return;
    this.#anchor = before;
    this.#everIgnition = before.ignition;
    this.#movingAtStart = before.speedKmh > MOVING_KMH && watch.since - before.at <= FRESH_MS;
  }

  /** Takes the next position in device order and gives what it makes sure. Earlier ones than `since` only anchor. */
  step(fix: Fix): Finding[] {
    this.#everIgnition ||= fix.ignition;
    if (fix.at < this.watch.since) {
      this.#anchor = fix;
      this.#movingAtStart = fix.speedKmh > MOVING_KMH && this.watch.since - fix.at <= FRESH_MS;
      return [];
    }
    const found: Finding[] = [];
    this.#depart(fix, found);
    this.#arrive(fix, found);
    this.#standElsewhere(fix, found);
    return found;
  }

  #depart(fix: Fix, found: Finding[]): void {
    if (this.#departed) return;
    if (!this.#anchor) {
      this.#anchor = fix;
      return;
    }
    const moving = (fix.speedKmh > MOVING_KMH || this.#move !== undefined) && (fix.ignition || !this.#everIgnition);
    const away = distanceM(this.#anchor, fix);
    // Back where it stood and standing: that run led nowhere.
    if (!moving || (fix.speedKmh <= MOVING_KMH && away <= this.settings.departure.distanceM / 3)) {
      this.#move = undefined;
      if (away <= this.settings.departure.distanceM) return;
    }
    this.#move ??= { first: fix, lastAt: fix.at };
    this.#move.lastAt = fix.at;
    if (away <= this.settings.departure.distanceM || !(fix.ignition || !this.#everIgnition)) return;
    this.#departed = true;
    const since: Pick<Fix, 'at' | 'byReceipt'> = this.#movingAtStart ? { at: this.watch.acceptedAt } : this.#move.first;
    const { at, byReceipt } = since;
    found.push({ type: 'departed', at, byReceipt, alreadyMoving: this.#movingAtStart });
  }

  #arrive(fix: Fix, found: Finding[]): void {
    if (this.#arrived || this.watch.arrivalMode === 'manual') return;
    this.#stand = this.#run(this.#stand, fix, this.watch.site);
    if (!this.#stand) return;
    const standMs = this.watch.arrivalMode === 'automatic' ? 0 : this.settings.arrival.standMs;
    if (this.#stand.lastAt - this.#stand.first.at < standMs) return;
    this.#arrived = true;
    const { at, byReceipt } = this.#stand.first;
    found.push({ type: 'arrived', at, byReceipt });
  }

  #standElsewhere(fix: Fix, found: Finding[]): void {
    for (const other of this.watch.others) {
      const key = `${other.orderId}/${other.leg}`;
      if (this.#proposed.has(key)) continue;
      const run = this.#run(this.#standAtOther.get(key), fix, other.site);
      if (!run) {
        this.#standAtOther.delete(key);
        continue;
      }
      this.#standAtOther.set(key, run);
      if (run.lastAt - run.first.at < this.settings.arrival.standMs) continue;
      this.#proposed.add(key);
      found.push({ type: 'stoodAtOther', orderId: other.orderId, leg: other.leg, at: run.first.at });
    }
  }

  /** The standing run at a place, continued, started or ended by this position. */
  #run(run: Run | undefined, fix: Fix, site: Place): Run | undefined {
    const { radiusM, speedKmh } = this.settings.arrival;
    if (fix.speedKmh >= speedKmh || distanceM(fix, site) > radiusM) return undefined;
    if (!run || fix.at - run.lastAt > LONGEST_GAP_MS) return { first: fix, lastAt: fix.at };
    return { first: run.first, lastAt: fix.at };
  }

  /** Nothing more can be found for this leg itself. */
  get done(): boolean {
    return this.#departed && this.#arrived;
  }
}
