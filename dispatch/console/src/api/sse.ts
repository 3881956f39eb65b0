/** Server-sent events read from a `fetch` body: unlike EventSource it sends `Last-Event-ID` and sees heartbeats. */

export interface SseMessage {
  id: string | undefined;
  event: string;
  data: string;
}

/** Parser of the event-stream format (HTML standard, 9.2.6): text in pieces, whole messages out. */
export class SseParser {
  #rest = '';
  #id: string | undefined;
  #event = '';
  #data: string[] = [];

  push(text: string): SseMessage[] {
    const messages: SseMessage[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line, messages);
    return messages;
  }

  #line(line: string, messages: SseMessage[]): void {
    if (line === '') {
      if (this.#data.length > 0) {
        messages.push({ id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') });
      }
      this.#event = '';
      this.#data = [];
      return;
    }
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
  }
}

export interface StreamCallbacks {
  onOpen(): void;
  /** Any bytes, heartbeats included. */
  onBytes(): void;
  onMessage(message: SseMessage): void;
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
  if (!response.ok || !response.body) throw Object.assign(new Error(`stream ${response.status}`), { status: response.status });
  callbacks.onOpen();
  const parser = new SseParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    callbacks.onBytes();
    for (const message of parser.push(value)) callbacks.onMessage(message);
  }
}
