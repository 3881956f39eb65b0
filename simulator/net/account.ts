import { Histogram } from '../histogram.js';
import type { Report } from '../report.js';
import type { Audit, Confirmed } from './audit.js';
import type { CallCentre } from './call-centre.js';
import type { FleetTerminal } from './fleet-terminal.js';
import type { OsrmWays } from './osrm.js';

/** What a run knows of itself when its terminals have delivered what they could. */
export interface Ended {
  scenario: string;
  seed: string | number;
  /** Gateway seconds. */
  durationS: number;
  clockRate: number;
  terminals: readonly FleetTerminal[];
  /** What the terminals still hold. */
  pending: { positions: number; keys: number };
  /** Undefined: nobody was asked. */
  checked: Audit | undefined;
  callCentre: CallCentre | undefined;
  osrm: OsrmWays | undefined;
}

/** The account of a run. */
export function accountOf(ended: Ended): Report {
  const { scenario, seed, durationS, clockRate, terminals, pending, checked, callCentre } = ended;
  const counts = callCentre?.counts ?? { made: 0, issued: 0, assigned: 0, failed: 0 };
  const total = (of: (terminal: FleetTerminal) => number): number => sumOf(terminals, of);
  return {
    scenario,
    seed,
    vehicles: terminals.length,
    durationS,
    clockRate,
    positions: {
      sent: total((one) => one.ledger.sentPositions),
      confirmed: total((one) => one.ledger.confirmedPositions),
      ...(checked === undefined ? {} : { received: checked.received }),
      lost: checked?.lost ?? 0,
      doubled: checked?.doubled ?? 0,
      pending: pending.positions,
      dropped: total((one) => one.vehicle.terminal.droppedPositions),
    },
    keys: {
      pressed: total((one) => one.ledger.pressedKeys),
      confirmed: total((one) => one.ledger.confirmedKeys),
      pending: pending.keys,
    },
    orders: {
      shown: total((one) => one.ledger.shownOrders),
      doubled: total((one) => one.ledger.doubledOrders),
      removed: total((one) => one.ledger.removedOrders),
      done: total((one) => one.ledger.doneOrders),
    },
    calls: { made: counts.made, issued: counts.issued, assigned: counts.assigned, failed: counts.failed },
    links: {
      connected: total((one) => one.ledger.connected),
      lost: total((one) => one.ledger.lost),
      refused: total((one) => one.ledger.refused),
    },
    confirmationMs: confirmationOf(terminals).summary(),
    missing: checked?.missing ?? [],
    unchecked: checked?.unchecked ?? 0,
    notes: notesOf(ended),
  };
}

function notesOf({ checked, callCentre, osrm }: Ended): string[] {
  const notes = [...(checked?.notes ?? []), ...(callCentre?.notes() ?? [])];
  if (osrm?.lastError !== undefined) {
    const { failed, asked } = osrm.counts;
    notes.push(`routing server: ${failed} of ${asked} ways not found, made-up streets taken: ${osrm.lastError}`);
  }
  return notes;
}

/** From making to confirmation, of all terminals. */
export function confirmationOf(terminals: readonly FleetTerminal[]): Histogram {
  const all = new Histogram();
  for (const terminal of terminals) all.add(terminal.ledger.confirmation);
  return all;
}

export function sumOf(terminals: readonly FleetTerminal[], of: (terminal: FleetTerminal) => number): number {
  return terminals.reduce((total, terminal) => total + of(terminal), 0);
}

/** What a terminal was told is safe, for the audit. */
export function confirmedBy({ phone, vehicleId, ledger }: FleetTerminal): Confirmed {
  return { phone, vehicleId, positions: [...ledger.confirmed.values()] };
}
