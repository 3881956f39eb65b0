/** What a store holds, as counts and hashes that do not depend on the order in which it is read. */
import { createHash } from 'node:crypto';
import type { Position } from '../../dispatch/store/position-batch.js';
import type { DispatchStore, StoredEntry } from '../../dispatch/store/store.js';
import { MARK } from './mark.js';

export const PARTS = ['documents', 'events', 'ingest logs', 'positions', 'blobs', 'facts'] as const;
export type Part = (typeof PARTS)[number];
export type Summary = Record<Part, { count: number; hash: string }>;

/** Times that a track can have: all that keys hold. */
export const EVER = 2 ** 47;
const PAGE = 500;

/** SHA-256 of every item, combined so that their order does not matter; an item's own place is part of the item. */
class Digest {
  count = 0;
  readonly #sum = Buffer.alloc(32);

  add(...parts: (string | Uint8Array)[]): void {
    const hash = createHash('sha256');
    for (const part of parts) {
      // Lengths keep neighbours apart.
      hash.update(`${typeof part === 'string' ? Buffer.byteLength(part) : part.length}:`).update(part);
    }
    const bytes = hash.digest();
    for (let i = 0; i < bytes.length; i++) this.#sum[i]! ^= bytes[i]!;
    this.count++;
  }

  get result(): { count: number; hash: string } {
    return { count: this.count, hash: this.#sum.toString('hex') };
  }
}

/**
 * Reads all of a store. Left out is what has no meaning in another one: versions of documents, which begin anew; the
 * due time of a document that may be claimed (that it has one counts); leases; remembered idempotency keys.
 *
 * @param nodes whose ingest logs count also where the store does not list them: one that came to it empty is not listed
 */
export async function summarise(store: DispatchStore, nodes: readonly string[] = []): Promise<Summary> {
  const [documents, blobs, facts] = [new Digest(), new Digest(), new Digest()];
  for await (const entry of store.everyDoc()) documents.add(...docParts(entry));
  for await (const name of store.everyBlob()) blobs.add(name, (await store.getBlob(name)) ?? '');
  for (const key of await store.metaKeys()) {
    if (key !== MARK) facts.add(key, JSON.stringify(await store.meta(key)));
  }
  return {
    documents: documents.result,
    events: await events(store),
    'ingest logs': await ingestLogs(store, new Set([...(await store.ingestNodes()), ...nodes])),
    positions: await positions(store),
    blobs: blobs.result,
    facts: facts.result,
  };
}

function docParts({ kind, id, value, indexes, dueAt }: StoredEntry): string[] {
  const sorted = indexes.map((pair) => JSON.stringify(pair)).sort();
  return [kind, id, JSON.stringify(value), sorted.join('\n'), dueAt === undefined ? '' : 'due'];
}

async function events(store: DispatchStore): Promise<{ count: number; hash: string }> {
  const digest = new Digest();
  for (let after = 0; ;) {
    const page = await store.eventsAfter(after, PAGE);
    if (page.length === 0) return digest.result;
    for (const { position, ...event } of page) digest.add(String(position), JSON.stringify(event));
    after = page.at(-1)!.position;
  }
}

async function ingestLogs(store: DispatchStore, nodes: Iterable<string>): Promise<{ count: number; hash: string }> {
  const digest = new Digest();
  for (const node of nodes) {
    const { appended, applied } = await store.ingestState(node);
    digest.add(node, String(appended), String(applied));
    for (let after = 0; ;) {
      const page = await store.readIngest(node, after, PAGE);
      if (page.length === 0) break;
      for (const { sequence, group } of page) digest.add(node, String(sequence), group);
      after = page.at(-1)!.sequence;
    }
  }
  return digest.result;
}

async function positions(store: DispatchStore): Promise<{ count: number; hash: string }> {
  const digest = new Digest();
  for (const [vehicleId, last] of await store.lastPositions()) {
    const lastRow = rowOf(last);
    digest.add('last', vehicleId, lastRow);
    for await (const position of store.track(vehicleId, 0, EVER)) {
      // The last position may outlive its place in the track, which has a retention.
      const row = rowOf(position);
      if (row !== lastRow) digest.add('track', vehicleId, row);
    }
  }
  return digest.result;
}

function rowOf(p: Position): string {
  return [
    p.deviceAt, p.receivedAt, p.latE6, p.lonE6, p.altitudeM, p.speedDeciKmh, p.headingDeg, p.alarm, p.status, p.mileageDeciKm,
  ].join(' '); // prettier-ignore
}
