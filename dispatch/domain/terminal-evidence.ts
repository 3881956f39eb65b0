/** What else terminals say: answers to questions, and what nobody can use. */
import { quarantine } from './cards.js';
import type { Delivery } from './model.js';
import { folding, type Appliers, type Reducers } from './tables.js';
import type { Tx } from './tx.js';

interface Answered {
  deliveryId: string;
  answer: { answerId: number; text?: string; at: number };
}

export const evidenceReducers: Reducers = {
  'delivery.answered': folding<Answered>((docs, { vehicleId, data: { deliveryId, answer } }) => {
    const outbox = docs.get('outbox', vehicleId!)!;
    const items = outbox.items.map((item) => (item.id === deliveryId ? { ...item, answer } : item));
    docs.put('outbox', vehicleId!, { ...outbox, items });
  }),
};

export const evidenceAppliers: Appliers = {
  'report.answer': (tx, { vehicleId, deliveryId, quotedSerial, answerId, text, deviceAt, receivedAt }) => {
    const item = asked(tx, vehicleId, deliveryId, quotedSerial);
    if (!item) {
      const message = `${vehicleId} answers ${answerId} to a question that it was not asked`;
      quarantine(tx, { code: 'unknownQuestion', message, vehicleId, data: { answerId, text } });
      return;
    }
    const answer = { answerId, at: deviceAt ?? receivedAt, ...(text === undefined ? {} : { text }) };
    tx.emit({ type: 'delivery.answered', vehicleId, data: { deliveryId: item.id, answer } satisfies Answered });
  },
  'report.unusable': (tx, { vehicleId, code, message, bytesHex }) => {
    quarantine(tx, { code, message, vehicleId, bytesHex });
  },
};

/** The question, by its id, else the newest that went out under the quoted serial. */
function asked(tx: Tx, vehicleId: string, id: string | undefined, serial: number | undefined): Delivery | undefined {
  const items = tx.get('outbox', vehicleId)?.items ?? [];
  const bySerial = (item: Delivery): boolean =>
    serial !== undefined &&
    item.kind === 'command' &&
    item.attempts.some(({ serials }) => serials !== undefined && serial >= serials[0] && serial <= serials[1]);
  return items.find((item) => item.id === id) ?? items.filter(bySerial).at(-1);
}
