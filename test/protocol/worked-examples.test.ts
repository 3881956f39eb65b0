/**
 * Frames of our own making (test/fixtures/frames): invented numbers, plates and texts. The expected fields are what
 * the frames were made from.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  describeStream,
  encodeMessage,
  fromHex,
  phoneToRaw,
  toHex,
  type DescribedMessage,
  type Edition,
  type MessageName,
} from '../../protocol/index.js';

interface Example {
  id: string;
  edition: Edition;
  hex: string;
  messageId: number;
  serial: number;
  bodyBytes: number;
}

const file = fileURLToPath(new URL('../fixtures/frames/worked-examples.jsonl', import.meta.url));
const examples = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Example);

const registration = {
  province: 33,
  city: 200,
  maker: '70123',
  model: 'RT-808A',
  terminalId: 'A000017',
  plateColour: 2,
  plate: '浙B00T17',
};
const location = {
  alarm: 0,
  status: 0x000c0003,
  latitudeE6: 29916797,
  longitudeE6: 121477648,
  altitudeM: 38,
  speedDeciKmh: 523,
  headingDeg: 87,
  time: '260314093045',
  extras: [
    { id: 0x01, value: '0001e240' },
    { id: 0x02, value: '0181' },
    { id: 0x25, value: '00000014' },
    { id: 0x30, value: '18' },
    { id: 0x31, value: '0b' },
  ],
  trailing: '',
};
const stored = [
  {
    alarm: 0,
    status: 0x000c0003,
    latitudeE6: 0x01c7c05b,
    longitudeE6: 0x073e9e81,
    altitudeM: 12,
    speedDeciKmh: 402,
    headingDeg: 270,
    time: '260314091500',
    extras: [{ id: 1, value: '0001e208' }],
    trailing: '',
  },
  {
    alarm: 0x100,
    status: 0x000c0002,
    latitudeE6: 0x01c7bfe1,
    longitudeE6: 0x073e9cd0,
    altitudeM: 12,
    speedDeciKmh: 0,
    headingDeg: 270,
    time: '260314091600',
    extras: [{ id: 1, value: '0001e209' }],
    trailing: '',
  },
];
const dispatchText = '新任务：人民路12号，更换轮胎';
const question = {
  flags: 9,
  question: '能否接单?',
  answers: [
    { id: 1, text: '接受' },
    { id: 2, text: '拒绝' },
    { id: 3, text: '呼叫调度' },
  ],
};
const card = {
  status: 1,
  time: '260314080102',
  result: 0,
  name: '王伟',
  qualification: '000000199001010017',
  issuer: '宁波市运管',
  validUntil: '20290630',
};
const media = {
  mediaId: 7,
  type: 0,
  format: 0,
  event: 0,
  channel: 1,
  location: {
    alarm: 0,
    status: 0x000c0003,
    latitudeE6: 0x01c7c05b,
    longitudeE6: 0x073e9e81,
    altitudeM: 12,
    speedDeciKmh: 0,
    headingDeg: 90,
    time: '260314101500',
  },
  data: 'ffd8ffe0',
};
const parameters = {
  parameters: [
    { id: 1, value: '0000003c' },
    { id: 0x29, value: '0000001e' },
  ],
};
const passthrough = {
  type: 0xfa,
  content: `525401${Buffer.from('{"id":4711,"st":"accepted"}').toString('hex')}01`.slice(0, 6 + 54),
};

/** The declared fields of every example; parts of a sub-packaged message beyond the first have none. */
const bodies: Record<string, [MessageName, object]> = {
  '9.1 2011': ['register', registration],
  '9.1 2013': ['register', registration],
  '9.1 2019': ['register', { ...registration, maker: '33020070123' }],
  '9.2 2013 success': ['registerAnswer', { replySerial: 1, result: 0, token: 'B00T17-9F31' }],
  '9.2 2019 success': ['registerAnswer', { replySerial: 1, result: 0, token: 'B00T17-9F31' }],
  '9.2 2013 refused': ['registerAnswer', { replySerial: 1, result: 2 }],
  '9.3 2013 0x0102': ['authenticate', { token: 'B00T17-9F31' }],
  '9.3 2013 0x8001': ['platformAck', { replySerial: 2, replyId: 0x0102, result: 0 }],
  '9.3 2019 0x0102': ['authenticate', { token: 'B00T17-9F31', imei: '860000000000017', software: 'RT808-V2.4.1' }],
  '9.3 2019 0x8001': ['platformAck', { replySerial: 2, replyId: 0x0102, result: 0 }],
  '9.4 2013': ['location', location],
  '9.4 2019': ['location', { ...location, status: 0x004c0003 }],
  '9.5 2013': ['locationBatch', { count: 2, type: 1, locations: stored, trailing: '' }],
  '9.5 2019': ['locationBatch', { count: 2, type: 1, locations: stored, trailing: '' }],
  '9.6 2013 0x8300': ['text', { flags: 0x0d, text: dispatchText }],
  '9.6 2013 0x0001': ['terminalAck', { replySerial: 16, replyId: 0x8300, result: 0 }],
  '9.6 2019 0x8300': ['text', { flags: 0x0e, type: 2, text: dispatchText }],
  '9.6 2019 0x0001': ['terminalAck', { replySerial: 16, replyId: 0x8300, result: 0 }],
  '9.7 2013 0x8302': ['question', question],
  '9.7 2013 0x0302': ['questionAnswer', { replySerial: 17, answerId: 1 }],
  '9.7 2019 header 0x8302': ['question', question],
  '9.7 2019 header 0x0302': ['questionAnswer', { replySerial: 17, answerId: 1 }],
  '9.8 2013 insert': ['driverIdentity', card],
  '9.8 2019 insert': ['driverIdentity', { ...card, identity: '000000199001010017' }],
  '9.8 2013 remove': ['driverIdentity', { status: 2, time: '260314173000' }],
  '9.8 2019 remove': ['driverIdentity', { status: 2, time: '260314173000' }],
  '9.9 2013 packet 1 of 2': ['mediaData', media],
  '9.9 2019 packet 1 of 2': ['mediaData', media],
  '9.9 2013 0x8003': ['resendUplink', { firstSerial: 768, parts: [2] }],
  '9.9 2019 0x8003': ['resendUplink', { firstSerial: 768, parts: [2] }],
  '9.9 2013 0x8800': ['mediaAnswer', { mediaId: 7 }],
  '9.9 2019 0x8800': ['mediaAnswer', { mediaId: 7 }],
  '9.10 2013 lock': ['vehicleControl', { flags: 1 }],
  '9.10 2013 unlock': ['vehicleControl', { flags: 0 }],
  '9.10 2019 lock': ['vehicleControl', { controls: [{ id: 1, parameter: 0 }] }],
  '9.10 2019 unlock': ['vehicleControl', { controls: [{ id: 1, parameter: 1 }] }],
  '9.11 2013 0x8103': ['setParameters', parameters],
  '9.11 2019 0x8103': ['setParameters', parameters],
  '9.11 2013 0x0900': ['passthroughUp', passthrough],
  '9.11 2019 0x0900': ['passthroughUp', passthrough],
  '9.12 2013 0x0002, checksum 7E': ['heartbeat', {}],
  '9.12 2019 0x0002, checksum 7D': ['heartbeat', {}],
  '9.12 2019 0x0002, checksum 7E': ['heartbeat', {}],
  '9.12 2019 0x0004': ['timeQuery', {}],
  '9.12 2019 0x8004': ['timeAnswer', { timeUtc: '260314013045' }],
};

const read = (hex: string): DescribedMessage[] => describeStream(fromHex(hex)) as DescribedMessage[];

describe('worked examples', () => {
  it.each(examples.map((one) => [one.id, one] as const))('%s is read', (id, one) => {
    const [message] = read(one.hex);
    expect(message).toMatchObject({ messageId: one.messageId, serial: one.serial, phone: '13900000017' });
    expect(message!.bodyHex.length / 2).toBe(one.bodyBytes);
    expect(message!.version ?? one.edition).toSatisfy((found) => Number(found) === one.edition);
    const expected = bodies[id];
    if (expected === undefined) expect(message!.index).toBe(2);
    else expect([message!.name, message!.body]).toEqual([expected[0], expected[1]]);
  });

  const whole = examples.filter(({ id }) => bodies[id] !== undefined && !id.includes('packet'));
  it.each(whole.map((one) => [one.id, one] as const))('%s is made from its fields', (id, one) => {
    const long = one.edition === 2019;
    const { frames } = encodeMessage({
      name: bodies[id]![0],
      edition: one.edition,
      versionFlag: long,
      protocolVersion: long ? 1 : 0,
      phoneRaw: phoneToRaw('13900000017', long ? 10 : 6),
      serial: one.serial,
      body: bodies[id]![1],
    });
    expect(frames.map((frame) => toHex(frame))).toEqual([one.hex]);
  });

  const ids = (found: DescribedMessage[]): number[] =>
    found.filter((one) => 'messageId' in one && one.assembled === undefined).map(({ messageId }) => messageId);

  it('are all found in one stream, with flags of their own', () => {
    expect(ids(read(examples.map(({ hex }) => hex).join('')))).toEqual(examples.map(({ messageId }) => messageId));
  });

  it('are all found in one stream with shared flags', () => {
    const shared = `${examples.map(({ hex }) => hex.slice(0, -2)).join('')}7e`;
    expect(ids(read(shared))).toEqual(examples.map(({ messageId }) => messageId));
  });

  it('are all found between garbage and stray flags', () => {
    const dirty = examples.map(({ hex }) => `7e7e${hex}7e00112233`).join('');
    expect(ids(read(dirty))).toEqual(examples.map(({ messageId }) => messageId));
  });

  it('join to the whole photo', () => {
    const parts = examples.filter(({ id }) => id.startsWith('9.9 2013 packet'));
    const found = read(parts.map(({ hex }) => hex).join('')).filter(({ assembled }) => assembled === true);
    expect(found).toMatchObject([
      {
        messageId: 0x0801,
        serial: 768,
        total: 2,
        body: { ...media, data: 'ffd8ffe000104a46494600010100000100010000ffd9' },
      },
    ]);
  });
});
