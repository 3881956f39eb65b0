/** Any declared message of the platform by its name, for what is too rare to have a function of its own. */
import { z } from 'zod';
import {
  EncodeError,
  hasMessage,
  messages,
  type Body,
  type MessageDeclaration,
  type MessageName,
} from '../../protocol/index.js';
import { message, terminalFunction } from './function.js';

/**
 * What the gateway itself says at its time: sent by hand it would confirm what is not safe, give a code that nobody knows,
 * or take the keys of orders off the terminal. The keys exchange is for encryption, which is refused.
 */
export const NOT_SENDABLE: ReadonlySet<MessageName> = new Set<MessageName>([
  'platformAck',
  'resendUplink',
  'timeAnswer',
  'registerAnswer',
  'mediaAnswer',
  'eventList',
  'platformRsaKey',
  // Has a function that sends it in parts, from a file.
  'upgrade',
]);

const declared = Object.entries(messages) as [MessageName, MessageDeclaration][];
export const SENDABLE = declared
  .filter(([name, { direction }]) => direction === 'down' && !NOT_SENDABLE.has(name))
  .map(([name]) => name) as [MessageName];

/** Body bytes: what the largest list of the table needs, and a small part of what a connection may hold. */
const bodyMax = 32 * 1024;

export const send = terminalFunction({
  name: 'send',
  title: 'Send a message of docs/jt808.md by its name, with its fields',
  since: 2011,
  maintenance: true,
  arguments: z.strictObject({
    message: z.enum(SENDABLE),
    body: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'Fields as docs/jt808.md lists them, bytes as hex' }),
  }),
  render({ message: name, body = {} }, edition) {
    if (!hasMessage(messages[name], edition)) {
      throw new EncodeError('message', `the ${edition} edition does not have ${name}`);
    }
    const made = within('body', () => message(name, edition, body as unknown as Body<typeof name>));
    if (made.body.length > bodyMax) throw new EncodeError('body', `${made.body.length} bytes; at most ${bodyMax}`);
    return [made];
  },
});

function within<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof EncodeError ? error.within(path) : error;
  }
}
