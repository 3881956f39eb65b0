import type { Reading } from '../truck.js';
import type { Report } from './types.js';
import type { Wire } from './wire.js';

/** Positions and batches that may be on the way at once: a terminal's modem buffer. */
const positionsInFlight = 16;
/** Business reports wait for each other: a later key never overtakes an earlier one. */
const businessInFlight = 1;

/** What a terminal still has to say: business in its order, and positions of a time without a link. */
export class ReportQueue {
  /** Positions dropped because the blind-zone memory was full. */
  dropped = 0;
  #blind: { reading: Reading; alarm: number }[] = [];
  /** Business reports that wait for their turn, first first. */
  #business: Report[] = [];
  #businessWaiting = 0;
  #positionsWaiting = 0;
  #nextId = 1;

  /** @param blindMemory positions kept while there is no link; the oldest are dropped */
  constructor(
    private readonly wire: Wire,
    private readonly blindMemory: number,
  ) {}

  nextId(): number {
    return this.#nextId++;
  }

  /** Reports that are not on the way. */
  get waiting(): number {
    return this.#business.length + this.#blind.length;
  }

  /** Positions among them. */
  get waitingPositions(): number {
    return this.#blind.length;
  }

  /** A position of now: sent, or kept until there is a link. */
  position(report: Extract<Report, { kind: 'position' }>, now: number): void {
    if (this.wire.online && this.#positionsWaiting < positionsInFlight) {
      this.#positionsWaiting += 1;
      this.wire.submit(report, now);
    } else this.#keep(report.reading, report.alarm);
  }

  add(report: Report, now: number): void {
    this.#business.push(report);
    this.pump(now);
  }

  /** Before everything else that waits. */
  addFirst(report: Report, now: number): void {
    this.#business.unshift(report);
    this.pump(now);
  }

  /** What the application said and what did not go yet. */
  drop(what: string): void {
    this.#business = this.#business.filter((one) => one.kind !== 'app' || one.what !== what);
  }

  /** The link is gone; `back` was on the way, and waits again. */
  closed(back: readonly Report[]): void {
    this.#businessWaiting = 0;
    this.#positionsWaiting = 0;
    this.#business.unshift(...back.filter((report) => report.kind !== 'position' && report.kind !== 'batch'));
    for (const report of back) {
      if (report.kind === 'position') this.#keep(report.reading, report.alarm);
      else if (report.kind === 'batch') for (const item of report.items) this.#keep(item.reading, item.alarm);
    }
    this.#blind.sort((a, b) => a.reading.at - b.reading.at);
  }

  confirmed(report: Report): void {
    if (report.kind === 'position' || report.kind === 'batch') this.#positionsWaiting -= 1;
    else this.#businessWaiting -= 1;
  }

  /** Another device: its flash is empty. */
  forget(): void {
    this.#business = [];
    this.#blind = [];
  }

  /** Puts on the wire what may go: business in order, then what was kept while there was no link. */
  pump(now: number): void {
    while (this.wire.online && this.#businessWaiting < businessInFlight && this.#business.length > 0) {
      this.#businessWaiting += 1;
      this.wire.submit(this.#business.shift()!, now);
    }
    while (this.wire.online && this.#positionsWaiting < positionsInFlight / 2 && this.#blind.length > 0) {
      this.#positionsWaiting += 1;
      this.wire.submit(this.#fromBlind(now), now);
    }
  }

  #fromBlind(now: number): Report {
    const id = this.nextId();
    const { batchSize } = this.wire;
    if (batchSize > 1 && this.#blind.length > 1) {
      return { kind: 'batch', id, madeAt: now, items: this.#blind.splice(0, batchSize) };
    }
    const { reading, alarm } = this.#blind.shift()!;
    return { kind: 'position', id, madeAt: now, reading, alarm };
  }

  #keep(reading: Reading, alarm: number): void {
    this.#blind.push({ reading, alarm });
    if (this.#blind.length > this.blindMemory) {
      this.dropped += this.#blind.length - this.blindMemory;
      this.#blind.splice(0, this.#blind.length - this.blindMemory);
    }
  }
}
