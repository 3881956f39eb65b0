/** What `linecrew tail` follows: the events of one order or vehicle, and the bytes of one terminal. */
import type { StoredEvent } from '../dispatch/domain/events.js';
import type { Order } from '../dispatch/domain/model.js';
import type { DispatchPort } from '../dispatch/ports.js';
import { CodeMask } from '../protocol/index.js';
import type { Piece, Taps } from './taps.js';

export type Tailed =
  | { kind: 'about'; words: string }
  | { kind: 'event'; event: StoredEvent }
  /** Bytes of a stream of JT/T 808 frames as they came, or one whole message of terminal.proto. */
  | { kind: 'bytes'; at: number; direction: 'in' | 'out'; connection: string; form: Piece['form']; hex: string }
  /** More came than a person or a pipe takes. */
  | { kind: 'missed'; pieces: number };

/** Exactly one of them. */
export interface TailOf {
  terminal?: string;
  order?: string;
}

/** Events shown of what was before. */
const EARLIER = 20;
/** Pieces of bytes a second; a terminal that empties its memory sends more, a person reads less. */
const PIECES_PER_S = 200;
const PIECE_BYTES = 4096;
/** Directions of connections in use at once; a terminal has two connections for a moment, earlier ones are over. */
const MASKS = 16;

/**
 * Emits the latest events, then everything new, until the returned function is called.
 * @param here this gateway: its name among those on one store, and where its terminals are listened to; absent where
 * only the store is at hand
 * @throws {Error} where there is no such terminal or order
 */
export async function tail(
  dispatch: DispatchPort,
  of: TailOf,
  emit: (tailed: Tailed) => void,
  here?: { node: string; taps: Taps },
): Promise<() => void> {
  const { ref, words } = await subjectOf(dispatch, of);
  emit({ kind: 'about', words });
  // From the first line on nothing of the terminal is missed.
  const stop = of.terminal === undefined ? undefined : here && listen(of.terminal, dispatch, emit, here.taps);
  let last: number;
  try {
    if (of.terminal !== undefined) await sayWhere(dispatch, of.terminal, emit, here?.node);
    last = await dispatch.store.lastPosition();
    for (const event of await latest(dispatch, ref, last)) emit({ kind: 'event', event });
  } catch (error) {
    stop?.();
    throw error;
  }
  const [kind, id] = [ref.slice(0, ref.indexOf(':')), ref.slice(ref.indexOf(':') + 1)];
  const follow = dispatch.follow(last, (events) => {
    for (const event of events) {
      if ((kind === 'order' ? event.orderId : event.vehicleId) === id) emit({ kind: 'event', event });
    }
  });
  return () => {
    follow.cancel();
    stop?.();
  };
}

/** Not a page of thousands when a vehicle is years old: from near the end of the log backwards. */
async function latest(dispatch: DispatchPort, ref: string, last: number): Promise<StoredEvent[]> {
  for (let window = 1_000; ; window *= 10) {
    const from = Math.max(0, last - window);
    const found: StoredEvent[] = [];
    for (let after = from; ;) {
      const page = await dispatch.eventsAfter(after, 500, ref);
      found.push(...page.filter(({ position }) => position <= last));
      found.splice(0, found.length - EARLIER);
      if (page.length < 500) break;
      after = page.at(-1)!.position;
    }
    if (found.length >= EARLIER || from === 0) return found;
  }
}

async function subjectOf(dispatch: DispatchPort, { terminal, order }: TailOf): Promise<{ ref: string; words: string }> {
  if (terminal !== undefined) {
    const found = (await dispatch.get('terminal', terminal))?.value;
    if (!found) throw new Error(`no vehicle has a terminal with the number ${terminal}`);
    const vehicle = (await dispatch.get('vehicle', found.vehicleId))!.value;
    return {
      ref: `vehicle:${vehicle.id}`,
      words: `terminal ${terminal} (${found.profile}) of vehicle ${vehicle.id} ${vehicle.plate}, link ${vehicle.link.state}`,
    };
  }
  const page = await dispatch.scan({ index: 'orders.number', from: order!, to: `${order}\u0001`, limit: 1 });
  const found = (page.items[0]?.value ?? (await dispatch.get('order', order!))?.value) as Order | undefined;
  if (!found) throw new Error(`there is no order ${order}`);
  return { ref: `order:${found.id}`, words: `order ${found.number} (${found.id}), ${found.stage}` };
}

/** Frames pass through the gateway that the terminal is connected to, and are seen on its machine. */
async function sayWhere(
  { store, clock }: DispatchPort,
  phone: string,
  emit: (tailed: Tailed) => void,
  node: string | undefined,
): Promise<void> {
  const owner = await store.owner(phone, clock.now());
  if (node !== undefined && (owner === undefined || owner.node === node)) return;
  const where = owner === undefined ? 'the gateway that it connects to' : `gateway ${owner.node}`;
  const missing = node === undefined ? 'no gateway of this name runs here; ' : '';
  emit({ kind: 'about', words: `${missing}its frames are seen on the machine of ${where}` });
}

function listen(phone: string, { clock }: DispatchPort, emit: (tailed: Tailed) => void, taps: Taps): () => void {
  let pieces = 0;
  let missed = 0;
  const turn = setInterval(() => {
    if (missed > 0) emit({ kind: 'missed', pieces: missed });
    pieces = missed = 0;
  }, 1_000);
  turn.unref();
  const masks = new Map<string, CodeMask>();
  const stop = taps.listen(phone, ({ direction, connection, bytes: raw, form }) => {
    const key = `${connection} ${direction}`;
    if (pieces++ >= PIECES_PER_S) {
      // What it knows of the stream ends here.
      masks.delete(key);
      return void missed++;
    }
    const bytes = form === 'protobuf' ? raw : maskOf(masks, key).push(raw);
    const most = form === 'protobuf' ? bytes.length : PIECE_BYTES;
    for (let from = 0; from < bytes.length; from += most) {
      const hex = Buffer.from(bytes.subarray(from, from + most)).toString('hex');
      emit({ kind: 'bytes', at: clock.now(), direction, connection, form, hex });
    }
  });
  return () => {
    clearInterval(turn);
    stop();
  };
}

/** The mask of one direction of one connection. */
function maskOf(masks: Map<string, CodeMask>, key: string): CodeMask {
  const known = masks.get(key);
  if (known) return known;
  const [oldest] = masks.keys();
  if (masks.size >= MASKS && oldest !== undefined) masks.delete(oldest);
  const mask = new CodeMask();
  masks.set(key, mask);
  return mask;
}
