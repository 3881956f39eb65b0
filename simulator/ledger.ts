import { Histogram } from './histogram.js';
import type { Report as TerminalReport, TerminalEvent } from './terminal/types.js';
import type { Reading } from './truck.js';

/** Confirmed positions kept per terminal for the final check; older runs are checked only as far as this reaches. */
const keptPositions = 200_000;

/** What one terminal has sent and what was confirmed: the simulator's side of the account. */
export class Ledger {
  sentPositions = 0;
  confirmedPositions = 0;
  pressedKeys = 0;
  confirmedKeys = 0;
  shownOrders = 0;
  doubledOrders = 0;
  removedOrders = 0;
  doneOrders = 0;
  refused = 0;
  connected = 0;
  lost = 0;
  readonly confirmation = new Histogram();
  /** Device times as they are on the wire, with coordinates in 1e-6 degree. */
  readonly confirmed = new Map<string, { at: number; latE6: number; lonE6: number }>();
  readonly #shown = new Set<string>();
  readonly #counted = new Set<string>();

  constructor(
    /** Device clock minus gateway clock. */
    private readonly clockOffsetMs: () => number,
  ) {}

  /** A position was made. */
  made(): void {
    this.sentPositions += 1;
  }

  note(event: TerminalEvent): void {
    switch (event.type) {
      case 'confirmed':
        this.#confirmed(event.report, event.delayMs, event.result);
        return;
      case 'order':
        if (event.again) return;
        if (this.#shown.has(event.order.key)) this.doubledOrders += 1;
        this.#shown.add(event.order.key);
        if (!this.#counted.has(event.order.key)) this.shownOrders += 1;
        this.#counted.add(event.order.key);
        return;
      case 'removed':
        if (this.#shown.delete(event.key)) this.removedOrders += 1;
        return;
      case 'pressed':
        this.pressedKeys += 1;
        if (event.step === 'done') this.doneOrders += 1;
        return;
      case 'online':
        this.connected += 1;
        return;
      case 'offline':
        if (event.reason !== 'end') this.lost += 1;
        return;
      case 'rebooted':
        // The screen is emptied without a word; what is shown afterwards is not shown twice.
        if (event.lostScreen) this.#shown.clear();
        return;
      case 'refused':
        this.refused += 1;
        return;
      default:
        return;
    }
  }

  #confirmed(report: TerminalReport, delayMs: number, result: number): void {
    if (report.kind === 'position') {
      this.confirmation.record(delayMs);
      if (result === 0) this.#keep(report.reading);
    } else if (report.kind === 'batch') {
      if (result === 0) for (const { reading } of report.items) this.#keep(reading);
    } else if (report.kind === 'menuEvent' || (report.kind === 'app' && isKey(report.what))) {
      this.confirmation.record(delayMs);
      this.confirmedKeys += 1;
    }
  }

  #keep(reading: Reading): void {
    this.confirmedPositions += 1;
    const at = reading.at + this.clockOffsetMs();
    const latE6 = Math.round(reading.lat * 1e6);
    const lonE6 = Math.round(reading.lon * 1e6);
    if (this.confirmed.size < keptPositions) this.confirmed.set(positionKey(at, latE6, lonE6), { at, latE6, lonE6 });
  }
}

export function positionKey(at: number, latE6: number, lonE6: number): string {
  return `${at}/${latE6}/${lonE6}`;
}

function isKey(what: string): boolean {
  return what !== 'hello' && what !== 'holdings' && what !== 'receipt' && what !== 'answer';
}
