/** Documents that a command or report will surely ask for: read at once, so that its rule runs once. */
import type { TerminalReport } from './domain/commands.js';
import type { DocKind, Docs, Vehicle } from './domain/model.js';
import { RULES_ID } from './domain/organisation.js';
import type { AnyCommand } from './domain/tables.js';
import { pagesBehind, tradeKey } from './domain/trade-group.js';

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

/** Reads a document if it is loaded; undefined: it is not, or there is none. */
export type Peek = <K extends DocKind>(kind: K, id: string) => Readonly<Docs[K]> | undefined;

/**
 * What a rule that misses a document will ask for next. Read together, the rule runs again once, not once for each: who
 * asks for a vehicle's outbox, terminal or an order of its queue asks for all of them.
 * @param vehicleIds vehicles that the rule has looked at
 */
export function companyOf({ kind, id }: Key, vehicleIds: readonly string[], peek: Peek): Key[] {
  if (kind === 'vehicle') return [{ kind: 'outbox', id }];
  if (kind === 'centre') return companyOfCentre(id, vehicleIds, peek);
  if (kind === 'counter') return [{ kind: 'rules', id: RULES_ID }];
  if (kind === 'tradePage') return pagesBehind(id).map((page): Key => ({ kind, id: page }));
  if (kind !== 'order' && kind !== 'terminal' && kind !== 'outbox') return [];
  return vehicleIds.flatMap((vehicleId) => {
    const vehicle = peek('vehicle', vehicleId);
    const company = vehicle === undefined ? [] : companyOfVehicle(vehicle);
    return company.some((key) => key.kind === kind && key.id === id) ? company : [];
  });
}

/** An order that comes to a repair centre, or leaves it for a vehicle: its rules, who is free there, the vehicle's terminal. */
function companyOfCentre(centreId: string, vehicleIds: readonly string[], peek: Peek): Key[] {
  const ofVehicles = vehicleIds.flatMap((id): Key[] => {
    const vehicle = peek('vehicle', id);
    if (vehicle === undefined) return [];
    return [
      { kind: 'tradeGroup', id: tradeKey(vehicle) },
      { kind: 'terminal', id: vehicle.terminal.phone },
    ];
  });
  return [{ kind: 'rules', id: RULES_ID }, { kind: 'capacity', id: centreId }, ...ofVehicles];
}

function companyOfVehicle({ id, terminal, queue }: Readonly<Vehicle>): Key[] {
  return [
    { kind: 'outbox', id },
    { kind: 'terminal', id: terminal.phone },
    ...queue.entries.map(({ orderId }): Key => ({ kind: 'order', id: orderId })),
  ];
}
