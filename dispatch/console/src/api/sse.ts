/** Server-sent events read from a `fetch` body: unlike EventSource it sends `Last-Event-ID` and sees heartbeats. */
import { SseParser, type SseMessage } from './sse-parser.js';

export interface StreamCallbacks {
  onOpen(): void;
  /** Any bytes, heartbeats included. */
  onBytes(): void;
  onMessage(message: SseMessage): void;
  /** Everything up to this id has been told, also where nothing of it was for this client. */
  onId(id: string): void;
}

/** Reads one stream until it ends, fails or is aborted. Resolves when the server ends it; rejects otherwise. */
export async function readStream(
  url: string,
  lastEventId: string | undefined,
  callbacks: StreamCallbacks,
  signal: AbortSignal,
): Promise<void> {
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
  const response = await fetch(url, { headers, signal, credentials: 'same-origin', cache: 'no-store' });
  if (!response.ok || !response.body)
    throw Object.assign(new Error(`stream ${response.status}`), { status: response.status });
  callbacks.onOpen();
  const parser = new SseParser();
  let known: string | undefined;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    callbacks.onBytes();
    for (const message of parser.push(value)) callbacks.onMessage(message);
    if (parser.lastId === undefined || parser.lastId === known) continue;
    known = parser.lastId;
    callbacks.onId(known);
  }
}
