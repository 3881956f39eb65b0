/**
 * The one place where a message is declared: name, id, who sends it, since when, its body and what answers it. The
 * fields of a body are in bodies/.
 */
import type { Field, Infer } from '../field/index.js';
import * as control from './bodies/control.js';
import * as dispatch from './bodies/dispatch.js';
import * as location from './bodies/location.js';
import * as media from './bodies/media.js';
import * as session from './bodies/session.js';
import type { Edition } from './edition.js';

export interface MessageDeclaration {
  readonly id: number;
  readonly title: string;
  readonly direction: 'up' | 'down';
  /** First edition that has it. */
  readonly since: Edition;
  /** True when 2019 lists the id but removed the body; the 2013 body is used there (reference 4.0). */
  readonly withdrawn?: true;
  readonly body: Field<never> | Field<unknown>;
  /** Message that the receiver must answer with; absent when none is due (reference 6). */
  readonly reply?: number;
}

const up = { direction: 'up', since: 2011 } as const;
const down = { direction: 'down', since: 2011 } as const;
const { empty } = session;

export const messages = {
  terminalAck: { ...up, id: 0x0001, title: 'terminal general reply', body: session.acknowledgement },
  heartbeat: { ...up, id: 0x0002, title: 'heartbeat', body: empty, reply: 0x8001 },
  logout: { ...up, id: 0x0003, title: 'logout', body: empty, reply: 0x8001 },
  timeQuery: { ...up, id: 0x0004, title: 'server time request', since: 2019, body: empty, reply: 0x8004 },
  resendDownlink: {
    ...up,
    id: 0x0005,
    title: 'request for missing parts of a downlink',
    since: 2019,
    body: session.resendParts,
  },
  register: { ...up, id: 0x0100, title: 'registration', body: session.register, reply: 0x8100 },
  authenticate: { ...up, id: 0x0102, title: 'authentication', body: session.authenticate, reply: 0x8001 },
  parameters: { ...up, id: 0x0104, title: 'parameter answer', body: control.parameterAnswerOf },
  attributes: { ...up, id: 0x0107, title: 'attribute answer', since: 2013, body: session.attributes },
  upgradeResult: {
    ...up,
    id: 0x0108,
    title: 'upgrade result',
    since: 2013,
    body: session.upgradeResult,
    reply: 0x8001,
  },
  location: { ...up, id: 0x0200, title: 'location report', body: location.location, reply: 0x8001 },
  locationAnswer: { ...up, id: 0x0201, title: 'location query answer', body: location.locationAnswer },
  eventReport: {
    ...up,
    id: 0x0301,
    title: 'event report',
    withdrawn: true,
    body: dispatch.eventReport,
    reply: 0x8001,
  },
  questionAnswer: {
    ...up,
    id: 0x0302,
    title: 'question answer',
    withdrawn: true,
    body: dispatch.questionAnswer,
    reply: 0x8001,
  },
  infoRequest: {
    ...up,
    id: 0x0303,
    title: 'info request or cancel',
    withdrawn: true,
    body: dispatch.infoRequest,
    reply: 0x8001,
  },
  controlAnswer: { ...up, id: 0x0500, title: 'vehicle control answer', body: location.controlAnswer },
  areasAnswer: { ...up, id: 0x0608, title: 'area or route query answer', since: 2019, body: control.areasAnswer },
  recorderData: { ...up, id: 0x0700, title: 'tachograph data', body: control.recorderData },
  waybill: { ...up, id: 0x0701, title: 'electronic waybill', body: dispatch.waybill, reply: 0x8001 },
  driverIdentity: { ...up, id: 0x0702, title: 'driver identity', body: dispatch.driverIdentity, reply: 0x8001 },
  locationBatch: {
    ...up,
    id: 0x0704,
    title: 'batch of locations',
    since: 2013,
    body: location.locationBatch,
    reply: 0x8001,
  },
  canData: { ...up, id: 0x0705, title: 'CAN data', since: 2013, body: location.canData, reply: 0x8001 },
  mediaEvent: { ...up, id: 0x0800, title: 'multimedia event', body: media.mediaEvent, reply: 0x8001 },
  mediaData: { ...up, id: 0x0801, title: 'multimedia data', body: media.mediaData, reply: 0x8800 },
  mediaSearchAnswer: { ...up, id: 0x0802, title: 'stored media search answer', body: media.mediaSearchAnswer },
  shootAnswer: { ...up, id: 0x0805, title: 'shoot-now answer', since: 2013, body: media.shootAnswer },
  passthroughUp: { ...up, id: 0x0900, title: 'passthrough up', body: dispatch.passthrough, reply: 0x8001 },
  compressed: { ...up, id: 0x0901, title: 'compressed data', body: dispatch.compressed, reply: 0x8001 },
  terminalRsaKey: { ...up, id: 0x0a00, title: 'terminal RSA public key', body: session.rsaKey, reply: 0x8a00 },

  platformAck: { ...down, id: 0x8001, title: 'platform general reply', body: session.acknowledgement },
  resendUplink: {
    ...down,
    id: 0x8003,
    title: 'request for missing parts of an uplink',
    since: 2013,
    body: session.resendParts,
  },
  timeAnswer: { ...down, id: 0x8004, title: 'server time answer', since: 2019, body: session.timeAnswer },
  registerAnswer: { ...down, id: 0x8100, title: 'registration reply', body: session.registerAnswer },
  setParameters: { ...down, id: 0x8103, title: 'set parameters', body: control.setParameters, reply: 0x0001 },
  queryParameters: { ...down, id: 0x8104, title: 'query all parameters', body: empty, reply: 0x0104 },
  control: { ...down, id: 0x8105, title: 'terminal control', body: control.control, reply: 0x0001 },
  querySomeParameters: {
    ...down,
    id: 0x8106,
    title: 'query given parameters',
    since: 2013,
    body: control.querySome,
    reply: 0x0104,
  },
  queryAttributes: { ...down, id: 0x8107, title: 'query attributes', since: 2013, body: empty, reply: 0x0107 },
  upgrade: { ...down, id: 0x8108, title: 'upgrade package', since: 2013, body: session.upgrade, reply: 0x0001 },
  locationQuery: { ...down, id: 0x8201, title: 'location query', body: empty, reply: 0x0201 },
  track: { ...down, id: 0x8202, title: 'temporary tracking', body: location.track, reply: 0x0001 },
  confirmAlarm: {
    ...down,
    id: 0x8203,
    title: 'manual alarm confirmation',
    since: 2013,
    body: location.confirmAlarm,
    reply: 0x0001,
  },
  linkTest: { ...down, id: 0x8204, title: 'link test', since: 2019, body: empty, reply: 0x0001 },
  text: { ...down, id: 0x8300, title: 'text to the driver', body: dispatch.driverText, reply: 0x0001 },
  eventList: {
    ...down,
    id: 0x8301,
    title: 'event list',
    withdrawn: true,
    body: dispatch.eventList,
    reply: 0x0001,
  },
  question: { ...down, id: 0x8302, title: 'question', withdrawn: true, body: dispatch.question, reply: 0x0001 },
  infoMenu: { ...down, id: 0x8303, title: 'info menu', withdrawn: true, body: dispatch.infoMenu, reply: 0x0001 },
  infoService: {
    ...down,
    id: 0x8304,
    title: 'info service',
    withdrawn: true,
    body: dispatch.infoService,
    reply: 0x0001,
  },
  callBack: { ...down, id: 0x8400, title: 'call back', body: dispatch.callBack, reply: 0x0001 },
  phoneBook: { ...down, id: 0x8401, title: 'phone book', body: dispatch.phoneBook, reply: 0x0001 },
  vehicleControl: { ...down, id: 0x8500, title: 'vehicle control', body: control.vehicleControl, reply: 0x0001 },
  setCircles: { ...down, id: 0x8600, title: 'set circles', body: control.setCircles, reply: 0x0001 },
  deleteCircles: { ...down, id: 0x8601, title: 'delete circles', body: control.deleteAreas, reply: 0x0001 },
  setRectangles: { ...down, id: 0x8602, title: 'set rectangles', body: control.setRectangles, reply: 0x0001 },
  deleteRectangles: { ...down, id: 0x8603, title: 'delete rectangles', body: control.deleteAreas, reply: 0x0001 },
  setPolygon: { ...down, id: 0x8604, title: 'set a polygon', body: control.setPolygon, reply: 0x0001 },
  deletePolygons: { ...down, id: 0x8605, title: 'delete polygons', body: control.deleteAreas, reply: 0x0001 },
  setRoute: { ...down, id: 0x8606, title: 'set a route', body: control.setRoute, reply: 0x0001 },
  deleteRoutes: { ...down, id: 0x8607, title: 'delete routes', body: control.deleteAreas, reply: 0x0001 },
  queryAreas: {
    ...down,
    id: 0x8608,
    title: 'query areas or routes',
    since: 2019,
    body: control.queryAreas,
    reply: 0x0608,
  },
  recorderQuery: { ...down, id: 0x8700, title: 'tachograph query', body: control.recorderQuery, reply: 0x0700 },
  recorderSet: { ...down, id: 0x8701, title: 'tachograph setting', body: control.recorderQuery, reply: 0x0001 },
  queryDriver: { ...down, id: 0x8702, title: 'driver identity request', since: 2013, body: empty, reply: 0x0702 },
  mediaAnswer: { ...down, id: 0x8800, title: 'multimedia upload reply', body: media.mediaAnswer },
  shoot: { ...down, id: 0x8801, title: 'shoot now', body: media.shoot, reply: 0x0001 },
  searchMedia: { ...down, id: 0x8802, title: 'search stored media', body: media.searchMedia, reply: 0x0802 },
  uploadMedia: { ...down, id: 0x8803, title: 'upload stored media', body: media.uploadMedia, reply: 0x0001 },
  recordAudio: { ...down, id: 0x8804, title: 'record audio', body: media.recordAudio, reply: 0x0001 },
  uploadOne: {
    ...down,
    id: 0x8805,
    title: 'upload one stored item',
    since: 2013,
    body: media.uploadOne,
    reply: 0x0001,
  },
  passthroughDown: { ...down, id: 0x8900, title: 'passthrough down', body: dispatch.passthrough, reply: 0x0001 },
  platformRsaKey: { ...down, id: 0x8a00, title: 'platform RSA public key', body: session.rsaKey, reply: 0x0a00 },
} as const satisfies Record<string, MessageDeclaration>;

export type MessageName = keyof typeof messages;

/** The typed body of a message by its name. */
export type Body<K extends MessageName> = Infer<(typeof messages)[K]['body']>;

/** A decoded message: `name` tells which body it is. */
export type Message = { [K in MessageName]: { readonly name: K; readonly body: Body<K> } }[MessageName];

const byId = new Map<number, MessageName>();
for (const name of Object.keys(messages) as MessageName[]) byId.set(messages[name].id, name);
// The annex of 2011 lists logout as 0x0101; terminals that believed it are read (reference 2.5).
byId.set(0x0101, 'logout');

/** The name of a declared message id, or undefined. */
export function messageName(messageId: number): MessageName | undefined {
  return byId.get(messageId);
}

/** The declaration of a message id, or undefined when it is not declared. */
export function declarationOf(messageId: number): MessageDeclaration | undefined {
  const name = byId.get(messageId);
  return name === undefined ? undefined : messages[name];
}

const video = 'JT/T 1078';
const safety = 'active safety';

/** Messages of companion standards: known by name (reference 6.3), their bodies stay bytes. */
export const companionMessages: Readonly<
  Record<number, { readonly title: string; readonly standard: string; readonly direction: 'up' | 'down' }>
> = {
  0x1003: { title: 'audio and video attributes', standard: video, direction: 'up' },
  0x1005: { title: 'passenger flow', standard: video, direction: 'up' },
  0x1205: { title: 'recording list', standard: video, direction: 'up' },
  0x1206: { title: 'file upload finished', standard: video, direction: 'up' },
  0x1210: { title: 'alarm attachment information', standard: safety, direction: 'up' },
  0x1211: { title: 'attachment file information', standard: safety, direction: 'up' },
  0x1212: { title: 'attachment file finished', standard: safety, direction: 'up' },
  0x9003: { title: 'query audio and video attributes', standard: video, direction: 'down' },
  0x9101: { title: 'live stream request', standard: video, direction: 'down' },
  0x9102: { title: 'live stream control', standard: video, direction: 'down' },
  0x9105: { title: 'live stream status notice', standard: video, direction: 'down' },
  0x9201: { title: 'playback request', standard: video, direction: 'down' },
  0x9202: { title: 'playback control', standard: video, direction: 'down' },
  0x9205: { title: 'recording list query', standard: video, direction: 'down' },
  0x9206: { title: 'file upload command', standard: video, direction: 'down' },
  0x9207: { title: 'file upload control', standard: video, direction: 'down' },
  0x9208: { title: 'request for alarm attachments', standard: safety, direction: 'down' },
  0x9212: { title: 'answer to a finished file', standard: safety, direction: 'down' },
  0x9301: { title: 'pan and tilt', standard: video, direction: 'down' },
  0x9302: { title: 'focus', standard: video, direction: 'down' },
  0x9303: { title: 'iris', standard: video, direction: 'down' },
  0x9304: { title: 'wiper', standard: video, direction: 'down' },
  0x9305: { title: 'infra-red light', standard: video, direction: 'down' },
  0x9306: { title: 'zoom', standard: video, direction: 'down' },
};

/** True when this edition has the message; 2019 still lists those whose bodies it withdrew. */
export function hasMessage(declaration: MessageDeclaration, edition: Edition): boolean {
  return edition >= declaration.since;
}
