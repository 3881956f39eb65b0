import { toHex } from '../bytes/hex.js';
import { DecodeError, type DecodeErrorCode } from '../errors.js';
import { decodeBody } from './codec.js';
import { describeLocation, locationRanges, type DescribedLocation } from './describe-location.js';
import { detectEdition, isBcd, type Edition } from './edition.js';
import type { Frame, FrameWarning } from './frame.js';
import { framingNamed, type FramingName } from './framing.js';
import { toJson } from './to-json.js';
import { readParameter, type ParameterReading } from './parameters.js';
import { Reassembler } from './reassembly.js';
import { FrameSplitter, type SplitterOptions } from './splitter.js';
import { commonDialect } from './vendors/dialects.js';
import type { Dialect, VendorAttributes } from './vendors/dialect.js';

/** What was read of one frame, in the words of docs/decode-format.md. */
export interface DescribedMessage {
  messageId: number;
  name?: string;
  phone: string;
  phoneRaw: string;
  imei?: string;
  serial: number;
  version?: '2011' | '2013' | '2019';
  protocolVersion?: number;
  total?: number;
  index?: number;
  encryption?: number;
  warning?: FrameWarning;
  bodyHex: string;
  locations?: DescribedLocation[];
  vendorLocations?: DescribedLocation[];
  attributes?: VendorAttributes;
  parameters?: ParameterReading[];
  body?: unknown;
  trailing?: string;
  bodyError?: { error: DecodeErrorCode; offset: number; detail: string };
  /** Set on the message that was joined from its parts; `serial` is then that of part 1. */
  assembled?: true;
}

/** A piece that is no frame. */
export interface DescribedError {
  error: DecodeErrorCode;
  /** From the first byte of the stream. */
  offset: number;
  length: number;
  /** The first bytes of the piece. */
  hex: string;
}

/** A bracketed ASCII sentence. */
export interface DescribedSentence {
  text: string;
}

export type Described = DescribedMessage | DescribedError | DescribedSentence;

export interface DescribeOptions extends Omit<SplitterOptions, 'framing'> {
  /** Flags and escapes; `auto`, the default: as the first byte of the stream tells. */
  readonly framing?: FramingName | 'auto';
  /** Edition of frames with a short header; default: by the frame, otherwise 2013. */
  readonly edition?: Edition;
  /** How vendor items are read. Default: the common dialect. */
  readonly dialect?: Dialect;
}

/** Everything that is in `bytes`, in stream order; whole sub-packaged messages follow their last part. */
export function describeStream(bytes: Uint8Array, options: DescribeOptions = {}): Described[] {
  const stream = new StreamDescriber(options);
  return [...stream.push(bytes), ...stream.end()];
}

/** {@link describeStream} of a stream that comes bit by bit. */
export class StreamDescriber {
  readonly #options: DescribeOptions;
  readonly #reassembler = new Reassembler();
  #splitter: FrameSplitter | undefined;

  constructor(options: DescribeOptions = {}) {
    this.#options = options;
  }

  /** Bytes so far. */
  get totalBytes(): number {
    return this.#splitter?.totalBytes ?? 0;
  }

  /** What the next bytes complete. */
  push(bytes: Uint8Array): Described[] {
    if (bytes.length === 0) return [];
    const found: Described[] = [];
    this.#splitter ??= this.#begin(bytes);
    this.#splitter.push(bytes, {
      frame: (frame) => this.#frame(frame, found),
      refused(error) {
        found.push({ error: error.code, offset: error.offset, length: error.length, hex: toHex(error.bytes) });
      },
      sentence(text) {
        found.push({ text });
      },
    });
    return found;
  }

  /** What is left when nothing more comes. */
  end(): Described[] {
    const left = this.#splitter?.pendingCopy() ?? new Uint8Array(0);
    if (left.length === 0) return [];
    const offset = this.totalBytes - left.length;
    return [{ error: 'unterminated', offset, length: left.length, hex: toHex(left, 0, Math.min(256, left.length)) }];
  }

  #begin(bytes: Uint8Array): FrameSplitter {
    const framing = framingNamed(this.#options.framing ?? 'auto', bytes).name;
    return new FrameSplitter({ shortSerial: true, sentences: true, ...this.#options, framing });
  }

  #frame(frame: Frame, found: Described[]): void {
    found.push(describeFrame(frame, this.#options));
    if (frame.total === 0) return;
    const part = this.#reassembler.add(frame, 0);
    if (part.state !== 'complete') return;
    const { body, firstSerial } = part.message;
    found.push(describeMessage(frame, body, { ...this.#options, assembled: { serial: firstSerial } }));
  }
}

/** One frame. A part of a sub-packaged message is described by its header only, except for what part 1 shows. */
export function describeFrame(frame: Frame, options: DescribeOptions = {}): DescribedMessage {
  return describeMessage(frame, frame.body, options);
}

function describeMessage(
  frame: Frame,
  body: Uint8Array,
  options: DescribeOptions & { assembled?: { serial: number } },
): DescribedMessage {
  const long = frame.phoneEnd - frame.phoneStart === 10;
  const edition = detectEdition(frame, options.edition);
  const phoneRaw = frame.phoneRaw;
  const imei = binaryImei(phoneRaw);
  const isPart = frame.total > 0 && options.assembled === undefined;
  return {
    messageId: frame.messageId,
    phone: frame.phone,
    phoneRaw: toHex(phoneRaw),
    ...(imei === undefined ? {} : { imei }),
    serial: options.assembled?.serial ?? frame.serial,
    ...version(frame, edition, options.edition),
    ...(long ? { protocolVersion: frame.protocolVersion } : {}),
    ...(frame.total > 0 ? { total: frame.total } : {}),
    ...(isPart ? { index: frame.index } : {}),
    ...(options.assembled === undefined ? {} : { assembled: true as const }),
    ...(frame.encryption === 0 ? {} : { encryption: frame.encryption }),
    ...(frame.warning === undefined ? {} : { warning: frame.warning }),
    bodyHex: toHex(body),
    ...(frame.encryption === 0 ? describeBody(frame, body, edition, isPart, options.dialect ?? commonDialect) : {}),
  };
}

/** 2019 by the header; 2011 and 2013 only where a registration shows it or the caller knows. */
function version(frame: Frame, edition: Edition, known: Edition | undefined): Pick<DescribedMessage, 'version'> {
  const long = frame.phoneEnd - frame.phoneStart === 10;
  if (long || known !== undefined || frame.messageId === 0x0100) return { version: `${edition}` };
  return {};
}

type BodyParts = Partial<DescribedMessage>;

function describeBody(frame: Frame, body: Uint8Array, edition: Edition, isPart: boolean, dialect: Dialect): BodyParts {
  // Only part 1 of a media upload starts with its head; what else the parts hold makes sense when they are joined.
  if (isPart && !(frame.messageId === 0x0801 && frame.index === 1)) return {};
  const ranges = locationRanges(frame.messageId, body, 0, body.length, edition);
  const locations = ranges.map(([start, end]) => describeLocation(body, start, end, edition));
  const whole = locations.filter((one) => one !== undefined);
  const vendor = dialect.describe(frame, body, ranges, edition);
  const parts: BodyParts = {
    ...(whole.length > 0 ? { locations: whole } : {}),
    ...vendor,
  };
  return { ...parts, ...declaredParts(frame.messageId, edition, body) };
}

function declaredParts(messageId: number, edition: Edition, body: Uint8Array): BodyParts {
  try {
    const decoded = decodeBody(messageId, edition, body);
    if (decoded === undefined) return {};
    return {
      name: decoded.name,
      ...(decoded.name === 'mediaData' && decoded.body.location !== undefined
        ? { locations: [describeLocation(body, 8, 36, edition)!] }
        : {}),
      ...(decoded.name === 'parameters' || decoded.name === 'setParameters'
        ? { parameters: decoded.body.parameters.map(({ id, value }) => readParameter(id, value)) }
        : {}),
      body: toJson(decoded.body),
      ...(decoded.trailing === undefined ? {} : { trailing: toHex(decoded.trailing) }),
    };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { bodyError: { error: error.code, offset: error.offset, detail: error.message } };
  }
}

/**
 * The IMEI in an identity that is not BCD: its first 14 digits as a 48-bit number, the 15th computed (reference 1.5).
 * Undefined when the identity is BCD or the number has not 14 digits.
 */
export function binaryImei(phoneRaw: Uint8Array): string | undefined {
  if (phoneRaw.length !== 6 || isBcd(phoneRaw, 0, 6)) return undefined;
  const digits = String(phoneRaw.reduce((sum, byte) => sum * 256 + byte, 0));
  if (digits.length !== 14) return undefined;
  let sum = 0;
  for (let i = 0; i < 14; i++) {
    const digit = Number(digits[i]) * (i % 2 === 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return digits + String((10 - (sum % 10)) % 10);
}
