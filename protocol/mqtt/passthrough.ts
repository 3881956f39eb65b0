import { DecodeError } from '../errors.js';
import { limits } from '../limits.js';

/** Passthrough type of our payload in 0x8900 and 0x0900, out of the user-defined range (reference 4.9). */
export const passthroughType = 0xfa;
/** "LC" and the version of the envelope. */
const envelope = [0x4c, 0x43, 0x01] as const;

/**
 * Content of a 0x8900 or 0x0900 with type `passthroughType`: the envelope bytes, then one protobuf message.
 * @param maxBytes of envelope and message; `limits.passthroughListBytes` for lists of legs
 * @throws RangeError beyond `maxBytes`: the caller must make the message shorter
 */
export function wrapPassthrough(message: Uint8Array, maxBytes: number = limits.passthroughBytes): Uint8Array {
  const length = envelope.length + message.length;
  if (length > maxBytes) {
    throw new RangeError(`a passthrough payload has at most ${maxBytes} bytes, not ${length}`);
  }
  const content = new Uint8Array(length);
  content.set(envelope);
  content.set(message, envelope.length);
  return content;
}

/** True when a passthrough with this type and content is ours; other makers use the same types. */
export function isPassthrough(type: number, content: Uint8Array): boolean {
  return type === passthroughType && envelope.every((byte, i) => content[i] === byte);
}

/**
 * The protobuf message in the content of a passthrough; a view, not a copy.
 * @throws DecodeError `envelope` when it does not start with our envelope bytes
 */
export function unwrapPassthrough(content: Uint8Array): Uint8Array {
  if (!isPassthrough(passthroughType, content)) throw new DecodeError('envelope', 0, 'expected the bytes 4c 43 01');
  return content.subarray(envelope.length);
}
