/**
 * What the crew did, kept on the phone until the gateway has it: in the order of the presses, each with its own time
 * and an idempotency key, so that a second try changes nothing.
 */
import { signal } from '@preact/signals';
import { Problem, post } from '../../api/client.js';
import { t } from '../../i18n/index.js';
import { gatewayNow } from '../../state/clock.js';
import { uploadPhotos } from '../../ui/photo.js';
import { problemWords } from '../../ui/toast.js';

export interface Kept {
  /** Idempotency key. */
  id: string;
  path: string;
  body: Record<string, unknown>;
  /** What it was, for the list: a step, and the number of its order or the plate. */
  step: string;
  orderId?: string;
  label: string;
  /** Gateway time of the press, ms UTC. */
  pressedAt: number;
  photos: Blob[];
}
/** A press that the rules did not take as it was meant: shown until the crew has seen it, also after a restart. */
export interface Refused {
  id: string;
  label: string;
  step: string;
  words: string;
  /** Gateway time of the press, ms UTC. */
  pressedAt: number;
}

/** A shift makes some dozens of presses; past this the phone has been without a network for days. */
const MAX_KEPT = 300;
/** Sent later than this after the press, the step states when it was pressed. */
const LATE_MS = 5_000;
const RETRY_MS = 8_000;
/** More refusals than this, and nobody reads the oldest. */
const MAX_REFUSED = 20;
const DATABASE = 'linecrew-crew';
const STORE = 'outbox';
const REFUSALS = 'refused';

export const kept = signal<readonly Kept[]>([]);
export const refused = signal<readonly Refused[]>([]);
export const sending = signal(false);

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open(DATABASE, 2);
    open.onupgradeneeded = () => {
      for (const name of [STORE, REFUSALS])
        if (!open.result.objectStoreNames.contains(name)) open.result.createObjectStore(name, { keyPath: 'id' });
    };
    open.onsuccess = () => resolve(open.result);
    open.onerror = () => reject(open.error ?? new Error('no database'));
  });
}
async function write(work: (transaction: IDBTransaction) => void): Promise<void> {
  const db = await database();
  await new Promise<void>((resolve, reject) => {
    const transaction = db.transaction([STORE, REFUSALS], 'readwrite');
    work(transaction);
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error ?? new Error('not written'));
  });
  db.close();
}

const all = <T>(db: IDBDatabase, store: string): Promise<T[]> =>
  new Promise((resolve, reject) => {
    const query = db.transaction(store).objectStore(store).getAll();
    query.onsuccess = () => resolve(query.result as T[]);
    query.onerror = () => reject(query.error ?? new Error('not read'));
  });
const byPress = (a: { pressedAt: number }, b: { pressedAt: number }): number => a.pressedAt - b.pressedAt;

/** Reads what was kept before the page was closed. */
export async function loadKept(): Promise<void> {
  const db = await database();
  const [waiting, told] = await Promise.all([all<Kept>(db, STORE), all<Refused>(db, REFUSALS)]);
  db.close();
  kept.value = waiting.sort(byPress);
  refused.value = told.sort(byPress);
}

/** Keeps a press and sends it as soon as it can be. Resolves when it is safe on the phone. */
export async function press(what: Omit<Kept, 'id' | 'pressedAt'>): Promise<void> {
  if (kept.value.length >= MAX_KEPT) throw new Error(`more than ${MAX_KEPT} presses wait already`);
  const one: Kept = { ...what, id: crypto.randomUUID(), pressedAt: gatewayNow() };
  await write((transaction) => transaction.objectStore(STORE).put(one));
  kept.value = [...kept.value, one];
  void flush();
}

/** It has been answered; what the crew must know of the answer takes its place in the same step. */
async function drop(one: Kept, words?: string): Promise<void> {
  const { id, label, step, pressedAt } = one;
  const told = words === undefined ? refused.value : [...refused.value, { id, label, step, words, pressedAt }];
  const shown = told.slice(-MAX_REFUSED);
  await write((transaction) => {
    transaction.objectStore(STORE).delete(id);
    const refusals = transaction.objectStore(REFUSALS);
    refusals.clear();
    for (const refusal of shown) refusals.put(refusal);
  });
  refused.value = shown;
  kept.value = kept.value.filter((other) => other.id !== id);
}

/** The crew has read it. */
export async function seen({ id }: Refused): Promise<void> {
  await write((transaction) => transaction.objectStore(REFUSALS).delete(id));
  refused.value = refused.value.filter((other) => other.id !== id);
}

/** Gives the words for the crew where a dispatcher has to decide what the press means. */
async function send(one: Kept): Promise<string | undefined> {
  const body = { ...one.body };
  if (one.photos.length > 0)
    body.record = { ...(body.record as object), photos: await uploadPhotos(one.orderId!, one.photos) };
  const late = gatewayNow() - one.pressedAt > LATE_MS;
  const stamped =
    late && one.path.startsWith('/orders/') ? { ...body, at: new Date(one.pressedAt).toISOString() } : body;
  const answer = await post<{ result?: { cardId?: string } }>(one.path, stamped, { idempotencyKey: one.id });
  return answer?.result?.cardId === undefined ? undefined : t('crew.taken');
}

/** Could succeed later: no network, not signed in, too busy. Everything else is the rules' answer. */
const isTemporary = (error: unknown): boolean =>
  error instanceof Problem &&
  (error.status === 0 || error.status === 401 || error.status === 429 || error.status >= 500);

/** Sends what is kept, one after the other, in the order of the presses. */
export async function flush(): Promise<void> {
  if (sending.value) return;
  sending.value = true;
  try {
    for (;;) {
      const one = kept.value[0];
      if (!one) return;
      let words: string | undefined;
      try {
        words = await send(one);
      } catch (error) {
        if (isTemporary(error)) return;
        words = problemWords(error);
      }
      await drop(one, words);
    }
  } finally {
    sending.value = false;
  }
}

export function startFlushing(): () => void {
  const onOnline = (): void => void flush();
  const timer = setInterval(onOnline, RETRY_MS);
  window.addEventListener('online', onOnline);
  return () => {
    clearInterval(timer);
    window.removeEventListener('online', onOnline);
  };
}
