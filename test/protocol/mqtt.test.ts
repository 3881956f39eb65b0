import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DecodeError,
  decodeDownlink,
  decodeUplink,
  encodeDownlink,
  encodeUplink,
  limits,
  passthroughType,
  toHex,
  unwrapPassthrough,
  wrapPassthrough,
  isPassthrough,
  type Downlink,
  type DownlinkBody,
  type Uplink,
  type UplinkBody,
} from '../../protocol/index.js';
import { bytesOf } from './arbitraries.js';

const at = 1_773_451_845_123;
const leg = { orderId: '20260314-0012', leg: 2 };

const uplinks: UplinkBody[] = [
  {
    kind: 'hello',
    software: 'crew 1.4',
    device: 'RT-808A',
    maxLegs: 32,
    maxTextChars: 200,
    capabilities: ['order.suspend', 'photo'],
    language: 'zh-CN',
  },
  { kind: 'receipt', deliveryId: 'd-1', result: 'ok', ...leg, contentVersion: 3 },
  { kind: 'receipt', deliveryId: 'd-2', result: 'full', detail: '没有空间' },
  { kind: 'receipt', deliveryId: 'd-3', result: 'ok', revision: 17 },
  { kind: 'orderAction', ...leg, action: 'accept', atMs: at },
  {
    kind: 'orderAction',
    ...leg,
    action: 'reject',
    atMs: at,
    reason: '车辆故障',
    lat: 29.916797,
    lon: 121.477648,
    note: 'n',
  },
  {
    kind: 'positions',
    positions: [
      {
        atMs: at,
        lat: -29.916797,
        lon: 121.477648,
        altitudeM: 38,
        speedKmh: 52.5,
        headingDeg: 87,
        alarm: 1,
        status: 3,
      },
      {
        atMs: at + 1000,
        lat: 0,
        lon: 0,
        altitudeM: -15,
        speedKmh: 0,
        headingDeg: 359,
        accuracyM: 12.5,
        mileageKm: 12345.6,
        alarm: 0xffffffff,
        status: 0,
        satellites: 11,
      },
    ],
  },
  { kind: 'duty', to: 'onBreak', atMs: at, reason: '午餐', untilMs: at + 3_600_000 },
  {
    kind: 'holdings',
    revision: 17,
    entries: [
      { ...leg, contentVersion: 3 },
      { orderId: 'x', leg: 1, contentVersion: 1 },
    ],
  },
  { kind: 'holdings', deliveryId: 'd-9', revision: 0, entries: [] },
  { kind: 'answer', deliveryId: 'd-4', choice: 2, atMs: at },
  { kind: 'alarm', alarm: 'sos', active: true, atMs: at, lat: 1, lon: 2, text: 'help' },
  { kind: 'unknown' },
];

const downlinks: DownlinkBody[] = [
  { kind: 'snapshot', revision: 18, entries: [{ ...leg, contentVersion: 3 }] },
  { kind: 'snapshot', revision: 0, entries: [] },
  {
    kind: 'orderUpsert',
    ...leg,
    contentVersion: 3,
    number: '20260314-0012',
    address: '人民路12号',
    lat: 29.9,
    lon: 121.4,
    customerName: '王伟',
    customerPhone: '13900000018',
    faultCategory: 'noPower',
    voltage: 'low',
    description: '停电',
    priority: 'urgent',
    deadlineMs: at + 2_700_000,
    arrivalMode: 'automatic',
    arrivalRadiusM: 200,
  },
  {
    kind: 'orderUpsert',
    ...leg,
    contentVersion: 1,
    number: 'n',
    address: '',
    priority: 'normal',
    arrivalMode: 'manual',
  },
  { kind: 'remove', ...leg, reason: 'recalled', revision: 19, contentVersion: 3 },
  { kind: 'urge', ...leg, text: '客户催促' },
  { kind: 'notice', text: '回站', urgent: true },
  { kind: 'question', text: '能否接单?', choices: ['能', '不能'], expiresAtMs: at },
  { kind: 'unknown' },
];

describe('messages between gateway and terminal', () => {
  it.each(uplinks.map((body) => [body.kind, body] as const))('uplink %s comes back', (_kind, body) => {
    const uplink: Uplink = { sequence: 4_294_967_295, sentAtMs: at, body };
    expect(decodeUplink(encodeUplink(uplink))).toEqual(uplink);
  });

  it.each(downlinks.map((body) => [body.kind, body] as const))('downlink %s comes back', (_kind, body) => {
    const downlink: Downlink = { deliveryId: 'd-42', sentAtMs: at, body };
    expect(decodeDownlink(encodeDownlink(downlink))).toEqual(downlink);
  });

  it('field numbers on the wire are those of the .proto file', () => {
    // 1: sequence varint, 4: receipt with 1: delivery id and 2: result; written by hand from the protobuf encoding.
    const wire = encodeUplink({ sequence: 5, sentAtMs: 0, body: { kind: 'receipt', deliveryId: 'a', result: 'ok' } });
    const message = decodeUplink(new Uint8Array([0x08, 0x05, 0x22, 0x05, 0x0a, 0x01, 0x61, 0x10, 0x01]));
    expect(message.body).toEqual({ kind: 'receipt', deliveryId: 'a', result: 'ok' });
    expect(decodeUplink(wire)).toEqual({ ...message, sentAtMs: 0 });
  });

  it('a field of a newer schema is passed over, a newer body is unknown', () => {
    expect(decodeUplink(new Uint8Array([0x08, 0x05, 0xfa, 0x07, 0x01, 0x00]))).toEqual({
      sequence: 5,
      sentAtMs: 0,
      body: { kind: 'unknown' },
    });
  });

  it('an enum value of a newer schema is unspecified', () => {
    const message = decodeUplink(new Uint8Array([0x22, 0x05, 0x0a, 0x01, 0x61, 0x10, 0x63]));
    expect(message.body).toMatchObject({ result: 'unspecified' });
  });

  it('any bytes are a message or a DecodeError', () => {
    fc.assert(
      fc.property(bytesOf(0, 60), (bytes) => {
        for (const decode of [decodeUplink, decodeDownlink]) {
          try {
            expect(decode(bytes).body.kind).toBeTypeOf('string');
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('a time that is no number is refused', () => {
    const wire = encodeUplink({ sequence: 1, sentAtMs: NaN, body: { kind: 'unknown' } });
    expect(() => decodeUplink(wire)).toThrow(/sent_at_ms: expected a finite number/);
  });

  it('a message beyond the limit is refused before it is read', () => {
    expect(() => decodeUplink(new Uint8Array(limits.protobufBytes + 1))).toThrow(/too_long/);
  });
});

describe('the passthrough envelope', () => {
  it('starts with 4C 43 01 and comes back', () => {
    const message = encodeUplink({ sequence: 1, sentAtMs: 0, body: { kind: 'unknown' } });
    const content = wrapPassthrough(message);
    expect(toHex(content, 0, 3)).toBe('4c4301');
    expect(toHex(unwrapPassthrough(content))).toBe(toHex(message));
    expect(isPassthrough(passthroughType, content)).toBe(true);
  });

  it('of another maker is not ours', () => {
    expect(isPassthrough(0xf0, wrapPassthrough(new Uint8Array(0)))).toBe(false);
    expect(isPassthrough(passthroughType, new Uint8Array([0x52, 0x54, 0x01]))).toBe(false);
    expect(() => unwrapPassthrough(new Uint8Array([0x4c, 0x43]))).toThrow(/envelope/);
  });

  it('holds 500 bytes and no more', () => {
    expect(wrapPassthrough(new Uint8Array(497)).length).toBe(500);
    expect(() => wrapPassthrough(new Uint8Array(498))).toThrow(RangeError);
  });
});
