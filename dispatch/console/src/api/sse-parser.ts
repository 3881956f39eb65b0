/** The text of an event stream, without a network: pieces in, whole messages out. */

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
  #lastId: string | undefined;

  /** Where to go on from: the id of the last whole block, also of one that brought no message. */
  get lastId(): string | undefined {
    return this.#lastId;
  }

  push(text: string): SseMessage[] {
    const messages: SseMessage[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line, messages);
    return messages;
  }

  #line(line: string, messages: SseMessage[]): void {
    if (line === '') {
      this.#lastId = this.#id;
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
