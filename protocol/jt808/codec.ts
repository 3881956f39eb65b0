import { copyBytes } from '../bytes/copy.js';
import { DecodeError } from '../errors.js';
import { EncodeError, Reader, Writer, type Field } from '../field/index.js';
import { limits } from '../limits.js';
import { detectEdition, type Edition } from './edition.js';
import type { Frame, Identity } from './frame.js';
import { declarationOf, messageName, messages, type Body, type Message, type MessageName } from './messages.js';
import { encodeFrame, splitBody } from './writer.js';

/** A decoded body; `trailing` holds bytes behind the declared fields, which newer or sloppy terminals send. */
export type DecodedMessage = Message & { readonly trailing?: Uint8Array };

/**
 * Reads the body of a declared message.
 * @returns undefined when the id is not declared: the body stays bytes
 * @throws DecodeError when the body is shorter than its fields or contradicts itself
 */
export function decodeBody(messageId: number, edition: Edition, body: Uint8Array): DecodedMessage | undefined {
  const name = messageName(messageId);
  if (name === undefined) return undefined;
  const reader = new Reader(body, 0, body.length, edition);
  const value = (messages[name].body as Field<unknown>).read(reader);
  const decoded = { name, body: value } as Message;
  return reader.left === 0 ? decoded : { ...decoded, trailing: copyBytes(body, reader.at) };
}

/**
 * Reads the body of a frame that is not a part of a sub-packaged message.
 * @throws DecodeError `encrypted` when the body is cipher text (answer it with result 3, reference 2.11), else as
 * `decodeBody`
 */
export function decodeFrame(frame: Frame, known?: Edition): DecodedMessage | undefined {
  if (frame.encryption !== 0) {
    throw new DecodeError('encrypted', 0, `the body is encrypted (${frame.encryption})`);
  }
  return decodeBody(frame.messageId, detectEdition(frame, known), frame.body);
}

/**
 * The body bytes of a message.
 * @throws EncodeError with the path of the field that cannot be carried
 */
export function encodeBody<K extends MessageName>(name: K, edition: Edition, body: Body<K>): Uint8Array {
  const writer = new Writer(edition);
  (messages[name].body as Field<unknown>).write(writer, body);
  return writer.done().slice();
}

/** What is to be sent: header values as the terminal writes them, and a body as declared fields or as bytes. */
export interface MessageSpec<K extends MessageName = MessageName> extends Identity {
  /** The declared message. Needs `body`. */
  readonly name?: K;
  /** Any id, declared or not. Needs `bodyBytes`, or `body` when the id is declared. */
  readonly messageId?: number;
  readonly edition: Edition;
  /** Serial of the first frame. */
  readonly serial: number;
  readonly body?: Body<K>;
  readonly bodyBytes?: Uint8Array;
  /** Longest body of one frame; longer ones are sub-packaged. Default `limits.downlinkBodyBytes`. */
  readonly maxBodyBytes?: number;
  /** The framing of the terminal's connection. Default `standard`. */
  readonly framing?: 'standard' | 'e7';
}

/** Frames of one message, and their serials in the same order. */
export interface EncodedMessage {
  readonly frames: Uint8Array[];
  readonly serials: number[];
}

/**
 * A whole message as frames: the body is written and, when it is longer than `maxBodyBytes`, split into parts with
 * consecutive serials (reference 2.9).
 * @throws EncodeError when a field cannot be carried, or the message would need more parts than a part number can count
 */
export function encodeMessage<K extends MessageName>(spec: MessageSpec<K>): EncodedMessage {
  const name = spec.name ?? (spec.messageId === undefined ? undefined : (messageName(spec.messageId) as K | undefined));
  const messageId = spec.messageId ?? (name === undefined ? undefined : messages[name].id);
  if (messageId === undefined) throw new EncodeError('', 'expected a name or a messageId');
  const body = spec.bodyBytes ?? encodeDeclared(messageId, name, spec);
  const parts = splitBody(body, spec.maxBodyBytes ?? limits.downlinkBodyBytes);
  if (parts.length > 0xffff) throw new EncodeError('body', `${body.length} bytes are more than 65535 parts`);
  const frames: Uint8Array[] = [];
  const serials: number[] = [];
  parts.forEach((part, at) => {
    const serial = (spec.serial + at) & 0xffff;
    const { versionFlag, protocolVersion, phoneRaw } = spec;
    const split = parts.length > 1 ? { total: parts.length, index: at + 1 } : {};
    frames.push(
      encodeFrame({ messageId, versionFlag, protocolVersion, phoneRaw, serial, body: part, ...split }, spec.framing),
    );
    serials.push(serial);
  });
  return { frames, serials };
}

function encodeDeclared<K extends MessageName>(
  messageId: number,
  name: K | undefined,
  spec: MessageSpec<K>,
): Uint8Array {
  if (name === undefined || declarationOf(messageId) === undefined) {
    throw new EncodeError(
      'body',
      `message 0x${messageId.toString(16).padStart(4, '0')} is not declared: give its bytes`,
    );
  }
  return encodeBody(name, spec.edition, spec.body ?? ({} as Body<K>));
}
