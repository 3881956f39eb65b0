import { decodeText, encodeText } from '../bytes/gb18030.js';
import { fromHex, toHex } from '../bytes/hex.js';
import { EncodeError } from '../field/index.js';
import { alarmBits, gnssBits } from './bits.js';
import type { Edition } from './edition.js';

export type ParameterType = 'u8' | 'u16' | 'u32' | 'text' | 'bytes';

/** One terminal parameter (reference 5.2). */
export interface ParameterDeclaration {
  readonly id: number;
  readonly name: string;
  readonly title: string;
  readonly type: ParameterType;
  /** The type in 2011, where it differs. */
  readonly typeIn2011?: ParameterType;
  readonly unit?: string;
  readonly words?: Readonly<Record<number, string>>;
  readonly bits?: (edition: Edition) => Readonly<Record<number, string>>;
  readonly since: Edition;
  /** Last edition that has it, where a later one took it out. */
  readonly until?: Edition;
  /** A wrong value cuts the terminal off for good (reference 5.2): ask twice. */
  readonly critical?: true;
}

type Extra = Partial<Omit<ParameterDeclaration, 'id' | 'name' | 'title' | 'type'>>;

function row(id: number, name: string, type: ParameterType, title: string, extra: Extra = {}): ParameterDeclaration {
  return { id, name, title, type, since: 2011, ...extra };
}

const s = { unit: 's' };
const m = { unit: 'm' };
const critical = { critical: true } as const;
const from2013 = { since: 2013 } as const;
const from2019 = { since: 2019 } as const;
const alarmMask = { bits: alarmBits };

const declared: readonly ParameterDeclaration[] = [
  row(0x0001, 'heartbeatInterval', 'u32', 'heartbeat interval', s),
  row(0x0002, 'tcpReplyTimeout', 'u32', 'TCP reply timeout', s),
  row(0x0003, 'tcpRetransmissions', 'u32', 'TCP retransmissions'),
  row(0x0004, 'udpReplyTimeout', 'u32', 'UDP reply timeout', s),
  row(0x0005, 'udpRetransmissions', 'u32', 'UDP retransmissions'),
  row(0x0006, 'smsReplyTimeout', 'u32', 'SMS reply timeout', s),
  row(0x0007, 'smsRetransmissions', 'u32', 'SMS retransmissions'),
  row(0x0010, 'mainApn', 'text', 'main server APN', critical),
  row(0x0011, 'mainUser', 'text', 'main server dial user', critical),
  row(0x0012, 'mainPassword', 'text', 'main server dial password', critical),
  row(0x0013, 'mainServer', 'text', 'main server address', critical),
  row(0x0014, 'backupApn', 'text', 'backup server APN', critical),
  row(0x0015, 'backupUser', 'text', 'backup server dial user', critical),
  row(0x0016, 'backupPassword', 'text', 'backup server dial password', critical),
  row(0x0017, 'backupServer', 'text', 'backup server address', critical),
  row(0x0018, 'tcpPort', 'u32', 'server TCP port', { ...critical, until: 2013 }),
  row(0x0019, 'udpPort', 'u32', 'server UDP port', { ...critical, until: 2013 }),
  row(0x001a, 'icCardServer', 'text', 'IC-card authentication main server', from2013),
  row(0x001b, 'icCardTcpPort', 'u32', 'IC-card authentication TCP port', from2013),
  row(0x001c, 'icCardUdpPort', 'u32', 'IC-card authentication UDP port', from2013),
  row(0x001d, 'icCardBackupServer', 'text', 'IC-card authentication backup server', from2013),
  row(0x0020, 'reportStrategy', 'u32', 'report strategy', { words: { 0: 'time', 1: 'distance', 2: 'both' } }),
  row(0x0021, 'reportScheme', 'u32', 'report scheme', { words: { 0: 'by ACC', 1: 'by login, then ACC' } }),
  row(0x0022, 'intervalNotLoggedIn', 'u32', 'report interval, driver not logged in', s),
  row(0x0023, 'secondaryApn', 'text', 'secondary server APN', { ...critical, ...from2019 }),
  row(0x0024, 'secondaryUser', 'text', 'secondary server dial user', { ...critical, ...from2019 }),
  row(0x0025, 'secondaryPassword', 'text', 'secondary server dial password', { ...critical, ...from2019 }),
  row(0x0026, 'secondaryServer', 'text', 'secondary server address', { ...critical, ...from2019 }),
  row(0x0027, 'intervalSleeping', 'u32', 'report interval while sleeping', s),
  row(0x0028, 'intervalEmergency', 'u32', 'report interval during an emergency', s),
  row(0x0029, 'intervalDefault', 'u32', 'default report interval', s),
  row(0x002c, 'distanceDefault', 'u32', 'default report distance', m),
  row(0x002d, 'distanceNotLoggedIn', 'u32', 'report distance, driver not logged in', m),
  row(0x002e, 'distanceSleeping', 'u32', 'report distance while sleeping', m),
  row(0x002f, 'distanceEmergency', 'u32', 'report distance during an emergency', m),
  row(0x0030, 'cornerAngle', 'u32', 'corner report angle', { unit: 'degree' }),
  row(0x0031, 'displacementRadius', 'u16', 'fence radius for illegal displacement', { ...m, ...from2013 }),
  row(0x0032, 'forbiddenPeriod', 'bytes', 'forbidden driving period, hh mm hh mm', from2019),
  row(0x0040, 'platformPhone', 'text', 'monitoring platform phone'),
  row(0x0041, 'resetPhone', 'text', 'reset phone'),
  row(0x0042, 'factoryResetPhone', 'text', 'factory-reset phone'),
  row(0x0043, 'platformSmsNumber', 'text', 'platform SMS number'),
  row(0x0044, 'alarmSmsNumber', 'text', 'number receiving SMS alarms'),
  row(0x0045, 'answering', 'u32', 'answering strategy', { words: { 0: 'automatic', 1: 'automatic when ACC on' } }),
  row(0x0046, 'longestCall', 'u32', 'longest call', s),
  row(0x0047, 'longestCallsPerMonth', 'u32', 'longest calling time per month', s),
  row(0x0048, 'monitorPhone', 'text', 'monitor phone'),
  row(0x0049, 'privilegedSmsNumber', 'text', 'privileged SMS number of the supervising platform'),
  row(0x0050, 'alarmMask', 'u32', 'alarms that are suppressed', alarmMask),
  row(0x0051, 'alarmSms', 'u32', 'alarms that send an SMS', alarmMask),
  row(0x0052, 'alarmPhoto', 'u32', 'alarms that take a photo', alarmMask),
  row(0x0053, 'alarmPhotoStore', 'u32', 'alarms whose photo is stored, not uploaded', alarmMask),
  row(0x0054, 'keyAlarms', 'u32', 'key alarms', alarmMask),
  row(0x0055, 'speedLimit', 'u32', 'speed limit', { unit: 'km/h' }),
  row(0x0056, 'overspeedDuration', 'u32', 'overspeed duration', s),
  row(0x0057, 'continuousDriving', 'u32', 'continuous driving limit', s),
  row(0x0058, 'dailyDriving', 'u32', 'daily driving limit', s),
  row(0x0059, 'minimumRest', 'u32', 'minimum rest', s),
  row(0x005a, 'longestParking', 'u32', 'longest parking', s),
  row(0x005b, 'overspeedMargin', 'u16', 'overspeed pre-warning margin', { unit: '0.1 km/h', ...from2013 }),
  row(0x005c, 'fatigueMargin', 'u16', 'fatigue pre-warning margin', { ...s, ...from2013 }),
  row(0x005d, 'collision', 'u16', 'collision alarm: low byte time, high byte acceleration in 0.1 g', from2013),
  row(0x005e, 'rolloverAngle', 'u16', 'rollover angle', { unit: 'degree', ...from2013 }),
  row(0x0064, 'timedPhoto', 'u32', 'timed photo control', from2013),
  row(0x0065, 'distancePhoto', 'u32', 'distance photo control', from2013),
  row(0x0070, 'mediaQuality', 'u32', 'image and video quality, 1 best to 10'),
  row(0x0071, 'brightness', 'u32', 'brightness'),
  row(0x0072, 'contrast', 'u32', 'contrast'),
  row(0x0073, 'saturation', 'u32', 'saturation'),
  row(0x0074, 'chroma', 'u32', 'chroma'),
  row(0x0075, 'videoSettings', 'bytes', 'audio and video (JT/T 1078)', from2013),
  row(0x0076, 'videoChannels', 'bytes', 'channel list (JT/T 1078)', from2013),
  row(0x0077, 'videoChannel', 'bytes', 'single channel (JT/T 1078)', from2013),
  row(0x0079, 'specialRecording', 'bytes', 'special recording (JT/T 1078)', from2013),
  row(0x007a, 'videoAlarmMask', 'u32', 'video alarm mask (JT/T 1078)', from2013),
  row(0x007b, 'imageAnalysis', 'bytes', 'image analysis (JT/T 1078)', from2013),
  row(0x007c, 'wakeUp', 'bytes', 'wake-up (JT/T 1078)', from2013),
  row(0x0080, 'odometer', 'u32', 'odometer', { unit: '0.1 km' }),
  row(0x0081, 'province', 'u16', 'province id', { typeIn2011: 'u32' }),
  row(0x0082, 'city', 'u16', 'city id', { typeIn2011: 'u32' }),
  row(0x0083, 'plate', 'text', 'plate'),
  row(0x0084, 'plateColour', 'u8', 'plate colour', { typeIn2011: 'u32' }),
  row(0x0090, 'gnssMode', 'u8', 'satellite systems in use', { bits: () => gnssBits, ...from2013 }),
  row(0x0091, 'gnssBaudRate', 'u8', 'GNSS baud rate', {
    words: { 0: '4800', 1: '9600', 2: '19200', 3: '38400', 4: '57600', 5: '115200' },
    ...from2013,
  }),
  row(0x0092, 'gnssOutputPeriod', 'u8', 'GNSS output period', {
    words: { 0: '500 ms', 1: '1000 ms', 2: '2000 ms', 3: '3000 ms', 4: '4000 ms' },
    ...from2013,
  }),
  row(0x0093, 'gnssSampling', 'u32', 'GNSS detail sampling', { ...s, ...from2013 }),
  row(0x0094, 'gnssUploadMode', 'u8', 'GNSS detail upload mode', {
    words: {
      0: 'store only',
      1: 'by time',
      2: 'by distance',
      11: 'until time',
      12: 'until distance',
      13: 'until count',
    },
    ...from2013,
  }),
  row(0x0095, 'gnssUploadSetting', 'u32', 'GNSS detail upload setting: s, m or items by mode', from2013),
  row(0x0100, 'can1Sampling', 'u32', 'CAN 1 sampling', { unit: 'ms', ...from2013 }),
  row(0x0101, 'can1Upload', 'u16', 'CAN 1 upload', { ...s, ...from2013 }),
  row(0x0102, 'can2Sampling', 'u32', 'CAN 2 sampling', { unit: 'ms', ...from2013 }),
  row(0x0103, 'can2Upload', 'u16', 'CAN 2 upload', { ...s, ...from2013 }),
];

const byId = new Map(declared.map((one) => [one.id, one]));
const byName = new Map(declared.map((one) => [one.name, one]));

/** All declared parameters, by id. 0x0110..0x01FF (per-id CAN sampling, 8 bytes each) are declared by `parameterOf`. */
export const parameters: readonly ParameterDeclaration[] = declared;

/** The declaration of a parameter, or undefined: vendor ids and those of other standards stay bytes. */
export function parameterOf(idOrName: number | string): ParameterDeclaration | undefined {
  if (typeof idOrName === 'string') return byName.get(idOrName);
  if (idOrName >= 0x0110 && idOrName <= 0x01ff) {
    return row(idOrName, `canId${idOrName.toString(16)}`, 'bytes', 'CAN sampling by id', from2013);
  }
  return byId.get(idOrName);
}

/** A parameter in words. `value` is hex for bytes and for what does not fit its declaration. */
export interface ParameterReading {
  id: number;
  name?: string;
  value: number | string;
  unit?: string;
}

/**
 * Reads the value of a parameter. Numbers are read by the length that came, because makers change widths
 * (reference 5.1); a number of another length than 1, 2 or 4 bytes stays hex.
 */
export function readParameter(id: number, value: Uint8Array): ParameterReading {
  const declaration = parameterOf(id);
  if (declaration === undefined) return { id, value: toHex(value) };
  const { name, unit, type } = declaration;
  const reading = { id, name, ...(unit === undefined ? {} : { unit }) };
  if (type === 'text') return { ...reading, value: trimmedText(value) };
  const isNumber = type !== 'bytes' && (value.length === 1 || value.length === 2 || value.length === 4);
  return { ...reading, value: isNumber ? value.reduce((sum, byte) => sum * 256 + byte, 0) : toHex(value) };
}

function trimmedText(value: Uint8Array): string {
  let end = value.length;
  while (end > 0 && value[end - 1] === 0) end--;
  return decodeText(value.subarray(0, end));
}

const widths = { u8: 1, u16: 2, u32: 4 } as const;

/**
 * The item of a 0x8103 for one parameter.
 * @param idOrName a declared name, or any id; undeclared ids take hex
 * @throws EncodeError when the value is not what the parameter takes
 */
export function encodeParameter(
  idOrName: number | string,
  value: number | string,
  edition: Edition,
): { id: number; value: Uint8Array } {
  const declaration = parameterOf(idOrName);
  const path = String(idOrName);
  if (declaration === undefined) {
    if (typeof idOrName === 'string') throw new EncodeError(path, 'no parameter has this name');
    return { id: idOrName, value: hexValue(path, value) };
  }
  const type = (edition === 2011 ? declaration.typeIn2011 : undefined) ?? declaration.type;
  const { id } = declaration;
  if (type === 'bytes') return { id, value: hexValue(path, value) };
  if (type === 'text') {
    if (typeof value !== 'string') throw new EncodeError(path, `expected a text, found ${String(value)}`);
    return { id, value: encodeText(value) };
  }
  const width = widths[type];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
    throw new EncodeError(path, `expected a whole number of ${width} bytes, found ${JSON.stringify(value)}`);
  }
  const bytes = new Uint8Array(width);
  for (let i = width - 1, left = value; i >= 0; i--, left = Math.floor(left / 256)) bytes[i] = left & 255;
  return { id, value: bytes };
}

function hexValue(path: string, value: number | string): Uint8Array {
  if (typeof value !== 'string' || !/^([0-9a-f]{2})*$/i.test(value)) {
    throw new EncodeError(path, `expected bytes as hex, found ${JSON.stringify(value)}`);
  }
  return fromHex(value);
}
