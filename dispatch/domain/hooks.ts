/**
 * What follows from events in another subject: the outbox queues and voids deliveries when legs and queues change,
 * alerts end when what they wait for happens. Each subject exports its hooks; several may listen to one type and run
 * in the order of this list.
 */
import { noticeHooks } from './notices.js';
import { capacityHooks } from './capacity.js';
import { alarmHooks } from './alarms.js';
import { dutyHooks } from './duty.js';
import { cardHooks } from './card-choices.js';
import { escalationHooks } from './escalation.js';
import { deliveryHooks } from './delivery.js';
import { nextCrewHooks } from './next-crew.js';
import { urgeHooks } from './urge.js';
import type { DomainEvent } from './events.js';
import type { Hooks } from './tables.js';
import type { Tx } from './tx.js';

const HOOKS: readonly Hooks[] = [
  // one line for each subject
  cardHooks,
  alarmHooks,
  dutyHooks,
  noticeHooks,
  deliveryHooks,
  escalationHooks,
  capacityHooks,
  nextCrewHooks,
  urgeHooks,
];

export function runHooks(tx: Tx, event: DomainEvent): void {
  for (const hooks of HOOKS) hooks[event.type]?.(tx, event);
}
