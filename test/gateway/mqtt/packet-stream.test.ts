import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketStream, type UplinkTaker } from '../../../gateway/mqtt/packet-stream.js';

const LIMITS = { packetBytes: 1_000, packetsPerSecond: 1_000, packetBurst: 100_000 };
const TOPIC = 'linecrew/v1/t/13800000001/up';

/** A packet with its remaining length as MQTT 3.1.1, 2.2.3 says it. */
function packet(first: number, body: Buffer): Buffer {
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.concat([Buffer.of(first, ...length), body]);
}
function publish(topic: string, id: number, payload: Buffer, first = 0x32): Buffer {
  const name = Buffer.from(topic);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(name.length);
  const packetId = Buffer.alloc(2);
  packetId.writeUInt16BE(id);
  return packet(first, Buffer.concat([head, name, ...((first & 6) === 0 ? [] : [packetId]), payload]));
}

class Taken implements UplinkTaker {
  readonly topic = Buffer.from(TOPIC);
  readonly all: [id: number, payload: string][] = [];
  take(bytes: Uint8Array, start: number, end: number, packetId: number): void {
    this.all.push([packetId, Buffer.from(bytes.subarray(start, end)).toString('hex')]);
  }
}

interface Sent {
  bytes: Buffer;
  uplink?: [id: number, payload: string];
}
const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const id = fc.integer({ min: 1, max: 65_535 });
const sent: fc.Arbitrary<Sent> = fc.oneof(
  fc.record({ id, payload, first: fc.constantFrom(0x32, 0x3a, 0x33, 0x3b) }).map(({ id: one, payload: what, first }) => ({
    bytes: publish(TOPIC, one, what, first),
    uplink: [one, what.toString('hex')] as [number, string],
  })),
  // For the broker: other QoS, other topics of the same and of another length, packet id 0, pings, acknowledgements.
  fc.record({ id, payload, first: fc.constantFrom(0x30, 0x34) }).map((one) => ({ bytes: publish(TOPIC, one.id, one.payload, one.first) })),
  fc.record({ id, payload, topic: fc.constantFrom(TOPIC.replace('1/up', '2/up'), 'linecrew/v1/t/13800000001/online', 'x') })
    .map((one) => ({ bytes: publish(one.topic, one.id, one.payload) })),
  payload.map((what) => ({ bytes: publish(TOPIC, 0, what) })),
  fc.constantFrom(Buffer.of(0xc0, 0), Buffer.of(0x40, 2, 0, 7), packet(0x32, Buffer.alloc(1))).map((bytes) => ({ bytes })),
); // prettier-ignore

/** Cuts a stream where the network might. */
function pieces(bytes: Buffer, cuts: number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length]
    .map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], end))
    .filter((one) => one.length > 0);
}

describe('the packets of a connection', () => {
  it('uplinks are taken out whole and in order, and the broker gets the rest as it came, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 12 }), fc.array(fc.nat(5_000), { maxLength: 12 }), (packets, cuts) => {
        const stream = new PacketStream(LIMITS, 0);
        const taken = new Taken();
        const passed: Buffer[] = [];
        for (const piece of pieces(Buffer.concat(packets.map(({ bytes }) => bytes)), cuts)) {
          passed.push(stream.take(piece, 0, taken, Infinity) ?? Buffer.alloc(0));
        }
        expect(stream.refusal).toBeUndefined();
        expect(taken.all).toEqual(packets.flatMap(({ uplink }) => (uplink ? [uplink] : [])));
        const rest = packets.filter(({ uplink }) => !uplink).map(({ bytes }) => bytes);
        expect(Buffer.concat(passed).toString('hex')).toBe(Buffer.concat(rest).toString('hex'));
      }),
      { numRuns: 500 },
    );
  });

  it('before the login everything is the broker’s', () => {
    const stream = new PacketStream(LIMITS, 0);
    const bytes = publish(TOPIC, 1, Buffer.from('x'));
    expect(stream.take(bytes, 0, undefined, Infinity)).toEqual(bytes);
  });

  it('the broker sees a packet as often as it must to know that the client lives', () => {
    const stream = new PacketStream(LIMITS, 0);
    const taken = new Taken();
    const bytes = publish(TOPIC, 1, Buffer.from('x'));
    const passed = [0, 400, 500, 900, 1_000].map((now) => stream.take(bytes, now, taken, 500) !== null);
    expect(passed).toEqual([false, false, true, false, true]);
    expect(taken.all).toHaveLength(3);
  });

  it('any bytes are taken, passed or refused, and no more than one packet is kept back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
        const stream = new PacketStream(LIMITS, 0);
        const taken = new Taken();
        let into = 0;
        let out = 0;
        for (const chunk of chunks) {
          into += chunk.length;
          out += stream.take(Buffer.from(chunk), 0, taken, Infinity)?.length ?? 0;
          if (stream.refusal) return;
        }
        expect(out).toBeLessThanOrEqual(into);
        if (taken.all.length === 0) expect(into - out).toBeLessThanOrEqual(LIMITS.packetBytes + 5);
      }),
    );
  });

  it.each([
    ['packetTooLong', Buffer.of(0x32, 0xe9, 0x07)],
    ['badLength', Buffer.of(0x32, 0xff, 0xff, 0xff, 0xff)],
  ] as const)('%s is said before the packet is there', (refusal, bytes) => {
    const stream = new PacketStream(LIMITS, 0);
    for (const byte of bytes) expect(stream.take(Buffer.of(byte), 0, new Taken(), Infinity)).toBeNull();
    expect(stream.refusal).toBe(refusal);
  });

  it('packets are counted, lifted or not, and time fills the bucket again', () => {
    const stream = new PacketStream({ ...LIMITS, packetsPerSecond: 10, packetBurst: 20 }, 0);
    const ten = Buffer.concat(Array.from({ length: 10 }, (_, i) => publish(TOPIC, i + 1, Buffer.from('x'))));
    const taken = new Taken();
    for (const now of [0, 0, 1_000]) stream.take(ten, now, taken, Infinity);
    expect([taken.all.length, stream.refusal]).toEqual([30, undefined]);
    stream.take(ten, 1_000, taken, Infinity);
    expect([taken.all.length, stream.refusal]).toEqual([30, 'tooManyPackets']);
  });
});
