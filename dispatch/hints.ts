/** Documents that a command or report will surely ask for: read at once, so that its rule runs once. */
import type { TerminalReport } from './domain/commands.js';
import type { DocKind } from './domain/model.js';
import type { AnyCommand } from './domain/tables.js';

type Key = { kind: DocKind; id: string };

/** Field of a command → kinds of document that its value names. */
const NAMED: Record<string, readonly DocKind[]> = {
  orderId: ['order'],
  into: ['order'],
  vehicleId: ['vehicle', 'outbox'],
  phone: ['terminal'],
  repairCentreId: ['centre'],
  cardId: ['card'],
  alertId: ['alert'],
};

export function keysOfCommand(command: AnyCommand): Key[] {
  return keysIn(command);
}

export function keysOfReports(reports: readonly TerminalReport[]): Key[] {
  const keys = new Map<string, Key>();
  for (const report of reports) {
    const own = report.dedupKey === '' ? [] : [{ kind: 'window' as const, id: report.phone }];
    for (const key of [...keysIn(report), ...own]) keys.set(`${key.kind}:${key.id}`, key);
  }
  return [...keys.values()];
}

function keysIn(message: object): Key[] {
  const keys: Key[] = [];
  for (const [field, value] of Object.entries(message)) {
    const kinds = typeof value === 'string' ? NAMED[field] : undefined;
    for (const kind of kinds ?? []) keys.push({ kind, id: value as string });
  }
  return keys;
}
