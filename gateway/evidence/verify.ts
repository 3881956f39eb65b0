/** Holds an evidence sheet against the store that it came from: nothing in it may have been changed on either side. */
import { Refusal } from '../../dispatch/domain/tx.js';
import { FORMAT, makeSheet, sha256Of, type EvidenceSheet, type EvidenceStore } from './sheet.js';

export interface Verdict {
  ok: boolean;
  order: { id: string; number: string };
  /** The sheet's own hash does not fit its content: it was changed after it was made. */
  altered: boolean;
  /** What the store says otherwise, by JSON pointer into the sheet. */
  differences: { pointer: string; sheet: unknown; store: unknown }[];
  /** What the store no longer keeps (retention of frames and positions): not compared. */
  notKept: string[];
}

/** More differences say nothing new. */
const MAX_DIFFERENCES = 100;

/** @throws {Refusal} `notASheet`, or `unknownOrder` where the store never had the order */
export async function verifySheet(store: EvidenceStore, given: unknown): Promise<Verdict> {
  const sheet = sheetFrom(given);
  const madeAt = Date.parse(sheet.madeAt);
  const again = await makeSheet(store, { orderId: sheet.order.id, madeAt, upToPosition: sheet.upToPosition });
  const verdict: Verdict = {
    ok: false,
    order: sheet.order,
    altered: sha256Of(sheet) !== sheet.sha256,
    differences: [],
    notKept: [],
  };
  const { sha256: _sheet, ...ours } = sheet;
  const { sha256: _store, ...theirs } = again;
  compare(ours, theirs, '', verdict);
  verdict.ok = !verdict.altered && verdict.differences.length === 0;
  return verdict;
}

function sheetFrom(given: unknown): EvidenceSheet {
  const sheet = given as Partial<EvidenceSheet> | null;
  const wrong = (what: string): Refusal => new Refusal('notASheet', `this is no evidence sheet: ${what}`, 422);
  if (typeof sheet !== 'object' || sheet === null || Array.isArray(sheet)) throw wrong('expected a JSON object');
  if (sheet.format !== FORMAT) throw wrong(`/format is ${JSON.stringify(sheet.format)}; expected "${FORMAT}"`);
  if (typeof sheet.order?.id !== 'string') throw wrong('/order/id is missing');
  if (typeof sheet.madeAt !== 'string' || Number.isNaN(Date.parse(sheet.madeAt))) throw wrong('/madeAt is no time');
  if (!Number.isSafeInteger(sheet.upToPosition)) throw wrong('/upToPosition is no position of the event log');
  if (typeof sheet.sha256 !== 'string') throw wrong('/sha256 is missing');
  return sheet as EvidenceSheet;
}

function compare(sheet: unknown, store: unknown, pointer: string, verdict: Verdict): void {
  if (sheet === store || verdict.differences.length >= MAX_DIFFERENCES) return;
  if (sheet !== undefined && isRetained(pointer, store)) {
    verdict.notKept.push(pointer);
    return;
  }
  if (isObject(sheet) && isObject(store)) {
    const keys = new Set([...Object.keys(sheet), ...Object.keys(store)]);
    for (const key of keys) compare(sheet[key], store[key], `${pointer}/${key}`, verdict);
    return;
  }
  verdict.differences.push({ pointer, sheet: sheet ?? null, store: store ?? null });
}

/** Frames and positions are kept for a limited time: a store without them contradicts nothing. */
function isRetained(pointer: string, store: unknown): boolean {
  if (/\/frame$/.test(pointer)) return isObject(store) && store['bytesHex'] === null;
  return /\/place$/.test(pointer) && store === undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
