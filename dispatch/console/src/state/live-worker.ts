/**
 * Reads the live stream away from the page's thread: parsing 20,000 positions a second would make the page stutter.
 * Positions stay here in a table, of which the page gets a copy at most twice a second; everything else is passed on.
 */
import { readStream } from '../api/sse.js';
import type { FromLiveWorker, ToLiveWorker } from './live-messages.js';
import { PositionTable, type PositionRow } from './position-table.js';

/** The server's batch comes in several messages: the copy is made when they have come. */
const SETTLE_MS = 40;
const BETWEEN_MS = 500;
/** Signs of life are passed on this often. */
const BYTES_MS = 1_000;

const table = new PositionTable();
let epoch = 0;
let sentAt = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const open = new Map<number, AbortController>();

const scope = self as unknown as {
  postMessage(message: FromLiveWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToLiveWorker>) => void) | null;
};

function take(rows: readonly PositionRow[]): void {
  if (!table.take(rows)) return;
  timer ??= setTimeout(send, Math.max(SETTLE_MS, sentAt + BETWEEN_MS - performance.now()));
}

function send(): void {
  timer = undefined;
  sentAt = performance.now();
  const snapshot = table.snapshot(epoch);
  scope.postMessage({ type: 'positions', snapshot }, [snapshot.values.buffer]);
}

async function read(stream: number, url: string, lastEventId: string | undefined): Promise<void> {
  const abort = new AbortController();
  open.set(stream, abort);
  let toldAt = -BYTES_MS;
  try {
    await readStream(
      url,
      lastEventId,
      {
        onOpen: () => scope.postMessage({ type: 'open', stream }),
        onBytes: () => {
          if (performance.now() - toldAt < BYTES_MS) return;
          toldAt = performance.now();
          scope.postMessage({ type: 'bytes', stream });
        },
        onMessage: (message) => {
          if (message.event === 'positions') take((JSON.parse(message.data) as { rows: PositionRow[] }).rows);
          else scope.postMessage({ type: 'message', stream, message });
        },
        onId: (id) => scope.postMessage({ type: 'id', stream, id }),
      },
      abort.signal,
    );
    scope.postMessage({ type: 'end', stream });
  } catch (error) {
    const { message, status } = error as Error & { status?: number };
    scope.postMessage({ type: 'end', stream, failure: { message, status } });
  } finally {
    open.delete(stream);
  }
}

scope.onmessage = ({ data }) => {
  if (data.type === 'read') void read(data.stream, data.url, data.lastEventId);
  else if (data.type === 'stop') open.get(data.stream)?.abort();
  else if (data.type === 'put') take(data.rows);
  else {
    table.clear();
    epoch = data.epoch;
  }
};
