/** A client of the live stream, as the HTML standard (9.2.6) reads it. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

export interface Message {
  id: string;
  event: string;
  data: string;
}

export interface Listening {
  readonly messages: Message[];
  readonly comments: string[];
  readonly response: IncomingMessage;
  retry: number | undefined;
  /** Resolves with the first message that fits, one that came already included. */
  until(fits: (message: Message) => boolean): Promise<Message>;
  untilComment(count: number): Promise<void>;
  readonly ended: Promise<void>;
  close(): void;
}

export async function listen(url: string, headers: Record<string, string>): Promise<Listening> {
  const request = get(url, { headers: { accept: 'text/event-stream', ...headers } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the stream answered ${response.statusCode}`);
  const messages: Message[] = [];
  const comments: string[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  let current = { event: '', data: [] as string[] };
  let id = '';
  const listening: Listening = {
    messages,
    comments,
    response,
    retry: undefined,
    until: (fits) => wait(() => messages.find(fits)),
    untilComment: async (count) => void (await wait(() => (comments.length >= count ? true : undefined))),
    ended: new Promise((done) => {
      response.on('close', () => done());
      response.on('error', () => done());
    }),
    close: () => request.destroy(),
  };
  const line = (text: string): void => {
    const colon = text.indexOf(':');
    const [field, value] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1).replace(/^ /, '')];
    if (text === '') {
      if (current.data.length > 0)
        messages.push({ id, event: current.event || 'message', data: current.data.join('\n') });
      current = { event: '', data: [] };
    } else if (field === '') comments.push(value);
    else if (field === 'data') current.data.push(value);
    else if (field === 'event') current.event = value;
    else if (field === 'id') id = value;
    else if (field === 'retry') listening.retry = Number(value);
  };
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const one of lines) line(one);
    for (const look of waiting) look();
  });

  function wait<T>(find: () => T | undefined): Promise<T> {
    return new Promise((done, fail) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        waiting.delete(look);
        done(found);
      };
      waiting.add(look);
      response.on('close', () => {
        if (waiting.delete(look)) fail(new Error(`the stream ended after ${messages.length} messages`));
      });
      look();
    });
  }
  return listening;
}
