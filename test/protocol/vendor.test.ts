import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DIALECT_NAMES } from '../../dispatch/domain/model.js';
import type { DialectRule, Frame } from '../../protocol/index.js';
import {
  answerSentence,
  answerShortSerial,
  decodeFrame,
  dialectFor,
  dialectOf,
  dialects,
  encodeFrame,
  FrameSplitter,
  fromHex,
  inflateUpload,
  limits,
  parseFrame,
  phoneToRaw,
  toHex,
  type VendorAttributes,
} from '../../protocol/index.js';

const identity = { versionFlag: false, protocolVersion: 0, phoneRaw: phoneToRaw('856009001017', 6) };
const base = '000000000000000301c87e7d073d9a100026020b0057260314093045';

/** Vendor values of a location with these additional items. */
function attributes(
  items: string,
  dialect: keyof typeof dialects = 'common',
  head = base,
  edition: 2013 | 2019 = 2013,
): VendorAttributes {
  const bytes = fromHex(head + items);
  return dialects[dialect].readLocation(bytes, 0, bytes.length, edition);
}

describe('vendor items', () => {
  it.each([
    ['battery in tens of percent', '56020acd', { batteryPercent: 100 }],
    ['battery voltage', '690201a1', { batteryV: 4.17 }],
    ['supply voltage', '82020082', { powerV: 13 }],
    ['battery and charging', 'e4020056', { batteryPercent: 86, charging: true }],
    ['temperatures with a missing sensor', '51068017ffff00fa', { temperature1C: -2.3, temperature3C: 25 }],
    ['alarm word', 'e7080003000000000000', { alarms: ['vibration', 'sos'] }],
    ['battery block', 'f70600000f48024e', { batteryV: 3.912, charging: true, batteryPercent: 78 }],
    [
      'device block',
      'f81304086541305716018589553202100062282617',
      { imei: '865413057160185', iccid: '89553202100062282617' },
    ],
    ['trouble codes', 'a00b50353338662c5530323966', { dtcs: ['P538f', 'U029f'] }],
    [
      'nested records',
      'eb130006008900001000000300a84c000400ce0483',
      { alarms: ['powerOff'], batteryPercent: 76, powerV: 11.55 },
    ],
    ['a nested record that runs past its end', 'eb06000600a84c00', {}],
    ['time zone', 'eb095554432b30383a3030', { timezone: 'UTC+08:00' }],
    ['lock result', '0b080336383936303765', { unlockResult: 101 }],
    ['locks', '6316cd91fe1314da1080318122c3a19a6f6f3a0fc6318113', { lock1BatteryV: 4.224, lock2BatteryV: 4.038 }],
    ['a percentage that is none', 'd40165d401ff', { charging: true }],
  ])('%s', (_name, items, expected) => expect(attributes(items)).toEqual(expected));

  it('of locks are not read on terminals of the standard', () => {
    expect(attributes('60020004690201a1', 'standard')).toEqual({});
    expect(attributes('60020004690201a1', 'lock')).toEqual({ event: 4, batteryV: 4.17 });
  });

  it('reserved alarm bits count only with a short header', () => {
    const head = `00028000${base.slice(8)}`;
    expect(attributes('', 'common', head, 2013)).toEqual({ alarms: ['vibration', 'tampering'] });
    expect(attributes('', 'common', head, 2019)).toEqual({});
  });
});

describe('the dialect of a terminal', () => {
  it('is chosen by its registration, by the first rule that fits', () => {
    expect(dialectFor({ maker: '70107', model: 'HB-R03GBD' }).name).toBe('standard');
    expect(dialectFor({ maker: '12345', model: 'ANY' }).name).toBe('common');
    const rules: DialectRule[] = [
      { maker: '12345', dialect: 'lock' },
      { modelStart: 'AN', dialect: 'obd' },
    ];
    expect(dialectFor({ maker: '12345', model: 'ANY' }, rules).name).toBe('lock');
    expect(dialectFor({ maker: '99999', model: 'ANY' }, rules).name).toBe('obd');
    expect(dialectFor({ maker: '99999', model: 'X' }, rules).name).toBe('common');
  });

  it('has the names that a vehicle may be set to, and no others', () => {
    expect(Object.keys(dialects)).toEqual([...DIALECT_NAMES]);
    for (const name of DIALECT_NAMES) expect(dialectOf(name)?.name).toBe(name);
    expect(dialectOf('nothing')).toBeUndefined();
    expect(dialectOf('toString')).toBeUndefined();
  });
});

describe('answers of private variants', () => {
  it('a sentence that asks for the time gets it in UTC', () => {
    const now = Date.UTC(2026, 2, 14, 1, 30, 45);
    expect(answerSentence('(794104004140,1,001,BASE,2,TIME)', now)).toBe('(794104004140,1,001,BASE,2,20260314013045)');
    expect(answerSentence('(794104004140,1,001,LOCK,1)', now)).toBeUndefined();
  });

  it('a serial of one byte is answered in its own form, when bit 15 asks for it', () => {
    const made = (replyWanted: boolean): Frame => {
      const wire = encodeFrame({
        ...identity,
        messageId: 0x5501,
        serial: 71,
        shortSerial: true,
        replyWanted,
        body: fromHex('0102'),
      });
      const splitter = new FrameSplitter({ shortSerial: true });
      let content: Uint8Array | undefined;
      splitter.push(wire, {
        frame: (frame) => (content = frame.copyContent()),
        refused: (error) => expect.unreachable(error.message),
      });
      return parseFrame(content!);
    };
    expect(toHex(answerShortSerial(made(true), 0)!)).toMatch(/^7e4401000385600900101747550100..7e$/);
    expect(answerShortSerial(made(false), 0)).toBeUndefined();
  });
});

describe('a compressed upload', () => {
  it('is inflated, and read as a frame when it is one', () => {
    const content = fromHex('000200000139000000170053');
    const { frame } = inflateUpload(gzipSync(content));
    expect([frame?.messageId, frame?.serial]).toEqual([2, 83]);
    expect(inflateUpload(gzipSync(fromHex('0102'))).frame).toBeUndefined();
  });

  it('is refused when it is no GZIP, or a bomb', () => {
    expect(() => inflateUpload(fromHex('0102'))).toThrow(/compression/);
    expect(() => inflateUpload(gzipSync(new Uint8Array(limits.inflatedBytes + 1)))).toThrow(/compression/);
    expect(inflateUpload(gzipSync(new Uint8Array(limits.inflatedBytes))).content.length).toBe(limits.inflatedBytes);
  });
});

describe('an encrypted frame', () => {
  it('is refused before its body is read', () => {
    const content = fromHex('0200040201390000001700010102');
    expect(() => decodeFrame(parseFrame(content))).toThrow(/encrypted/);
  });
});
