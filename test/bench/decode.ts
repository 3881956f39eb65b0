/**
 * Row 1 of the performance goals: decoding 0x0200, ours against the ordinary style, in one run. Also prints what one
 * answer costs in the joined buffer. Run: `npx tsx test/bench/decode.ts [--json]`.
 */
import { fileURLToPath } from 'node:url';
import { AckWriter, encodeFrame, FrameSplitter, Location, phoneToRaw, readLocation } from '../../protocol/index.js';
import { decodeOrdinary } from './ordinary-decoder.js';

const framesPerChunk = 100;
const chunks = 40;
const rounds = 7;
const roundMs = 250;

/** 55-byte frames of one terminal after the other: moving, counting, some of them with escaped bytes. */
function makeChunks(): Buffer[] {
  const made: Buffer[] = [];
  let n = 0;
  for (let i = 0; i < chunks; i++) {
    const frames: Uint8Array[] = [];
    for (let j = 0; j < framesPerChunk; j++, n++) {
      const body = Buffer.alloc(40);
      body.writeUInt32BE(0x000c0003, 4);
      body.writeUInt32BE(29_916_797 + n * 7, 8);
      body.writeUInt32BE(121_477_648 + n * 5, 12);
      body.writeUInt16BE(38, 16);
      body.writeUInt16BE(n % 900, 18);
      body.writeUInt16BE(n % 360, 20);
      body.write(`2603140930${String(n % 60).padStart(2, '0')}`, 22, 'hex');
      body.write('0104', 28, 'hex');
      body.writeUInt32BE(123_456 + n, 30);
      body.write('30011831010b', 34, 'hex');
      const phoneRaw = phoneToRaw(String(13_900_000_000 + i), 6);
      frames.push(
        encodeFrame({ messageId: 0x0200, versionFlag: false, protocolVersion: 0, phoneRaw, serial: j, body }),
      );
    }
    made.push(Buffer.concat(frames));
  }
  return made;
}

/** Frames per second of `work`, which decodes all chunks once and gives back a sum that must be the same for both. */
function measure(work: () => number): { perSecond: number; sum: number } {
  // Processor time, not the clock: what else runs on the machine must not count.
  const start = process.cpuUsage();
  let passes = 0;
  let sum = 0;
  let elapsedMs = 0;
  do {
    sum = work();
    passes += 1;
    const used = process.cpuUsage(start);
    elapsedMs = (used.user + used.system) / 1000;
  } while (elapsedMs < roundMs);
  return { perSecond: (passes * chunks * framesPerChunk * 1000) / elapsedMs, sum };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

export interface DecodeBenchmark {
  oursPerSecond: number;
  ordinaryPerSecond: number;
  /** Row 1; the goal is 8 or more. */
  ratio: number;
  oursNs: number;
  ackNs: number;
}

/** Alternates both decoders, `rounds` times each after one warm-up round, and takes the medians. */
export function benchDecode(): DecodeBenchmark {
  const data = makeChunks();
  const location = new Location();
  const splitters = data.map(() => new FrameSplitter());
  let sum = 0;
  const sink = {
    frame(frame: Parameters<Parameters<FrameSplitter['push']>[1]['frame']>[0]) {
      if (!readLocation(frame.bytes, frame.bodyStart, frame.bodyEnd, location)) return;
      sum += location.latE6 + location.mileageDeciKm + frame.phone.length + (location.deviceAt % 1000) + frame.serial;
    },
    refused(error: Error) {
      throw error;
    },
  };
  const ours = (): number => {
    sum = 0;
    data.forEach((chunk, i) => splitters[i]!.push(chunk, sink));
    return sum;
  };
  const ordinary = (): number => {
    let total = 0;
    for (const chunk of data) {
      decodeOrdinary(chunk, ({ header, body }) => {
        const mileage = body.items.find(({ id }) => id === 1)!.value;
        total += Math.round(body.latitude.value * 1e6) + mileage + header.phone.length + header.serial;
        total += body.time.value.getTime() % 1000;
      });
    }
    return total;
  };
  const acks = new AckWriter();
  const identity = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('13900000017', 6) };
  const answer = (): number => {
    for (let i = 0; i < chunks; i++) {
      for (let j = 0; j < framesPerChunk; j++) acks.append(identity, j, 0x0200, j, 0);
      acks.take();
    }
    return 0;
  };
  measure(ours);
  measure(ordinary);
  measure(answer);
  const speeds = { ours: [] as number[], ordinary: [] as number[], answer: [] as number[] };
  for (let i = 0; i < rounds; i++) {
    const a = measure(ours);
    const b = measure(ordinary);
    if (a.sum !== b.sum) throw new Error(`the decoders disagree: ${a.sum} and ${b.sum}`);
    speeds.ours.push(a.perSecond);
    speeds.ordinary.push(b.perSecond);
    speeds.answer.push(measure(answer).perSecond);
  }
  const oursPerSecond = median(speeds.ours);
  const ordinaryPerSecond = median(speeds.ordinary);
  return {
    oursPerSecond,
    ordinaryPerSecond,
    ratio: oursPerSecond / ordinaryPerSecond,
    oursNs: 1e9 / oursPerSecond,
    ackNs: 1e9 / median(speeds.answer),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = benchDecode();
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else {
    console.log(`row 1  0x0200 decode, ours / ordinary style: ${result.ratio.toFixed(1)} (goal 8 or more)`);
    console.log(`       ours ${result.oursNs.toFixed(0)} ns a frame, one answer ${result.ackNs.toFixed(0)} ns`);
  }
}
