/** Dedicated replies as plain values: what dispatch keeps as the answer to a command, without knowing the wire. */
import {
  Location,
  locationStart,
  parameterOf,
  readLocation,
  readParameter,
  timeToMs,
  toJson,
  type Hello,
  type Message,
  type MqttPosition,
  type Uplink,
} from '../../protocol/index.js';

export interface ReplyFields {
  name: string;
  fields: Record<string, unknown>;
  quotedSerial?: number;
  deviceAt?: number;
  /** How coarse `deviceAt` is, ms. */
  deviceStepMs?: number;
}

/** An answer is kept in the vehicle's outbox: a list beyond this is cut, and says so. */
const listMax = 300;
/** Characters of one text or of bytes as hex. */
const textMax = 2_000;

/** The reply that a decoded message is, or undefined when it answers no command. */
export function replyOf(message: Message): ReplyFields | undefined {
  switch (message.name) {
    case 'parameters': {
      const { replySerial, parameters } = message.body;
      const read = parameters.slice(0, listMax).map(({ id, value }) => {
        const { name = hexId(id), value: reading, unit } = readParameter(id, value);
        return [name, unit === undefined ? reading : { value: reading, unit }] as const;
      });
      return reply(message.name, { parameters: grouped(read), ...cutNote(parameters.length) }, replySerial);
    }
    case 'attributes':
    case 'driverIdentity':
      return reply(message.name, { ...message.body });
    case 'shootAnswer':
    case 'recorderData': {
      const { replySerial, ...fields } = message.body;
      return reply(message.name, fields, replySerial);
    }
    case 'mediaSearchAnswer': {
      const { replySerial, total, items } = message.body;
      const found = items.slice(0, listMax).map(({ location, ...item }) => ({
        ...item,
        lat: signed(location.latitudeE6, location.status, 4),
        lon: signed(location.longitudeE6, location.status, 8),
        takenAt: momentOf(location.time),
      }));
      return reply(message.name, { total, items: found, ...cutNote(items.length) }, replySerial);
    }
    case 'areasAnswer':
    case 'upgradeResult':
      return reply(message.name, { ...message.body });
    default:
      return undefined;
  }
}

const scratch = new Location();

/** 0x0201 and 0x0500 hold a location: where and when. */
export function locationReply(
  messageId: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): ReplyFields | undefined {
  const at = locationStart(messageId, bytes, start, end);
  if (messageId === 0x0200 || at < 0 || !readLocation(bytes, at, end, scratch)) return undefined;
  const { latE6, lonE6, altitudeM, speedDeciKmh, headingDeg, alarm, status, deviceAt } = scratch;
  const place = { lat: latE6 / 1e6, lon: lonE6 / 1e6, altitudeM, speedKmh: speedDeciKmh / 10, headingDeg };
  const name = messageId === 0x0500 ? 'controlAnswer' : 'locationAnswer';
  const fields = { ...place, fix: (status & 2) !== 0, alarm, status };
  const quoted = at > start ? { quotedSerial: (bytes[start]! << 8) | bytes[start + 1]! } : {};
  return Number.isNaN(deviceAt)
    ? { name, fields, ...quoted }
    : { name, fields: { ...fields, deviceAt }, deviceAt, ...quoted };
}

/** The position that answers a request over terminal.proto; `deviceAt` is when it was said, by the terminal's clock. */
export function appPositionReply({ sentAtMs }: Uplink, position: MqttPosition | undefined): ReplyFields | undefined {
  if (position === undefined) return undefined;
  const { lat, lon, altitudeM, speedKmh, headingDeg, alarm, status, atMs } = position;
  const place = { lat, lon, altitudeM, speedKmh, headingDeg };
  const fields = { ...place, fix: (status & 2) !== 0, alarm, status, ...(atMs > 0 ? { deviceAt: atMs } : {}) };
  const said = sentAtMs > 0 ? { deviceAt: sentAtMs, deviceStepMs: 1 } : {};
  return { name: 'locationAnswer', fields, ...said };
}

/** What an app says of itself when it is asked. */
export function appDescriptionReply({ kind: _kind, deliveryId: _id, ...fields }: Hello): ReplyFields {
  return reply('attributes', fields);
}

function reply(name: string, fields: object, quotedSerial?: number): ReplyFields {
  const plain = shorter(toJson(fields)) as Record<string, unknown>;
  return quotedSerial === undefined ? { name, fields: plain } : { name, fields: plain, quotedSerial };
}

/** A parameter that came several times has a list of values (reference 5.1). */
function grouped(pairs: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const all = new Map<string, unknown[]>();
  for (const [name, value] of pairs) all.set(name, [...(all.get(name) ?? []), value]);
  return Object.fromEntries([...all].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}

function hexId(id: number): string {
  return parameterOf(id)?.name ?? `0x${id.toString(16).padStart(4, '0')}`;
}

const cutNote = (length: number): { cutFrom?: number } => (length > listMax ? { cutFrom: length } : {});

function shorter(value: unknown): unknown {
  if (typeof value === 'string') return value.length > textMax ? `${value.slice(0, textMax)}…` : value;
  if (Array.isArray(value)) return value.map(shorter);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shorter(one)]));
}

function signed(degreesE6: number, status: number, bit: number): number {
  return ((status & bit) === 0 ? degreesE6 : -degreesE6) / 1e6;
}

function momentOf(digits: string): number | undefined {
  const at = timeToMs(digits);
  return Number.isNaN(at) ? undefined : at;
}
