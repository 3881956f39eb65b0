/**
 * The evidence sheet of one order: every stamp and every claim with its source, the raw frame that says so, where the
 * vehicle was, the terminal's clock offset, and the positions in the event log; a SHA-256 over all of it. It is made
 * from the event log, the ingest log and the track alone, so that the same store gives the same sheet again.
 */
import type { IngestRef, StoredEvent } from '../../dispatch/domain/events.js';
import type { Claim, Leg, Order, Stamp } from '../../dispatch/domain/model.js';
import { Refusal } from '../../dispatch/domain/tx.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import type { Position } from '../../dispatch/store/position-batch.js';
import { canonicalSha256 } from './canonical.js';
import { FrameReader } from './frames.js';

export const FORMAT = 'linecrew-evidence/1';

export type EvidenceStore = Pick<DispatchStore, 'get' | 'scan' | 'eventsAfter' | 'readIngest' | 'track'>;

/** One statement about one time point. */
export interface EvidenceItem {
  cycle: number;
  /** Absent for A, B, C, which belong to the order. */
  leg?: number;
  vehicleId?: string;
  point: string;
  at: string;
  /** The claim's own time, where monotony moved it. */
  rawAt?: string;
  source: string;
  rank: string;
  by: string;
  flags: readonly string[];
  deviceAt?: string;
  receivedAt: string;
  committedAt: string;
  /** Measured offset of the terminal's clock that was taken off `deviceAt`, ms; absent without a device time that counts. */
  clockOffsetMs?: number;
  /** Where the vehicle was; `from`: with the statement, or the stored track near that time. */
  place?: { lat: number; lon: number; from: 'statement' | 'track'; deviceAt?: string };
  frame?: IngestRef & { kind?: string; receivedAt?: string; bytesHex: string | null };
  /** Positions in the event log: of the claim, and of the change of the stamp. */
  eventPositions: number[];
}

export interface EvidenceSheet {
  format: typeof FORMAT;
  order: { id: string; number: string };
  madeAt: string;
  /** Events of the order up to here are in it. */
  upToPosition: number;
  stamps: EvidenceItem[];
  claims: EvidenceItem[];
  events: { position: number; type: string; source: string; by: string; committedAt: string }[];
  /** Over the canonical form (RFC 8785) of all the rest. */
  sha256: string;
}

/** Events of one order: it has some dozens, one that is reassigned for days some hundreds. */
const MAX_EVENTS = 20_000;
const PAGE = 1_000;
/** A position farther from the stamp in time says nothing about it. */
const NEAR_MS = 60_000;
const HAS_FIX = 0b10;

export interface SheetQuestion {
  orderId: string;
  /** ms UTC. */
  madeAt: number;
  /** Only events up to this position: as the sheet was made then. */
  upToPosition?: number;
}

/** @throws {Refusal} `unknownOrder` */
export async function makeSheet(store: EvidenceStore, question: SheetQuestion): Promise<EvidenceSheet> {
  const events = await eventsOf(store, question);
  const received = events.find((event) => event.type === 'order.received');
  if (!received) throw new Refusal('unknownOrder', `the event log knows no order ${question.orderId}`, 404);
  const { number } = (received.data as { order: Order }).order;
  const found = collect(events);
  const reader = new FrameReader(store);
  const complete = (one: Found): Promise<EvidenceItem> => itemOf(store, reader, one);
  const sheet = {
    format: FORMAT as typeof FORMAT,
    order: { id: question.orderId, number },
    madeAt: iso(question.madeAt),
    upToPosition: events.at(-1)!.position,
    stamps: await inTurn(found.stamps, complete),
    claims: await inTurn(found.claims, complete),
    events: events.map(({ position, type, source, by, committedAt }) => ({
      position,
      type,
      source,
      by,
      committedAt: iso(committedAt),
    })),
  };
  return { ...sheet, sha256: sha256Of(sheet) };
}

/** The hash that a sheet must carry. */
export function sha256Of(sheet: object): string {
  const { sha256: _own, ...rest } = sheet as Partial<EvidenceSheet>;
  return canonicalSha256(rest);
}

/** An order's id from its id or its number (`YYYYMMDD-NNNN`). @throws {Refusal} `unknownOrder` */
export async function orderIdOf(store: EvidenceStore, idOrNumber: string): Promise<string> {
  if (await store.get('order', idOrNumber)) return idOrNumber;
  const page = await store.scan({ index: 'orders.number', from: idOrNumber, to: `${idOrNumber}!`, limit: 1 });
  const [doc] = page.items;
  if (!doc) throw new Refusal('unknownOrder', `there is no order ${idOrNumber}`, 404);
  return doc.id;
}

async function eventsOf(store: EvidenceStore, { orderId, upToPosition }: SheetQuestion): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let after = 0; events.length < MAX_EVENTS;) {
    const page = await store.eventsAfter(after, PAGE, `order:${orderId}`);
    const wanted = upToPosition === undefined ? page : page.filter((event) => event.position <= upToPosition);
    events.push(...wanted);
    if (page.length < PAGE || wanted.length < page.length) break;
    after = page.at(-1)!.position;
  }
  return events;
}

// ---------------------------------------------------------------------------------------------------------------

interface Found {
  statement: Stamp;
  cycle: number;
  leg?: number;
  vehicleId?: string;
  frame?: IngestRef;
  positions: number[];
}

/** The claims in the order of the log, and the stamps as they stand at its end. */
function collect(events: readonly StoredEvent[]): { stamps: Found[]; claims: Found[] } {
  const claims: Found[] = [];
  const stamps = new Map<string, Found>();
  const legCycle = new Map<number, number>();
  let cycle = 1;
  for (const event of events) {
    if (event.type === 'order.reopened') cycle = (event.data as { cycle: { cycle: number } }).cycle.cycle;
    if (event.type === 'leg.queued' && isNewLeg(event.data)) {
      legCycle.set(event.leg!, cycle);
      for (const claim of event.data.leg.claims) claims.push(foundIn(event, claim, cycle));
    }
    if (event.type === 'timePoint.claimed')
      claims.push(foundIn(event, (event.data as { claim: Claim }).claim, cycleOf(event, legCycle, cycle)));
    if (event.type === 'timePoint.set') {
      const { point, stamp } = event.data as { point: string; stamp: Stamp | null };
      const of = cycleOf(event, legCycle, cycle);
      const key = `${of}/${event.leg ?? ''}/${point}`;
      stamps.delete(key);
      if (stamp) stamps.set(key, withClaim(foundIn(event, stamp, of), claims));
    }
  }
  return { stamps: [...stamps.values()], claims };
}

const cycleOf = ({ leg }: StoredEvent, legCycle: ReadonlyMap<number, number>, cycle: number): number =>
  leg === undefined ? cycle : (legCycle.get(leg) ?? cycle);

const isNewLeg = (data: unknown): data is { leg: Leg } =>
  typeof data === 'object' && data !== null && 'leg' in data && typeof data.leg === 'object';

function foundIn(event: StoredEvent, statement: Stamp, cycle: number): Found {
  const { leg, vehicleId, frame, position } = event;
  return {
    statement,
    cycle,
    ...(leg === undefined ? {} : { leg, vehicleId: vehicleId! }),
    ...(frame === undefined ? {} : { frame }),
    positions: [position],
  };
}

/** A stamp is one of the claims made before it: that one's frame is its proof. An implied stamp has none of its own. */
function withClaim(stamp: Found, claims: readonly Found[]): Found {
  const { frame: _ofTheChange, ...own } = stamp;
  const { point, rank, by, receivedAt, rawAt, at } = stamp.statement;
  const claim = claims.find(
    (one) =>
      one.leg === stamp.leg &&
      one.cycle === stamp.cycle &&
      one.statement.point === point &&
      one.statement.rank === rank &&
      one.statement.by === by &&
      one.statement.receivedAt === receivedAt &&
      one.statement.at === (rawAt ?? at),
  );
  if (!claim) return own;
  return {
    ...own,
    ...(claim.frame ? { frame: claim.frame } : {}),
    positions: [...new Set([...claim.positions, ...own.positions])],
  };
}

async function itemOf(store: EvidenceStore, reader: FrameReader, found: Found): Promise<EvidenceItem> {
  const { statement, cycle, leg, vehicleId, frame, positions } = found;
  const { point, at, rawAt, source, rank, by, flags, deviceAt, receivedAt, committedAt } = statement;
  const place = await placeOf(store, statement, vehicleId);
  return {
    cycle,
    ...(leg === undefined ? {} : { leg, vehicleId: vehicleId! }),
    point,
    at: iso(at),
    ...(rawAt === undefined ? {} : { rawAt: iso(rawAt) }),
    source,
    rank,
    by,
    flags,
    ...(deviceAt === undefined ? {} : { deviceAt: iso(deviceAt) }),
    receivedAt: iso(receivedAt),
    committedAt: iso(committedAt),
    // A device time that did not count has no offset that was taken off it.
    ...(deviceAt === undefined || flags.includes('received') ? {} : { clockOffsetMs: deviceAt - (rawAt ?? at) }),
    ...(place ? { place } : {}),
    ...(frame ? { frame: await frameOf(reader, frame) } : {}),
    eventPositions: positions,
  };
}

async function frameOf(reader: FrameReader, ref: IngestRef): Promise<NonNullable<EvidenceItem['frame']>> {
  const read = await reader.read(ref);
  if (!read) return { ...ref, bytesHex: null };
  return { ...ref, kind: read.kind, receivedAt: iso(read.receivedAt), bytesHex: read.bytesHex };
}

async function placeOf(
  store: EvidenceStore,
  { place, deviceAt, rawAt, at, rank }: Stamp,
  vehicleId: string | undefined,
): Promise<EvidenceItem['place']> {
  if (place) return { ...place, from: 'statement' };
  if (vehicleId === undefined || rank === 'rule' || rank === 'implied') return undefined;
  const when = deviceAt ?? rawAt ?? at;
  let best: Position | undefined;
  for await (const position of store.track(vehicleId, when - NEAR_MS, when + NEAR_MS + 1)) {
    if ((position.status & HAS_FIX) === 0) continue;
    if (!best || Math.abs(position.deviceAt - when) < Math.abs(best.deviceAt - when)) best = position;
  }
  return best && { lat: best.latE6 / 1e6, lon: best.lonE6 / 1e6, from: 'track', deviceAt: iso(best.deviceAt) };
}

async function inTurn<T, R>(all: readonly T[], one: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (const item of all) done.push(await one(item));
  return done;
}

const iso = (at: number): string => new Date(at).toISOString();
