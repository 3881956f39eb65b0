/**
 * What the crew did, kept on the phone until the gateway has it: in the order of the presses, each with its own time
 * and an idempotency key, so that a second try changes nothing.
 */
import { signal } from '@preact/signals';
import { Problem, post } from '../../api/client.js';
import { gatewayNow } from '../../state/clock.js';
import { uploadPhotos } from '../../ui/photo.js';
import { problemWords } from '../../ui/toast.js';

export interface Kept {
  /** Idempotency key. */
  id: string;
  path: string;
  body: Record<string, unknown>;
  /** What it was, for the list: a step and an order's number. */
  step: string;
  orderId?: string;
  label: string;
  /** Gateway time of the press, ms UTC. */
  pressedAt: number;
  photos: Blob[];
}
export interface Refused {
  id: string;
  label: string;
  step: string;
  words: string;
}

/** A shift makes some dozens of presses; past this the phone has been without a network for days. */
const MAX_KEPT = 300;
/** Sent later than this after the press, the step states when it was pressed. */
const LATE_MS = 5_000;
const RETRY_MS = 8_000;
const DATABASE = 'linecrew-crew';
const STORE = 'outbox';

export const kept = signal<readonly Kept[]>([]);
export const refused = signal<readonly Refused[]>([]);
export const sending = signal(false);

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open(DATABASE, 1);
    open.onupgradeneeded = () => open.result.createObjectStore(STORE, { keyPath: 'id' });
    open.onsuccess = () => resolve(open.result);
    open.onerror = () => reject(open.error ?? new Error('no database'));
  });
}
async function write(work: (store: IDBObjectStore) => void): Promise<void> {
  const db = await database();
  await new Promise<void>((resolve, reject) => {
    const transaction = db.transaction(STORE, 'readwrite');
    work(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error ?? new Error('not written'));
  });
  db.close();
}

/** Reads what was kept before the page was closed. */
export async function loadKept(): Promise<void> {
  const db = await database();
  const all = await new Promise<Kept[]>((resolve, reject) => {
    const query = db.transaction(STORE).objectStore(STORE).getAll();
    query.onsuccess = () => resolve(query.result as Kept[]);
    query.onerror = () => reject(query.error ?? new Error('not read'));
  });
  db.close();
  kept.value = all.sort((a, b) => a.pressedAt - b.pressedAt);
}

/** Keeps a press and sends it as soon as it can be. Resolves when it is safe on the phone. */
export async function press(what: Omit<Kept, 'id' | 'pressedAt'>): Promise<void> {
  if (kept.value.length >= MAX_KEPT) throw new Error(`more than ${MAX_KEPT} presses wait already`);
  const one: Kept = { ...what, id: crypto.randomUUID(), pressedAt: gatewayNow() };
  await write((store) => store.put(one));
  kept.value = [...kept.value, one];
  void flush();
}

async function drop(one: Kept): Promise<void> {
  await write((store) => store.delete(one.id));
  kept.value = kept.value.filter((other) => other.id !== one.id);
}

async function send(one: Kept): Promise<void> {
  const body = { ...one.body };
  if (one.photos.length > 0)
    body.record = { ...(body.record as object), photos: await uploadPhotos(one.orderId!, one.photos) };
  const late = gatewayNow() - one.pressedAt > LATE_MS;
  const stamped =
    late && one.path.startsWith('/orders/') ? { ...body, at: new Date(one.pressedAt).toISOString() } : body;
  await post(one.path, stamped, { idempotencyKey: one.id });
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
      try {
        await send(one);
      } catch (error) {
        if (isTemporary(error)) return;
        refused.value = [
          ...refused.value,
          { id: one.id, label: one.label, step: one.step, words: problemWords(error) },
        ].slice(-20);
      }
      await drop(one);
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
