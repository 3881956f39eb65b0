/**
 * What a terminal can be asked to do, one declaration a function: its name at the API and on the command line, its
 * arguments, which editions have it, and the messages that carry it. How a function is sent, retried and answered is the
 * outbox's business like every other delivery.
 */
import type { z } from 'zod';
import {
  encodeBody,
  messages,
  type Body,
  type DownlinkBody,
  type Edition,
  type MessageName,
} from '../../protocol/index.js';
import type { OutgoingMessage } from '../session/link.js';

/** What of a terminal a function may depend on. */
export interface TerminalAbilities {
  readonly edition: Edition;
  /** Protobuf over MQTT instead of JT/T 808. */
  readonly mqtt: boolean;
}

export interface TerminalFunction<Arguments = unknown> {
  /** As in addresses and on the command line: `parameters-query`. */
  readonly name: string;
  readonly title: string;
  /** First edition that has it. */
  readonly since: Edition;
  /** Last edition that has it, where a later one took it out. */
  readonly until?: Edition;
  /** 2019 withdrew the message (reference 4.0): there only on terminals whose option `withdrawn` says that they keep it. */
  readonly withdrawn?: true;
  /** Only for administrators: nothing that a dispatcher needs, and much that can go wrong. */
  readonly maintenance?: true;
  /** Needs a screen or a loudspeaker: not on profile `tracker`. */
  readonly screen?: true;
  readonly arguments: z.ZodType<Arguments>;
  /** See `TerminalCommandItem`. */
  readonly once?: true;
  readonly awaits?: MessageName;
  /** How long it is tried unless the request says otherwise, s. */
  readonly timeoutS?: number;
  /** Name of the blob in the store that the call sends. */
  file?(args: Arguments): string;
  /**
   * The messages of the call; `data` holds the bytes of its file, if it has one and that is there.
   * @throws EncodeError when an argument is not what this edition takes
   */
  render(args: Arguments, edition: Edition, data?: Uint8Array): OutgoingMessage[];
  /** The same for a terminal that speaks terminal.proto over MQTT; absent: that cannot be asked of it. */
  app?(args: Arguments): DownlinkBody;
}

/** Keeps the type of the arguments between schema and `render`. */
export function terminalFunction<Arguments>(spec: TerminalFunction<Arguments>): TerminalFunction {
  return spec;
}

/** One message by its declared name; its dedicated reply, where it has one, is what ends the delivery. */
export function message<K extends MessageName>(
  name: K,
  edition: Edition,
  body: Body<K>,
  answeredBy: number | undefined = replyOf(name),
): OutgoingMessage {
  const rendered = { messageId: messages[name].id, body: encodeBody(name, edition, body) };
  return answeredBy === undefined || answeredBy === 0x0001 ? rendered : { ...rendered, answeredBy };
}

function replyOf(name: MessageName): number | undefined {
  const declared = messages[name];
  return 'reply' in declared ? declared.reply : undefined;
}
