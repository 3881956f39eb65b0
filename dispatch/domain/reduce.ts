/** Event type → reducer. State is the fold of the log over these and nothing else. */
import type { DomainEvent } from './events.js';
import type { Docs, DocKind } from './model.js';
import { statusLinkReducers } from './status-link.js';
import { urgeReducers } from './urge.js';
import { recordReducers } from './record.js';
import { mergeReducers } from './merge.js';
import { fenceReducers } from './fences.js';
import { mediaReducers } from './media.js';
import { eraseReducers } from './erase.js';
import { dutyReducers } from './duty.js';
import { callbackReducers } from './callback.js';
import { capacityReducers } from './capacity.js';
import { alarmReducers } from './alarms.js';
import { alertReducers } from './alerts.js';
import { cardReducers } from './cards.js';
import { escalationReducers } from './escalation.js';
import { deliveryReducers } from './delivery-fold.js';
import { forecastReducers } from './forecast.js';
import { legReducers } from './leg-fold.js';
import { linkReducers } from './link-fold.js';
import { orderReducers } from './order.js';
import { stageReducers } from './order-stages.js';
import { organisationReducers } from './organisation.js';
import { queueReducers } from './queue.js';
import { join, type Documents, type Reducers } from './tables.js';
import { evidenceReducers } from './terminal-evidence.js';
import { timePointReducers } from './time-points.js';

const REDUCERS: Reducers = join<Reducers>(
  'reducers',
  // one line for each subject
  evidenceReducers,
  callbackReducers,
  capacityReducers,
  dutyReducers,
  eraseReducers,
  fenceReducers,
  mediaReducers,
  mergeReducers,
  recordReducers,
  statusLinkReducers,
  urgeReducers,
  alarmReducers,
  alertReducers,
  cardReducers,
  escalationReducers,
  forecastReducers,
  organisationReducers,
  orderReducers,
  stageReducers,
  legReducers,
  timePointReducers,
  queueReducers,
  deliveryReducers,
  linkReducers,
);

/** Every type of event that the log can hold. */
export const EVENT_TYPES: readonly string[] = Object.keys(REDUCERS).sort();

/** Folds one event. An event type without a reducer is a mistake of ours: its change would be lost. */
export function reduce(docs: Documents, event: DomainEvent): void {
  const reducer = REDUCERS[event.type];
  if (!reducer) throw new Error(`no reducer for event type ${event.type}`);
  reducer(docs, event);
}

/** Documents in memory, by `kind:id`. */
export class DocumentMap implements Documents {
  readonly all = new Map<string, unknown>();

  get<K extends DocKind>(kind: K, id: string): Readonly<Docs[K]> | undefined {
    return this.all.get(`${kind}:${id}`) as Docs[K] | undefined;
  }
  put<K extends DocKind>(kind: K, id: string, value: Docs[K]): void {
    this.all.set(`${kind}:${id}`, value);
  }
  remove(kind: DocKind, id: string): void {
    this.all.delete(`${kind}:${id}`);
  }
}

/** The state that a log says: all documents, by `kind:id`, from the first event on. */
export function replay(events: Iterable<DomainEvent>): DocumentMap {
  const docs = new DocumentMap();
  for (const event of events) reduce(docs, event);
  return docs;
}
