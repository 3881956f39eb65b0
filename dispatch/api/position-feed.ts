/**
 * The positions of one stream: what lies in its box as it comes, the rest at a slower pace or not at all. One batch at a
 * time: while the client is behind, positions are overtaken by newer ones and not queued.
 */
import type { LivePosition, PositionHub } from './position-hub.js';

/** Positions as objects with names, or as rows that a third of the bytes says. */
export type PositionForm = 'objects' | 'rows';
export type Box = readonly [west: number, south: number, east: number, north: number];

export interface PositionWish {
  form: PositionForm;
  /** Without one everything is wanted as it comes, or, with `elsewhereMs`, everything at that pace. */
  bbox?: Box | undefined;
  /** What lies outside the box is told at most this often; undefined = only as it leaves the box. */
  elsewhereMs?: number | undefined;
}

export interface PositionFeedDeps {
  hub: PositionHub;
  wish: PositionWish;
  mayTell(position: LivePosition): boolean;
  /** Resolves when the client can take more. */
  write(text: string): Promise<void>;
  onProblem(error: unknown): void;
}

/** Positions in one message: 150 KiB. */
const POSITIONS_PER_MESSAGE = 1_000;

export class PositionFeed {
  readonly #stops: (() => void)[] = [];
  /** Ticks of the hub up to which was told: in the box, and elsewhere. */
  #boxTick = 0;
  #elsewhereTick = 0;
  #elsewhereDue = false;
  #telling = false;
  /** News came while the client was told of earlier ones. */
  #more = false;

  constructor(private readonly deps: PositionFeedDeps) {}

  /** Where everybody is, then what moves, until `stop`. */
  async begin(): Promise<void> {
    const { hub, wish, onProblem } = this.deps;
    const listening = hub.listen(() => void this.#tell());
    this.#stops.push(() => listening.cancel());
    if (wish.elsewhereMs !== undefined) {
      const timer = setInterval(() => {
        this.#elsewhereDue = true;
        void this.#tell();
      }, wish.elsewhereMs);
      this.#stops.push(() => clearInterval(timer));
    }
    this.#boxTick = this.#elsewhereTick = hub.tick;
    this.#telling = true;
    try {
      await this.#send(this.#first(await hub.all()));
    } catch (error) {
      onProblem(error);
    }
    this.#telling = false;
    if (this.#more) await this.#tell();
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  async #tell(): Promise<void> {
    this.#more = true;
    if (this.#telling) return;
    this.#telling = true;
    while (this.#more) {
      this.#more = false;
      await this.#send(this.#news());
    }
    this.#telling = false;
  }

  async #send(positions: Iterable<LivePosition>): Promise<void> {
    const rows = this.deps.wish.form === 'rows';
    const message = (): string => `event: positions\ndata: {"${rows ? 'rows' : 'positions'}":[${batch.join(',')}]}\n\n`;
    let batch: string[] = [];
    for (const position of positions) {
      batch.push(rows ? position.row : position.json);
      if (batch.length < POSITIONS_PER_MESSAGE) continue;
      await this.deps.write(message());
      batch = [];
    }
    if (batch.length > 0) await this.deps.write(message());
  }

  /** What the client looks at comes first. */
  *#first(all: readonly LivePosition[]): Generator<LivePosition> {
    const others: LivePosition[] = [];
    for (const position of all) {
      if (!this.deps.mayTell(position)) continue;
      if (this.#isIn(position)) yield position;
      else others.push(position);
    }
    if (this.deps.wish.elsewhereMs !== undefined) yield* others;
  }

  *#news(): Generator<LivePosition> {
    const { hub, mayTell } = this.deps;
    const boxTick = this.#boxTick;
    const elsewhereTick = this.#elsewhereDue ? this.#elsewhereTick : Infinity;
    this.#boxTick = hub.tick;
    if (this.#elsewhereDue) this.#elsewhereTick = hub.tick;
    this.#elsewhereDue = false;
    for (const position of hub.since(Math.min(boxTick, elsewhereTick))) {
      const { tick, before } = position;
      // What left the box is told once more, or it would seem to stand at the rim. Where it was when the client was last
      // told is not known of one that has moved twice since then.
      const left = (): boolean => before !== undefined && (before.tick > boxTick || this.#isIn(before));
      const wanted = tick > elsewhereTick || (tick > boxTick && (this.#isIn(position) || left()));
      if (wanted && mayTell(position)) yield position;
    }
  }

  #isIn({ lat, lon }: { lat: number; lon: number }): boolean {
    const { bbox, elsewhereMs } = this.deps.wish;
    if (!bbox) return elsewhereMs === undefined;
    return lon >= bbox[0] && lat >= bbox[1] && lon <= bbox[2] && lat <= bbox[3];
  }
}
