/** Kind of document → what becomes due for it by time. */
import { commandExpiry } from './command-expiry.js';
import { dutyDueRule } from './duty.js';
import { orderEscalation, vehicleEscalation } from './escalation.js';
import { legExpiry } from './leg-expiry.js';
import type { Docs, DocKind } from './model.js';
import type { DispatchSettings } from './settings.js';
import type { DueRule } from './tables.js';

const DUE_RULES: readonly DueRule[] = [
  // one line for each subject
  commandExpiry,
  dutyDueRule,
  legExpiry,
  orderEscalation,
  vehicleEscalation,
];

export function dueRulesOf(kind: string): DueRule[] {
  return DUE_RULES.filter((rule) => rule.kind === kind);
}

/** The earliest time at which something is due for the document. */
export function dueAtOf<K extends DocKind>(kind: K, doc: Docs[K], settings: DispatchSettings): number | undefined {
  let earliest: number | undefined;
  for (const rule of dueRulesOf(kind)) {
    const at = rule.dueAt(doc, settings);
    if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at;
  }
  return earliest;
}
