/** The fault record: an order is not recorded until the fields that its fault kind requires are there (J). */
import { moveLeg } from './leg.js';
import { legOf } from './leg-states.js';
import type { FaultRecord, Order } from './model.js';
import { changeCycle, withOrder } from './order-fold.js';
import { centreOf, orderNamed } from './order.js';
import { RULES_ID } from './organisation.js';
import { checkStage, type StageData } from './order-stages.js';
import { folding, type CommandOf, type Deciders, type Reducers } from './tables.js';
import { claimForLeg } from './time-points.js';
import { Refusal, type Tx } from './tx.js';

/** Required in every record; `rules.requiredFields[category]` adds others. */
export const ALWAYS_REQUIRED: readonly string[] = ['cause', 'done'];

/** Further required fields by fault kind, until the customer states others (rules, `requiredFields`). */
export const DEFAULT_REQUIRED_FIELDS: Record<string, readonly string[]> = {
  line10kV: ['equipment'],
  transformer: ['equipment', 'materials'],
  cable: ['equipment', 'materials'],
  danger: ['photos'],
};

interface Recorded extends StageData {
  record?: FaultRecord;
}

export const recordReducers: Reducers = {
  'order.recorded': folding<Recorded>((docs, { orderId, data }) => {
    withOrder(docs, orderId!, (order) =>
      changeCycle({ ...order, stage: 'recorded' }, (cycle) =>
        data.record ? { ...cycle, record: data.record } : cycle,
      ),
    );
  }),
};

export const recordDeciders: Deciders = { 'order.record': record };

function record(tx: Tx, command: CommandOf<'order.record'>): { orderId: string; leg?: number } {
  const order = orderNamed(tx, command.orderId);
  checkStage(order, 'recording', 'repaired');
  const filed = fileRecord(tx, order, command.record ?? {});
  const missing = requiredFields(tx, order.fault.category).filter((field) => isEmpty(valueOf(filed, field)));
  if (missing.length > 0) {
    throw new Refusal('recordIncomplete', `the record of ${order.number} lacks ${missing.join(', ')}`, 409, {
      missing,
    });
  }
  const leg = closeLeg(tx, order);
  emitRecorded(tx, order.id, filed);
  for (const sub of order.subs) emitRecorded(tx, sub);
  return { orderId: order.id, ...(leg === undefined ? {} : { leg }) };
}

/** J of the leg that did the work. */
function closeLeg(tx: Tx, order: Readonly<Order>): number | undefined {
  const number = order.cycles.at(-1)!.effectiveLeg;
  if (number === undefined || legOf(order, number)?.state !== 'workDone') return undefined;
  claimForLeg(tx, order.id, number, { point: 'J', at: tx.now, rank: 'rule', flags: [] });
  moveLeg(tx, order.id, number, 'completed');
  return number;
}

/** Subs get the main order's result with it; each keeps its own call-back. */
function emitRecorded(tx: Tx, orderId: string, filed?: FaultRecord): void {
  const order = tx.get('order', orderId);
  if (!order) return;
  const data: Recorded = { from: order.stage, ...(filed ? { record: filed } : {}) };
  tx.emit({ type: 'order.recorded', orderId, ...centreOf(order), data });
}

export function requiredFields(tx: Tx, category: string): string[] {
  return requiredByRules(tx.get('rules', RULES_ID)?.value, category);
}

/** The same from the value of the rules document, for who shows the form. */
export function requiredByRules(rules: Readonly<Record<string, unknown>> | undefined, category: string): string[] {
  const stated = rules?.['requiredFields'] as Record<string, readonly string[]> | undefined;
  const more = (stated ?? DEFAULT_REQUIRED_FIELDS)[category] ?? [];
  return [...new Set([...ALWAYS_REQUIRED, ...more])];
}

function fileRecord(tx: Tx, order: Readonly<Order>, given: Record<string, unknown>): FaultRecord {
  const before = order.cycles.at(-1)!.record;
  const text = (field: string): string | undefined => (typeof given[field] === 'string' ? given[field] : undefined);
  const cause = text('cause') ?? before?.cause ?? '';
  const done = text('done') ?? before?.done ?? '';
  const equipment = text('equipment') ?? before?.equipment;
  const materials = text('materials') ?? before?.materials;
  const restoredAt = typeof given['powerRestoredAt'] === 'number' ? given['powerRestoredAt'] : before?.powerRestoredAt;
  if (restoredAt !== undefined && restoredAt > tx.now) {
    throw new Refusal('timeOutOfRange', 'powerRestoredAt is in the future', 422);
  }
  return {
    cause,
    done,
    ...(equipment === undefined ? {} : { equipment }),
    ...(materials === undefined ? {} : { materials }),
    ...(restoredAt === undefined ? {} : { powerRestoredAt: restoredAt }),
    photos: Array.isArray(given['photos']) ? given['photos'].map(String) : (before?.photos ?? []),
    extra: { ...before?.extra, ...extraFields(given['extra']) },
    by: tx.actor.name,
    at: tx.now,
  };
}

function extraFields(given: unknown): Record<string, string> {
  if (typeof given !== 'object' || given === null) return {};
  return Object.fromEntries(Object.entries(given).map(([field, value]) => [field, String(value)]));
}

function valueOf(filed: FaultRecord, field: string): unknown {
  return (filed as unknown as Record<string, unknown>)[field] ?? filed.extra[field];
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}
