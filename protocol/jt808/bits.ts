import type { Edition } from './edition.js';

type Names = Readonly<Record<number, string>>;

const alarmsOf2011: Names = {
  0: 'sos',
  1: 'overspeed',
  2: 'fatigueDriving',
  3: 'earlyWarning',
  4: 'gnssFault',
  5: 'gnssAntennaOpen',
  6: 'gnssAntennaShort',
  7: 'powerLow',
  8: 'powerLost',
  9: 'displayFault',
  10: 'ttsFault',
  11: 'cameraFault',
  18: 'dailyDrivingExceeded',
  19: 'parkingTooLong',
  20: 'areaCrossed',
  21: 'routeCrossed',
  22: 'segmentTime',
  23: 'offRoute',
  24: 'speedSensorFault',
  25: 'fuelAbnormal',
  26: 'stolen',
  27: 'illegalIgnition',
  28: 'illegalDisplacement',
};

const alarmsOf2013: Names = {
  ...alarmsOf2011,
  3: 'dangerWarning',
  12: 'icCardModuleFault',
  13: 'overspeedWarning',
  14: 'fatigueWarning',
  29: 'collisionWarning',
  30: 'rolloverWarning',
  31: 'illegalDoorOpening',
};

const { 31: _reservedIn2019, ...alarmsKept } = alarmsOf2013;
const alarmsOf2019: Names = {
  ...alarmsKept,
  3: 'dangerousDriving',
  15: 'forbiddenPeriod',
  16: 'tyrePressureWarning',
  17: 'rightTurnBlindZone',
  29: 'collisionOrRollover',
};

/** Names of the alarm flags by bit (reference 3.2). Reserved bits have none: small trackers use them in their own way. */
export function alarmBits(edition: Edition): Names {
  return edition === 2011 ? alarmsOf2011 : edition === 2013 ? alarmsOf2013 : alarmsOf2019;
}

/** Alarm bits that a terminal clears when its report is answered (reference 3.2). */
export function clearedByReply(edition: Edition): readonly number[] {
  if (edition === 2019) return [0, 20, 21, 22, 27, 28];
  return edition === 2013 ? [0, 3, 20, 21, 22, 27, 28, 31] : [0, 3, 20, 21, 22, 27, 28];
}

/** Types that 0x8203 can confirm (reference 3.10). */
export const confirmableAlarmBits: Names = {
  0: 'sos',
  3: 'dangerWarning',
  20: 'areaCrossed',
  21: 'routeCrossed',
  22: 'segmentTime',
  27: 'illegalIgnition',
  28: 'illegalDisplacement',
};

const statusOf2011: Names = {
  0: 'accOn',
  1: 'fix',
  2: 'south',
  3: 'west',
  4: 'outOfOperation',
  5: 'coordinatesEncrypted',
  10: 'fuelCut',
  11: 'electricityCut',
  12: 'doorsLocked',
};

const statusOf2013: Names = {
  ...statusOf2011,
  8: 'loadLow',
  9: 'loadHigh',
  13: 'door1Open',
  14: 'door2Open',
  15: 'door3Open',
  16: 'door4Open',
  17: 'door5Open',
  18: 'gps',
  19: 'beidou',
  20: 'glonass',
  21: 'galileo',
};

const statusOf2019: Names = { ...statusOf2013, 6: 'forwardCollisionWarning', 7: 'laneDeparture', 22: 'moving' };

/** Names of the status bits (reference 3.3). Bits 8 and 9 together are the load: 00 empty, 01 half, 11 full. */
export function statusBits(edition: Edition): Names {
  return edition === 2011 ? statusOf2011 : edition === 2013 ? statusOf2013 : statusOf2019;
}

/** Item 0x25 (reference 3.6). */
export const signalBits: Names = {
  0: 'lowBeam',
  1: 'highBeam',
  2: 'rightTurn',
  3: 'leftTurn',
  4: 'brake',
  5: 'reverse',
  6: 'fogLamp',
  7: 'sideMarkers',
  8: 'horn',
  9: 'airConditioning',
  10: 'neutral',
  11: 'retarder',
  12: 'abs',
  13: 'heater',
  14: 'clutch',
};

/** Item 0x2A (reference 3.5). */
export const ioBits: Names = { 0: 'deepSleep', 1: 'sleep' };

/** Item 0x14 of JT/T 1078 (reference 3.7). */
export const videoAlarmBits: Names = {
  0: 'signalLoss',
  1: 'lensCovered',
  2: 'storageFault',
  3: 'deviceFault',
  4: 'overload',
  5: 'abnormalDriving',
  6: 'recordingLimit',
};

/** First word of item 0x18 of JT/T 1078. */
export const abnormalDrivingBits: Names = { 0: 'fatigue', 1: 'phone', 2: 'smoking' };

/** Attributes of an area (reference 5.6). */
export const areaBits: Names = {
  0: 'timeRange',
  1: 'speedLimit',
  2: 'enterAlarmDriver',
  3: 'enterAlarmPlatform',
  4: 'leaveAlarmDriver',
  5: 'leaveAlarmPlatform',
  6: 'south',
  7: 'west',
  8: 'forbidDoorOpening',
  14: 'radioOffInside',
  15: 'detailedGnssInside',
};

/** Attributes of a route segment (reference 5.6). */
export const segmentBits: Names = { 0: 'drivingTime', 1: 'speedLimit', 2: 'south', 3: 'west' };

/** Satellite systems in parameter 0x0090 and in 0x0107. */
export const gnssBits: Names = { 0: 'gps', 1: 'beidou', 2: 'glonass', 3: 'galileo' };

/** Radio attributes in 0x0107. */
export const radioBits: Names = {
  0: 'gprs',
  1: 'cdma',
  2: 'tdScdma',
  3: 'wcdma',
  4: 'cdma2000',
  5: 'tdLte',
  7: 'other',
};

/** Terminal type in 0x0107 (reference 5.4). */
export const terminalTypeBits: Names = {
  0: 'passenger',
  1: 'dangerousGoods',
  2: 'freight',
  3: 'taxi',
  6: 'hardDiskVideo',
  7: 'splitUnit',
  8: 'trailer',
};

/** Flags of 0x8300 (reference 4.1). In 2019 bits 0 and 1 together are a category: 1 service, 2 urgent, 3 notice. */
export function textFlagBits(edition: Edition): Names {
  if (edition === 2019) return { 0: 'category1', 1: 'category2', 2: 'display', 3: 'tts', 5: 'canFaultCode' };
  const common: Names = { 0: 'urgent', 2: 'display', 3: 'tts', 4: 'advertisingScreen' };
  return edition === 2013 ? { ...common, 5: 'canFaultCode' } : common;
}

/** Flags of 0x8302 (reference 4.3). */
export const questionFlagBits: Names = { 0: 'urgent', 3: 'tts', 4: 'advertisingScreen' };

/** The names of the bits that are set, in bit order; a bit without a name is `bit17`. */
export function namesOf(value: number, names: Names): string[] {
  const found: string[] = [];
  for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) found.push(names[bit] ?? `bit${bit}`);
  return found;
}
