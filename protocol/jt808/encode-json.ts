import { fromHex } from '../bytes/hex.js';
import { DecodeError } from '../errors.js';
import { EncodeError, Reader, Writer, type Field } from '../field/index.js';
import { encodeMessage, type MessageSpec } from './codec.js';
import { editions, type Edition } from './edition.js';
import { phoneToRaw } from './frame.js';
import { messageName, messages, type MessageName } from './messages.js';
import { encodeFrame } from './writer.js';

type Json = Record<string, unknown>;

/**
 * Frames of one message given as JSON (docs/decode-format.md, "Encoding"): what `describeStream` printed, or a name
 * with its body fields. `bodyHex` wins over `body`, so what was decoded gives the same bytes again.
 * @throws EncodeError with the path of what is wrong
 */
export function encodeJson(input: unknown): Uint8Array[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new EncodeError('', `expected an object, found ${JSON.stringify(input)}`);
  }
  const json = input as Json;
  const name = messageNameOf(json);
  const messageId = optionalNumber(json, 'messageId', 0xffff) ?? (name === undefined ? undefined : messages[name].id);
  if (messageId === undefined) throw new EncodeError('messageId', 'expected a number, or the name of a message');
  const edition = editionOf(json);
  const long = edition === 2019;
  const header = {
    messageId,
    versionFlag: long && json.warning !== 'long_header_without_version_flag',
    protocolVersion: optionalNumber(json, 'protocolVersion', 255) ?? (long ? 1 : 0),
    phoneRaw: phoneRawOf(json, long),
    serial: optionalNumber(json, 'serial', 0xffff) ?? 0,
  };
  const total = optionalNumber(json, 'total', 0xffff) ?? 0;
  const shortSerial = messageId === 0x5501 || messageId === 0x5502;
  const bodyBytes = json.bodyHex === undefined ? undefined : hexOf(json, 'bodyHex');
  if (bodyBytes !== undefined && json.assembled !== true) {
    const index = optionalNumber(json, 'index', 0xffff) ?? 0;
    const encryption = optionalNumber(json, 'encryption', 7) ?? 0;
    if (bodyBytes.length <= 1023)
      return [encodeFrame({ ...header, body: bodyBytes, total, index, encryption, shortSerial })];
  }
  const spec: MessageSpec = {
    ...header,
    edition,
    ...(name === undefined ? {} : { name }),
    ...(bodyBytes === undefined ? { body: json.body ?? {} } : { bodyBytes }),
    maxBodyBytes: optionalNumber(json, 'maxBodyBytes', 1023) ?? 900,
  };
  const { frames } = encodeMessage(spec);
  if (bodyBytes === undefined && name !== undefined) refuseUnknown(name, edition, json.body ?? {});
  return frames;
}

/**
 * What is given must come back from the bytes: a name that the message does not have, or not in this version, would
 * be dropped without a word.
 */
function refuseUnknown(name: MessageName, edition: Edition, given: unknown): void {
  const field = messages[name].body as Field<unknown>;
  const writer = new Writer(edition);
  field.write(writer, given);
  const bytes = writer.done();
  let carried: unknown;
  try {
    carried = field.read(new Reader(bytes, 0, bytes.length, edition));
  } catch (error) {
    // What a field may carry and none would read: nothing to compare with.
    if (error instanceof DecodeError) return;
    throw error;
  }
  const path = unknownIn(given, carried);
  if (path !== undefined) throw new EncodeError(path, `${name} has no such field in version ${edition}`);
}

/** Path of the first property that `carried` does not have. */
function unknownIn(given: unknown, carried: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || typeof carried !== 'object' || carried === null) return undefined;
  if (carried instanceof Uint8Array) return undefined;
  const inside = (key: string, path: string | undefined): string | undefined =>
    path === undefined ? undefined : path.startsWith('[') ? key + path : `${key}.${path}`;
  for (const [key, value] of Object.entries(given)) {
    const at = Array.isArray(given) ? `[${key}]` : key;
    if (!Object.hasOwn(carried, key)) {
      // A list that reads shorter is a matter of its count.
      if (Array.isArray(given)) continue;
      return at;
    }
    const path = inside(at, unknownIn(value, (carried as Json)[key]));
    if (path !== undefined) return path;
  }
  return undefined;
}

function messageNameOf(json: Json): MessageName | undefined {
  if (json.name === undefined) {
    return typeof json.messageId === 'number' ? messageName(json.messageId) : undefined;
  }
  if (typeof json.name !== 'string' || !Object.hasOwn(messages, json.name)) {
    throw new EncodeError('name', `expected the name of a message, found ${JSON.stringify(json.name)}`);
  }
  return json.name as MessageName;
}

/** By `version`, by the width of `phoneRaw`, or 2013. */
function editionOf(json: Json): Edition {
  if (json.version !== undefined) {
    const edition = editions.find((one) => String(one) === String(json.version));
    if (edition === undefined) {
      throw new EncodeError('version', `expected 2011, 2013 or 2019, found ${JSON.stringify(json.version)}`);
    }
    return edition;
  }
  if (typeof json.phoneRaw === 'string' && json.phoneRaw.length === 20) return 2019;
  return json.protocolVersion === undefined ? 2013 : 2019;
}

function phoneRawOf(json: Json, long: boolean): Uint8Array {
  const width = long ? 10 : 6;
  if (json.phoneRaw !== undefined) {
    const raw = hexOf(json, 'phoneRaw');
    if (raw.length !== width) throw new EncodeError('phoneRaw', `expected ${width} bytes, found ${raw.length}`);
    return raw;
  }
  if (typeof json.phone !== 'string') throw new EncodeError('phone', 'expected a phone as text, or phoneRaw');
  try {
    return phoneToRaw(json.phone, width);
  } catch (error) {
    throw error instanceof DecodeError ? new EncodeError('phone', error.message) : error;
  }
}

function hexOf(json: Json, name: string): Uint8Array {
  const value = json[name];
  if (typeof value !== 'string') throw new EncodeError(name, `expected hex, found ${JSON.stringify(value)}`);
  try {
    return fromHex(value);
  } catch (error) {
    throw error instanceof DecodeError ? new EncodeError(name, error.message) : error;
  }
}

function optionalNumber(json: Json, name: string, largest: number): number | undefined {
  const value = json[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > largest) {
    throw new EncodeError(name, `expected a whole number from 0 to ${largest}, found ${JSON.stringify(value)}`);
  }
  return value;
}
