/** Applying one terminal report inside a unit of work: once, whatever it says. */
import type { TerminalReport } from './domain/commands.js';
import type { Actor } from './domain/events.js';
import { quarantine } from './domain/cards.js';
import { Refusal, type Tx } from './domain/tx.js';
import { StoreError } from './store/errors.js';
import type { DecisionContext, UnitOfWork } from './unit-of-work.js';

/** Business uplinks remembered per terminal: far more than a terminal sends again after the longest retry. */
export const SEEN_WINDOW = 256;

/** Who speaks in a report. */
export function actorOf(report: TerminalReport): Actor {
  if (report.type.startsWith('rule.')) return { source: 'fence', name: 'positions', roles: [] };
  return {
    source: report.type === 'report.fence' || report.type === 'report.crossing' ? 'fence' : 'terminal',
    name: report.phone,
    roles: [],
  };
}

function contextOf(report: TerminalReport, now: number): DecisionContext {
  const context: DecisionContext = { now, actor: actorOf(report), receivedAt: report.receivedAt };
  if (report.frame) context.frame = report.frame;
  if ('deviceAt' in report && report.deviceAt !== undefined) context.deviceAt = report.deviceAt;
  return context;
}

/**
 * Applies a report unless the terminal's window says that it was. A report on which the rules fail is put in
 * quarantine: one terminal's nonsense must not hold up the reader for all others.
 */
export async function applyOnce(
  work: UnitOfWork,
  report: TerminalReport,
  now: number,
  applyReport: (tx: Tx, report: TerminalReport) => void,
  log: { error(fields: Record<string, unknown>, message: string): void },
): Promise<void> {
  const context = contextOf(report, now);
  try {
    await work.run(context, (tx) => {
      if (isNew(tx, report)) applyReport(tx, report);
    });
  } catch (error) {
    // The store could not be asked: that says nothing about the report, which is applied when it can.
    if (error instanceof StoreError && error.code !== 'invalid') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (!(error instanceof Refusal)) log.error({ err: error, report }, 'a terminal report could not be applied');
    await work.run(context, (tx) => {
      if (!isNew(tx, report)) return;
      const code = error instanceof Refusal ? error.code : 'notApplicable';
      quarantine(tx, { code, message: reason, vehicleId: report.vehicleId, data: { report } });
    });
  }
}

function isNew(tx: Tx, report: TerminalReport): boolean {
  if (report.dedupKey === '') return true;
  const seen = tx.get('window', report.phone)?.seen ?? [];
  if (seen.includes(report.dedupKey)) return false;
  tx.keep('window', report.phone, { seen: [...seen, report.dedupKey].slice(-SEEN_WINDOW) });
  return true;
}
