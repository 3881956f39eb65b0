/**
 * Mutates frames and feeds them to every decoder of protocol/. Each input must be read or refused with a DecodeError,
 * within a time that a hang would exceed; anything else is a finding. Deterministic from its seed.
 */
import {
  DecodeError,
  decodeBody,
  decodeDownlink,
  decodeUplink,
  describeStream,
  editions,
  explainFrame,
  FrameSplitter,
  Location,
  messages,
  parseFrame,
  readBatch,
  readLocation,
  toHex,
} from '../protocol/index.js';

/** xorshift32: the same numbers from the same seed everywhere. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

const interesting = [0x00, 0x01, 0x02, 0x7d, 0x7e, 0x7f, 0x80, 0x28, 0x29, 0xff];

/** One to eight changes: a byte, a cut, a doubled piece, a piece of another frame, bytes put in. */
export function mutate(frames: readonly Uint8Array[], random: (below: number) => number): Uint8Array {
  let bytes = [...frames[random(frames.length)]!];
  for (let i = random(8); i >= 0; i--) {
    const at = random(bytes.length + 1);
    switch (random(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = random(256);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = interesting[random(interesting.length)]!;
        break;
      case 2:
        bytes.splice(at, random(12));
        break;
      case 3:
        bytes.splice(at, 0, ...bytes.slice(at, at + random(24)));
        break;
      case 4: {
        const other = frames[random(frames.length)]!;
        const from = random(other.length);
        bytes.splice(at, 0, ...other.subarray(from, from + random(40)));
        break;
      }
      default:
        bytes = repair(bytes);
    }
  }
  return Uint8Array.from(random(3) === 0 ? bytes : repair(bytes));
}

/** The checksum of the bytes between the first and the last flag made right, so that more than framing is reached. */
function repair(bytes: number[]): number[] {
  const open = bytes.indexOf(0x7e);
  const close = bytes.lastIndexOf(0x7e);
  if (open < 0 || close - open < 14) return bytes;
  const plain: number[] = [];
  for (let i = open + 1; i < close; i++) {
    const next = bytes[i + 1];
    if (bytes[i] === 0x7d && (next === 1 || next === 2) && i + 1 < close) {
      plain.push(next === 1 ? 0x7d : 0x7e);
      i++;
    } else plain.push(bytes[i]!);
  }
  plain[plain.length - 1] = plain.slice(0, -1).reduce((xor, byte) => xor ^ byte, 0);
  const wire = plain.flatMap((byte) => (byte === 0x7d ? [0x7d, 1] : byte === 0x7e ? [0x7d, 2] : [byte]));
  return [0x7e, ...wire, 0x7e];
}

const ids = Object.values(messages).map(({ id }) => id);
const location = new Location();

/** Feeds one input to all decoders. @throws whatever is not a DecodeError */
export function feed(bytes: Uint8Array, random: (below: number) => number): { frames: number; refused: number } {
  const counts = { frames: 0, refused: 0 };
  const edition = editions[random(editions.length)]!;
  const splitter = new FrameSplitter({ sentences: random(2) === 0, shortSerial: random(2) === 0 });
  const cut = random(bytes.length + 1);
  for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
    splitter.push(part, {
      frame(frame) {
        counts.frames += 1;
        readLocation(frame.bytes, frame.bodyStart, frame.bodyEnd, location);
        readBatch(frame.bytes, frame.bodyStart, frame.bodyEnd, location, () => undefined);
        parseFrame(frame.copyContent());
      },
      refused: () => (counts.refused += 1),
    });
  }
  const rows = explainFrame(bytes, edition);
  const covered = rows.reduce((sum, { length }) => sum + length, 0);
  if (covered !== bytes.length) throw new Error(`explained ${covered} of ${bytes.length} bytes`);
  describeStream(bytes, { edition, framing: random(4) === 0 ? 'e7' : 'standard' });
  const body = bytes.subarray(random(20), bytes.length - random(4));
  for (const decode of [
    () => decodeBody(ids[random(ids.length)]!, edition, body),
    () => decodeUplink(body),
    () => decodeDownlink(body),
  ]) {
    try {
      decode();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  return counts;
}

export interface FuzzResult {
  inputs: number;
  frames: number;
  refused: number;
  /** Processor time of the slowest input: what else runs on the machine must not look like a hang. */
  slowestCpuMs: number;
}

/** Inputs until `enough` says so. @throws Error that names seed, input number and bytes of a finding */
export function fuzz(frames: readonly Uint8Array[], seed: number, enough: (inputs: number) => boolean): FuzzResult {
  const random = randomFrom(seed);
  const result: FuzzResult = { inputs: 0, frames: 0, refused: 0, slowestCpuMs: 0 };
  while (!enough(result.inputs)) {
    const bytes = mutate(frames, random);
    const start = process.cpuUsage();
    try {
      const counts = feed(bytes, random);
      result.frames += counts.frames;
      result.refused += counts.refused;
    } catch (error) {
      const where = `seed ${seed}, input ${result.inputs}, bytes ${toHex(bytes)}`;
      throw new Error(`${error instanceof Error ? error.stack : String(error)}\n${where}`);
    }
    const { user, system } = process.cpuUsage(start);
    result.slowestCpuMs = Math.max(result.slowestCpuMs, (user + system) / 1000);
    result.inputs += 1;
  }
  return result;
}
