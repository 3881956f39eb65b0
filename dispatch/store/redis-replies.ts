/** What Redis answers, as the store's own types. */
import type { StoredEvent } from '../domain/events.js';
import { splitDocKey } from './keys.js';
import type { CommitResult, StoredDoc } from './store.js';

/** A flat list of twos. */
export function pairs<T>(flat: readonly T[]): [T, T][] {
  return flat.flatMap((item, i) => (i % 2 === 0 ? [[item, flat[i + 1]!] as [T, T]] : []));
}

/** `number:rest` in two. */
export function splitHead(stored: Buffer): [number, string] {
  const text = stored.toString();
  const colon = text.indexOf(':');
  return [Number(text.slice(0, colon)), text.slice(colon + 1)];
}

export function toDoc(key: string, stored: Buffer | null): StoredDoc | undefined {
  if (!stored) return undefined;
  const [version, json] = splitHead(stored);
  return { ...splitDocKey(key), version, value: JSON.parse(json) };
}

/** Events of {@link pairs} of position and JSON. */
export function toEvents(reply: readonly Buffer[]): StoredEvent[] {
  return pairs(reply).map(([position, json]) => ({
    ...(JSON.parse(json.toString()) as StoredEvent),
    position: Number(position),
  }));
}

/** Answer of `commit.lua`. */
export function toResult([what, detail]: Buffer[]): CommitResult {
  switch (what!.toString()) {
    case 'ok':
      return { ok: true, lastPosition: Number(detail) };
    case 'conflict':
      return { ok: false, conflict: splitDocKey(detail!.toString()) };
    case 'ingest':
      return { ok: false, conflict: { kind: 'ingest', id: detail!.toString() } };
    default:
      return { ok: false, duplicate: JSON.parse(detail!.toString()) };
  }
}

/** Sequence in an id `0-SEQUENCE` of an ingest log. */
export function sequenceOf(id: Buffer): number {
  const text = id.toString();
  return Number(text.slice(text.indexOf('-') + 1));
}
