import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DecodeError,
  decodeDownlink,
  decodeUplink,
  encodeDownlink,
  encodeUplink,
  fromHex,
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
  { kind: 'positions', positions: [], deliveryId: 'd-10' },
  {
    kind: 'hello',
    software: 'crew 2.0',
    device: '',
    maxLegs: 0,
    maxTextChars: 0,
    capabilities: [],
    language: '',
    deliveryId: 'd-11',
    serialNumber: 'SN-7',
    firmware: '14.1',
    iccid: '89860012345678901234',
  },
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
  { kind: 'question', text: '几时到?', choices: [], urgent: true, silent: true },
  { kind: 'notice', text: '回站', urgent: false, silent: true },
  { kind: 'notice', text: '回站', urgent: false, spokenOnly: true },
  { kind: 'positionRequest' },
  { kind: 'follow', intervalS: 5, forS: 600 },
  { kind: 'follow', intervalS: 0, forS: 0 },
  { kind: 'describe' },
  { kind: 'restart' },
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

/**
 * Messages as devices of the first schema send and expect them; the bytes never change. Protobuf encoding by hand for
 * one of each direction is in the tests above.
 */
const firstUplinks: [hex: string, body: UplinkBody][] = [
  [
    '0807110030e0799fce79421a300a086372657720312e34120752542d38303841182020c8012a087175657374696f6e2a0570686f746f32057a682d434e',
    {
      kind: 'hello',
      software: 'crew 1.4',
      device: 'RT-808A',
      maxLegs: 32,
      maxTextChars: 200,
      capabilities: ['question', 'photo'],
      language: 'zh-CN',
    },
  ],
  [
    '0807110030e0799fce7942221a0a03642d3110011a0d32303236303331342d3030313220022803',
    { kind: 'receipt', deliveryId: 'd-1', result: 'ok', ...leg, contentVersion: 3 },
  ],
  [
    '0807110030e0799fce79422a2e0a0d32303236303331342d3030313210021802210030e0799fce7942310000000000803d40390000000000505e40',
    { kind: 'orderAction', ...leg, action: 'accept', atMs: at, lat: 29.5, lon: 121.25 },
  ],
  [
    '0807110030e0799fce7942323e0a3c090030e0799fce7942110000000000803dc0190000000000505e4025000018422d0000524230574100000000c01cc8404d010000005503000000580b',
    {
      kind: 'positions',
      positions: [
        {
          atMs: at,
          lat: -29.5,
          lon: 121.25,
          altitudeM: 38,
          speedKmh: 52.5,
          headingDeg: 87,
          alarm: 1,
          status: 3,
          mileageKm: 12345.5,
          satellites: 11,
        },
      ],
    },
  ],
  [
    '0807110030e0799fce79423a120802110030e0799fce79421a056c756e6368',
    { kind: 'duty', to: 'onBreak', atMs: at, reason: 'lunch' },
  ],
  [
    '0807110030e0799fce7942421c0a03642d3910111a130a0d32303236303331342d3030313210021803',
    { kind: 'holdings', deliveryId: 'd-9', revision: 17, entries: [{ ...leg, contentVersion: 3 }] },
  ],
  [
    '0807110030e0799fce79424a100a03642d341002210030e0799fce7942',
    { kind: 'answer', deliveryId: 'd-4', choice: 2, atMs: at },
  ],
  [
    '0807110030e0799fce7942521f08011001190030e0799fce794221000000000000f83f290000000000000440',
    { kind: 'alarm', alarm: 'sos', active: true, atMs: at, lat: 1.5, lon: 2.5 },
  ],
];
const firstDownlinks: [hex: string, body: DownlinkBody][] = [
  [
    '0a04642d3432110030e0799fce79421a17081212130a0d32303236303331342d3030313210021803',
    { kind: 'snapshot', revision: 18, entries: [{ ...leg, contentVersion: 3 }] },
  ],
  [
    '0a04642d3432110030e0799fce794222550a0d32303236303331342d3030313210021803220d32303236303331342d303031322a0ee4babae6b091e8b7af3132e58fb7310000000000803d40390000000000505e404a0b313339303030303030313868027801',
    {
      kind: 'orderUpsert',
      ...leg,
      contentVersion: 3,
      number: '20260314-0012',
      address: '人民路12号',
      lat: 29.5,
      lon: 121.25,
      customerPhone: '13900000018',
      priority: 'urgent',
      arrivalMode: 'automatic',
    },
  ],
  [
    '0a04642d3432110030e0799fce79422a1f0a0d32303236303331342d3030313210021a08726563616c6c656420132803',
    { kind: 'remove', ...leg, reason: 'recalled', revision: 19, contentVersion: 3 },
  ],
  [
    '0a04642d3432110030e0799fce794232180a0d32303236303331342d3030313210021a05616761696e',
    { kind: 'urge', ...leg, text: 'again' },
  ],
  [
    '0a04642d3432110030e0799fce79423a100a0c6261636b20746f20626173651001',
    { kind: 'notice', text: 'back to base', urgent: true },
  ],
  [
    '0a04642d3432110030e0799fce7942421a0a0652656164793f120379657312026e6f190030e0799fce7942',
    { kind: 'question', text: 'Ready?', choices: ['yes', 'no'], expiresAtMs: at },
  ],
];

/** `Message: fields` of the first schema. */
const FIRST_FIELDS: Record<string, string[]> = {
  Uplink: [
    'uint32 sequence = 1',
    'double sent_at_ms = 2',
    'Hello hello = 3',
    'Receipt receipt = 4',
    'OrderAction order_action = 5',
    'PositionBatch positions = 6',
    'Duty duty = 7',
    'Holdings holdings = 8',
    'Answer answer = 9',
    'Alarm alarm = 10',
  ],
  Downlink: [
    'string delivery_id = 1',
    'double sent_at_ms = 2',
    'Snapshot snapshot = 3',
    'OrderUpsert order_upsert = 4',
    'Remove remove = 5',
    'Urge urge = 6',
    'Notice notice = 7',
    'Question question = 8',
  ],
  Hello: [
    'string software = 1',
    'string device = 2',
    'uint32 max_legs = 3',
    'uint32 max_text_chars = 4',
    'repeated string capabilities = 5',
    'string language = 6',
  ],
  Receipt: [
    'string delivery_id = 1',
    'Result result = 2',
    'string order_id = 3',
    'uint32 leg = 4',
    'uint32 content_version = 5',
    'uint32 revision = 6',
    'string detail = 7',
  ],
  Result: ['RESULT_UNSPECIFIED = 0', 'OK = 1', 'REFUSED = 2', 'UNSUPPORTED = 3', 'FULL = 4'],
  OrderAction: [
    'string order_id = 1',
    'uint32 leg = 2',
    'Action action = 3',
    'double at_ms = 4',
    'string reason = 5',
    'double lat = 6',
    'double lon = 7',
    'string note = 8',
  ],
  Action: [
    'ACTION_UNSPECIFIED = 0',
    'READ = 1',
    'ACCEPT = 2',
    'REJECT = 3',
    'DEPART = 4',
    'ARRIVE = 5',
    'WORKING = 6',
    'DONE = 7',
    'SUSPEND = 8',
    'RESUME = 9',
  ],
  PositionBatch: ['repeated Position positions = 1'],
  Position: [
    'double at_ms = 1',
    'double lat = 2',
    'double lon = 3',
    'float altitude_m = 4',
    'float speed_kmh = 5',
    'uint32 heading_deg = 6',
    'float accuracy_m = 7',
    'double mileage_km = 8',
    'fixed32 alarm = 9',
    'fixed32 status = 10',
    'uint32 satellites = 11',
  ],
  Duty: ['DutyState to = 1', 'double at_ms = 2', 'string reason = 3', 'double until_ms = 4'],
  DutyState: ['DUTY_UNSPECIFIED = 0', 'STANDBY = 1', 'ON_BREAK = 2', 'OFF_DUTY = 3'],
  Holdings: ['string delivery_id = 1', 'uint32 revision = 2', 'repeated Entry entries = 3'],
  Answer: ['string delivery_id = 1', 'uint32 choice = 2', 'string text = 3', 'double at_ms = 4'],
  Alarm: [
    'AlarmKind kind = 1',
    'bool active = 2',
    'double at_ms = 3',
    'double lat = 4',
    'double lon = 5',
    'string text = 6',
  ],
  AlarmKind: ['ALARM_UNSPECIFIED = 0', 'SOS = 1', 'ACCIDENT = 2', 'BREAKDOWN = 3'],
  Snapshot: ['uint32 revision = 1', 'repeated Entry entries = 2'],
  Entry: ['string order_id = 1', 'uint32 leg = 2', 'uint32 content_version = 3'],
  OrderUpsert: [
    'string order_id = 1',
    'uint32 leg = 2',
    'uint32 content_version = 3',
    'string number = 4',
    'string address = 5',
    'double lat = 6',
    'double lon = 7',
    'string customer_name = 8',
    'string customer_phone = 9',
    'string fault_category = 10',
    'string voltage = 11',
    'string description = 12',
    'Priority priority = 13',
    'double deadline_ms = 14',
    'ArrivalMode arrival_mode = 15',
    'uint32 arrival_radius_m = 16',
  ],
  Priority: ['PRIORITY_UNSPECIFIED = 0', 'NORMAL = 1', 'URGENT = 2'],
  ArrivalMode: ['ARRIVAL_UNSPECIFIED = 0', 'AUTOMATIC = 1', 'MANUAL = 2'],
  Remove: [
    'string order_id = 1',
    'uint32 leg = 2',
    'string reason = 3',
    'uint32 revision = 4',
    'uint32 content_version = 5',
  ],
  Urge: ['string order_id = 1', 'uint32 leg = 2', 'string text = 3'],
  Notice: ['string text = 1', 'bool urgent = 2'],
  Question: ['string text = 1', 'repeated string choices = 2', 'double expires_at_ms = 3'],
};

describe('the first schema', () => {
  it.each(firstUplinks)('reads and writes %s', (hex, body) => {
    const uplink: Uplink = { sequence: 7, sentAtMs: at, body };
    expect(decodeUplink(fromHex(hex))).toEqual(uplink);
    expect(toHex(encodeUplink(uplink))).toBe(hex);
  });

  it.each(firstDownlinks)('reads and writes %s', (hex, body) => {
    const downlink: Downlink = { deliveryId: 'd-42', sentAtMs: at, body };
    expect(decodeDownlink(fromHex(hex))).toEqual(downlink);
    expect(toHex(encodeDownlink(downlink))).toBe(hex);
  });

  it('of the .proto file is kept: numbers and types of every field', () => {
    const source = readFileSync(new URL('../../protocol/mqtt/terminal.proto', import.meta.url), 'utf8');
    for (const [name, fields] of Object.entries(FIRST_FIELDS)) {
      const body = new RegExp(`^(?:message|enum) ${name} \\{\n([\\s\\S]*?)^\\}`, 'm').exec(source)![1]!;
      const lines = body.split('\n').map((line) => line.trim());
      for (const field of fields) expect(lines, name).toContain(`${field};`);
    }
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

  it('of a list holds 255 legs and is bounded too', () => {
    const entries = Array.from({ length: 255 }, (_, i) => ({
      orderId: `01890a5d-ac96-774b-bcce-b302099a${8000 + i}`, leg: 12, contentVersion: 300,
    })); // prettier-ignore
    const snapshot = encodeDownlink({
      deliveryId: 'd',
      sentAtMs: at,
      body: { kind: 'snapshot', revision: 99_999, entries },
    });
    expect(wrapPassthrough(snapshot, limits.passthroughListBytes).length).toBe(snapshot.length + 3);
    expect(() => wrapPassthrough(new Uint8Array(16_382), limits.passthroughListBytes)).toThrow(RangeError);
  });
});
