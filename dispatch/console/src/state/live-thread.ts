/** The page's side of the live worker: streams like `readStream`, and the positions that the worker keeps. */
import type { StreamCallbacks } from '../api/sse.js';
import type { FromLiveWorker, ToLiveWorker } from './live-messages.js';
import type { PositionSnapshot } from './position-table.js';

interface Reading {
  callbacks: StreamCallbacks;
  done(): void;
  failed(error: Error): void;
}
let worker: Worker | undefined;
let streams = 0;
const readings = new Map<number, Reading>();
let onPositions: (snapshot: PositionSnapshot) => void = () => undefined;

export function whenPositions(call: (snapshot: PositionSnapshot) => void): void {
  onPositions = call;
}

export function tellLiveWorker(message: ToLiveWorker): void {
  thread().postMessage(message);
}

function thread(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL('./live-worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<FromLiveWorker>) => take(data);
  worker.onerror = (event) => {
    // A worker that could not be loaded, or broke: the next stream begins with a new one.
    worker = undefined;
    for (const reading of readings.values()) reading.failed(new Error(event.message || 'the live worker failed'));
    readings.clear();
  };
  return worker;
}

function take(data: FromLiveWorker): void {
  if (data.type === 'positions') return onPositions(data.snapshot);
  const reading = readings.get(data.stream);
  if (!reading) return;
  if (data.type === 'open') reading.callbacks.onOpen();
  else if (data.type === 'bytes') reading.callbacks.onBytes();
  else if (data.type === 'message') reading.callbacks.onMessage(data.message);
  else if (data.type === 'id') reading.callbacks.onId(data.id);
  else {
    readings.delete(data.stream);
    if (data.failure) reading.failed(Object.assign(new Error(data.failure.message), { status: data.failure.status }));
    else reading.done();
  }
}

/** `readStream`, read by the worker. Messages with positions stay there and come as snapshots. */
export function readStreamInWorker(
  url: string,
  lastEventId: string | undefined,
  callbacks: StreamCallbacks,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((done, failed) => {
    const stream = ++streams;
    readings.set(stream, { callbacks, done, failed });
    tellLiveWorker({ type: 'read', stream, url, lastEventId });
    signal.addEventListener('abort', () => tellLiveWorker({ type: 'stop', stream }), { once: true });
  });
}
