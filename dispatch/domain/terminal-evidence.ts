/** What else terminals say: answers to questions and commands, and what nobody can use. */
import { quarantine } from './cards.js';
import { clockOffset } from './link.js';
import type { Delivery } from './model.js';
import { folding, type Appliers, type Reducers, type ReportOf } from './tables.js';
import type { Tx } from './tx.js';

interface Answered {
  deliveryId: string;
  answer: { at: number } & Record<string, unknown>;
}

/** Answers kept in the outbox; older ones are in the event log. A list of all parameters has up to 10 kB. */
export const ANSWERS_KEPT = 10;
/** A command that measures the terminal's clock by the time in its answer. */
export const CLOCK_COMMAND = 'clock-offset';
/** Terminals of JT/T 808 say whole seconds. */
const SECOND_MS = 1000;

export const evidenceReducers: Reducers = {
  'delivery.answered': folding<Answered>((docs, { vehicleId, data: { deliveryId, answer } }) => {
    const outbox = docs.get('outbox', vehicleId!)!;
    const items = outbox.items.map((item) => (item.id === deliveryId ? { ...item, answer } : item));
    docs.put('outbox', vehicleId!, { ...outbox, items: withoutOldAnswers(items) });
  }),
};

function withoutOldAnswers(items: Delivery[]): Delivery[] {
  let surplus = items.filter(({ answer }) => answer !== undefined).length - ANSWERS_KEPT;
  if (surplus <= 0) return items;
  return items.map((item) => {
    if (item.answer === undefined || surplus-- <= 0) return item;
    const { answer: _forgotten, ...rest } = item;
    return rest;
  });
}

export const evidenceAppliers: Appliers = {
  'report.answer': (tx, { vehicleId, deliveryId, quotedSerial, answerId, text, deviceAt, receivedAt }) => {
    const item = asked(tx, vehicleId, 'questionAnswer', deliveryId, quotedSerial);
    if (!item) {
      const message = `${vehicleId} answers ${answerId} to a question that it was not asked`;
      quarantine(tx, { code: 'unknownQuestion', message, vehicleId, data: { answerId, text } });
      return;
    }
    const said = text ?? choiceOf(item, answerId);
    const answer = { answerId, at: deviceAt ?? receivedAt, ...(said === undefined ? {} : { text: said }) };
    tx.emit({ type: 'delivery.answered', vehicleId, data: { deliveryId: item.id, answer } satisfies Answered });
  },
  'report.reply': reply,
  'report.unusable': (tx, { vehicleId, code, message, bytesHex }) => {
    quarantine(tx, { code, message, vehicleId, bytesHex, data: { message } });
  },
};

/** The words of the choice, as the question gave them. */
function choiceOf(item: Delivery, answerId: number): string | undefined {
  const { answers } = (item.command?.arguments ?? {}) as { answers?: unknown };
  if (!Array.isArray(answers)) return undefined;
  const choice = (answers as unknown[])[answerId - 1];
  return typeof choice === 'string' ? choice : undefined;
}

/** A reply to nothing that was asked says nothing new: its bytes are in the ingest log. */
function reply(tx: Tx, report: ReportOf<'report.reply'>): void {
  const { vehicleId, name, fields, receivedAt } = report;
  const item = asked(tx, vehicleId, name, report.deliveryId, report.quotedSerial);
  // Sent again, because our confirmation was lost.
  if (!item || item.answer !== undefined) return;
  const measured = item.command?.name === CLOCK_COMMAND ? measureClock(tx, item, report) : {};
  const answer = { message: name, at: receivedAt, ...fields, ...measured };
  tx.emit({ type: 'delivery.answered', vehicleId, data: { deliveryId: item.id, answer } satisfies Answered });
}

/** The answer was made between question and receipt: the middle is right to half of that time. */
function measureClock(tx: Tx, item: Delivery, report: ReportOf<'report.reply'>): Record<string, unknown> {
  const askedAt = item.attempts.at(-1)?.at;
  const { deviceAt, deviceStepMs = SECOND_MS, receivedAt, phone } = report;
  if (deviceAt === undefined || askedAt === undefined || item.attempts.length > 1) return { clockOffsetMs: null };
  const roundTripMs = receivedAt - askedAt;
  // On average the time is half a step later than said.
  const clockOffsetMs = Math.round(deviceAt + deviceStepMs / 2 - (askedAt + receivedAt) / 2);
  const accuracyMs = Math.round((deviceStepMs + roundTripMs) / 2);
  if (tx.get('terminal', phone)) clockOffset(tx, { phone, ms: clockOffsetMs });
  return { clockOffsetMs, roundTripMs, accuracyMs };
}

/**
 * The command, by its delivery, else the newest that went out under the quoted serial, else the newest that awaits such
 * a message and has none: the answer may come before its serial is on file.
 */
function asked(
  tx: Tx,
  vehicleId: string,
  message: string,
  id: string | undefined,
  serial: number | undefined,
): Delivery | undefined {
  const items = tx.get('outbox', vehicleId)?.items ?? [];
  if (id !== undefined) return items.find((item) => item.id === id);
  const bySerial = (item: Delivery): boolean =>
    serial !== undefined &&
    item.kind === 'command' &&
    item.attempts.some(({ serials }) => serials !== undefined && within(serial, serials));
  const awaiting = (item: Delivery): boolean =>
    item.command?.awaits === message && item.answer === undefined && item.attempts.length > 0;
  return items.filter(bySerial).at(-1) ?? items.filter(awaiting).at(-1);
}

/** Serials wrap after 65535. */
function within(serial: number, [first, last]: [number, number]): boolean {
  return ((serial - first) & 0xffff) <= ((last - first) & 0xffff);
}
