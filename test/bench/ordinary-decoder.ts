/**
 * A decoder as most are written: buffer slices, an object for every field, strings and dates at once. It is the measure
 * for row 1 of the performance goals; it does the same checks and reads the same values as ours.
 */

interface OrdinaryItem {
  id: number;
  length: number;
  data: Buffer;
  value: number;
}

export interface OrdinaryLocation {
  header: {
    messageId: number;
    properties: { bodyLength: number; encryption: number; subPackage: boolean; version2019: boolean };
    phone: string;
    serial: number;
  };
  body: {
    alarm: { raw: Buffer; value: number };
    status: { raw: Buffer; value: number };
    latitude: { raw: Buffer; value: number };
    longitude: { raw: Buffer; value: number };
    altitude: { raw: Buffer; value: number };
    speed: { raw: Buffer; value: number };
    direction: { raw: Buffer; value: number };
    time: { raw: Buffer; value: Date };
    items: OrdinaryItem[];
  };
}

function unescapeFrame(frame: Buffer): Buffer {
  if (!frame.includes(0x7d)) return frame;
  const bytes: number[] = [];
  for (let i = 0; i < frame.length; i++) {
    if (frame[i] === 0x7d && frame[i + 1] === 0x01) {
      bytes.push(0x7d);
      i++;
    } else if (frame[i] === 0x7d && frame[i + 1] === 0x02) {
      bytes.push(0x7e);
      i++;
    } else bytes.push(frame[i]!);
  }
  return Buffer.from(bytes);
}

function readTime(raw: Buffer): Date {
  const text = raw.toString('hex');
  const part = (at: number): number => parseInt(text.slice(at, at + 2), 10);
  return new Date(Date.UTC(2000 + part(0), part(2) - 1, part(4), part(6) - 8, part(8), part(10)));
}

function field(body: Buffer, start: number, length: 2 | 4): { raw: Buffer; value: number } {
  const raw = body.subarray(start, start + length);
  return { raw, value: length === 4 ? raw.readUInt32BE(0) : raw.readUInt16BE(0) };
}

function decodeLocation(content: Buffer): OrdinaryLocation {
  const attributes = content.readUInt16BE(2);
  const body = content.subarray(12, content.length - 1);
  const items: OrdinaryItem[] = [];
  for (let at = 28; at + 2 <= body.length;) {
    const length = body[at + 1]!;
    const data = body.subarray(at + 2, at + 2 + length);
    const value = length === 4 ? data.readUInt32BE(0) : length === 2 ? data.readUInt16BE(0) : data[0]!;
    items.push({ id: body[at]!, length, data, value });
    at += 2 + length;
  }
  const status = field(body, 4, 4);
  const latitude = field(body, 8, 4);
  const longitude = field(body, 12, 4);
  const altitude = field(body, 16, 2);
  return {
    header: {
      messageId: content.readUInt16BE(0),
      properties: {
        bodyLength: attributes & 0x3ff,
        encryption: (attributes >> 10) & 7,
        subPackage: (attributes & 0x2000) !== 0,
        version2019: (attributes & 0x4000) !== 0,
      },
      phone: content.subarray(4, 10).toString('hex').replace(/^0+/, ''),
      serial: content.readUInt16BE(10),
    },
    body: {
      alarm: field(body, 0, 4),
      status,
      latitude: { raw: latitude.raw, value: (status.value & 4 ? -latitude.value : latitude.value) / 1e6 },
      longitude: { raw: longitude.raw, value: (status.value & 8 ? -longitude.value : longitude.value) / 1e6 },
      altitude: { raw: altitude.raw, value: (altitude.value << 16) >> 16 },
      speed: field(body, 18, 2),
      direction: field(body, 20, 2),
      time: { raw: body.subarray(22, 28), value: readTime(body.subarray(22, 28)) },
      items,
    },
  };
}

/** Every location in a chunk of whole frames. */
export function decodeOrdinary(chunk: Buffer, each: (location: OrdinaryLocation) => void): void {
  let start = chunk.indexOf(0x7e);
  while (start >= 0) {
    const end = chunk.indexOf(0x7e, start + 1);
    if (end < 0) return;
    const content = unescapeFrame(chunk.subarray(start + 1, end));
    let xor = 0;
    for (const byte of content) xor ^= byte;
    if (xor === 0 && content.length >= 13) {
      each(decodeLocation(content));
      start = chunk.indexOf(0x7e, end + 1);
    } else start = end;
  }
}
