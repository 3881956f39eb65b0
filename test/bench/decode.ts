/**
 * Row 1 of the benchmark: reading one 0x0200 with extras in place, beside the ordinary way (a Buffer slice, an object
 * and a string for everything). Both start from the unescaped frame and make the same values.
 */
import { Frame, FrameSplitter, Location, parseFrame, readLocation } from '../../protocol/index.js';
import { locationFrame } from './ingest-load.js';

export interface DecodeFigures {
  oursPerS: number;
  ordinaryPerS: number;
  oursUsPerFrame: number;
}

const variants = 512;

function contents(): Buffer[] {
  const found: Buffer[] = [];
  const splitter = new FrameSplitter();
  for (let i = 0; i < variants; i++) {
    splitter.push(locationFrame(i, i, Date.UTC(2026, 10, 21, 3, i % 60, i % 60)), {
      frame: (frame) => void found.push(Buffer.from(frame.copyContent())),
      refused: (error) => {
        throw error;
      },
    });
  }
  return found;
}

/** As a handler in an ordinary server does it. */
function ordinary(content: Buffer) {
  const attributes = content.readUInt16BE(2);
  const body = content.subarray(12, 12 + (attributes & 0x3ff));
  const [year, month, day, hour, minute, second] = body.subarray(22, 28).toString('hex').match(/../g)!.map(Number) as [
    number, number, number, number, number, number,
  ]; // prettier-ignore
  const status = body.readUInt32BE(4);
  const extras: { id: number; value: Buffer }[] = [];
  for (let at = 28; at + 2 <= body.length;) {
    const length = body.readUInt8(at + 1);
    extras.push({ id: body.readUInt8(at), value: body.subarray(at + 2, at + 2 + length) });
    at += 2 + length;
  }
  return {
    messageId: content.readUInt16BE(0),
    attributes,
    phone: content.subarray(4, 10).toString('hex').replace(/^0+/, ''),
    serial: content.readUInt16BE(10),
    alarm: body.readUInt32BE(0),
    status,
    lat: (body.readUInt32BE(8) / 1e6) * (status & 4 ? -1 : 1),
    lon: (body.readUInt32BE(12) / 1e6) * (status & 8 ? -1 : 1),
    altitude: body.readInt16BE(16),
    speed: body.readUInt16BE(18) / 10,
    direction: body.readUInt16BE(20),
    time: new Date(Date.UTC(2000 + year, month - 1, day, hour - 8, minute, second)),
    extras,
    mileage: extras.find(({ id }) => id === 1)?.value.readUInt32BE(0),
  };
}

/** Frames a second of `decode`, over `forMs`. */
function rate(frames: readonly Buffer[], decode: (content: Buffer) => number, forMs: number): number {
  let done = 0;
  let sum = 0;
  const startedAt = performance.now();
  let endedAt = startedAt;
  while (endedAt - startedAt < forMs) {
    for (const frame of frames) sum += decode(frame);
    done += frames.length;
    endedAt = performance.now();
  }
  if (sum === 0) throw new Error('nothing was decoded');
  return (done / (endedAt - startedAt)) * 1000;
}

export function measureDecode(rounds: number, forMs = 400): DecodeFigures {
  const frames = contents();
  const frame = new Frame();
  const location = new Location();
  const ours = (content: Buffer): number => {
    parseFrame(content, 0, content.length, frame);
    readLocation(content, frame.bodyStart, frame.bodyEnd, location);
    return location.latE6 + location.deviceAt + location.mileageDeciKm;
  };
  const theirs = (content: Buffer): number => {
    const { lat, time, mileage } = ordinary(content);
    return lat + time.getTime() + mileage!;
  };
  rate(frames, ours, forMs);
  rate(frames, theirs, forMs);
  const oursRates: number[] = [];
  const ordinaryRates: number[] = [];
  for (let i = 0; i < rounds; i++) {
    oursRates.push(rate(frames, ours, forMs));
    ordinaryRates.push(rate(frames, theirs, forMs));
  }
  const oursPerS = median(oursRates);
  return { oursPerS, ordinaryPerS: median(ordinaryRates), oursUsPerFrame: 1e6 / oursPerS };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
