import { DecodeError } from '../errors.js';
import { limits } from '../limits.js';
import { linecrew } from './generated/terminal.js';
import {
  alarmKinds,
  arrivalModes,
  crewActions,
  dutyStates,
  priorities,
  receiptResults,
  type Downlink,
  type DownlinkBody,
  type MqttPosition,
  type QueueEntry,
  type Uplink,
  type UplinkBody,
} from './messages.js';

const wire = linecrew.v1;

/** Payload of `linecrew/v1/t/{terminalId}/up`, or content of a 0x0900 envelope. */
export function encodeUplink(uplink: Uplink): Uint8Array {
  return wire.Uplink.encode({
    sequence: uplink.sequence,
    sentAtMs: uplink.sentAtMs,
    ...uplinkBodyToWire(uplink.body),
  }).finish();
}

/**
 * @throws DecodeError `protobuf` when the bytes are no Uplink, `too_long` beyond `limits.protobufBytes`, `value` when a
 * time or coordinate is no finite number
 */
export function decodeUplink(bytes: Uint8Array): Uplink {
  const message = decodeWith(() => wire.Uplink.decode(bytes), bytes);
  return {
    sequence: message.sequence,
    sentAtMs: finite(message.sentAtMs, 'sent_at_ms'),
    body: uplinkBodyFromWire(message),
  };
}

/** Payload of `linecrew/v1/t/{terminalId}/down`, or content of a 0x8900 envelope. */
export function encodeDownlink(downlink: Downlink): Uint8Array {
  return wire.Downlink.encode({
    deliveryId: downlink.deliveryId,
    sentAtMs: downlink.sentAtMs,
    ...downlinkBodyToWire(downlink.body),
  }).finish();
}

/** @throws DecodeError as `decodeUplink` */
export function decodeDownlink(bytes: Uint8Array): Downlink {
  const message = decodeWith(() => wire.Downlink.decode(bytes), bytes);
  return {
    deliveryId: message.deliveryId,
    sentAtMs: finite(message.sentAtMs, 'sent_at_ms'),
    body: downlinkBodyFromWire(message),
  };
}

/** protobufjs throws Error, RangeError and TypeError on bad input: all of them are the sender's fault. */
function decodeWith<T>(decode: () => T, bytes: Uint8Array): T {
  if (bytes.length > limits.protobufBytes) {
    throw new DecodeError('too_long', limits.protobufBytes, `a message has at most ${limits.protobufBytes} bytes`);
  }
  try {
    return decode();
  } catch (error) {
    throw new DecodeError('protobuf', 0, error instanceof Error ? error.message : 'not a message of this schema');
  }
}

function uplinkBodyToWire(body: UplinkBody): linecrew.v1.IUplink {
  switch (body.kind) {
    case 'hello':
      return { hello: body };
    case 'receipt':
      return { receipt: { ...body, result: receiptResults.indexOf(body.result) } };
    case 'orderAction':
      return { orderAction: { ...body, action: crewActions.indexOf(body.action) } };
    case 'positions':
      return { positions: body };
    case 'duty':
      return { duty: { ...body, to: dutyStates.indexOf(body.to) } };
    case 'holdings':
      return { holdings: body };
    case 'answer':
      return { answer: body };
    case 'alarm':
      return { alarm: { ...body, kind: alarmKinds.indexOf(body.alarm) } };
    case 'unknown':
      return {};
  }
}

function uplinkBodyFromWire(message: linecrew.v1.Uplink): UplinkBody {
  if (message.receipt) return receipt(wire.Receipt.create(message.receipt));
  if (message.orderAction) return orderAction(wire.OrderAction.create(message.orderAction));
  if (message.positions) {
    const { positions, deliveryId } = wire.PositionBatch.create(message.positions);
    return { kind: 'positions', positions: positions.map((one) => position(one)), ...given('deliveryId', deliveryId) };
  }
  if (message.duty) {
    const duty = wire.Duty.create(message.duty);
    return {
      kind: 'duty',
      to: dutyStates[duty.to] ?? 'unspecified',
      atMs: finite(duty.atMs, 'at_ms'),
      ...given('reason', duty.reason),
      ...given('untilMs', finite(duty.untilMs, 'until_ms')),
    };
  }
  if (message.holdings) {
    const holdings = wire.Holdings.create(message.holdings);
    return {
      kind: 'holdings',
      revision: holdings.revision,
      entries: entries(holdings.entries),
      ...given('deliveryId', holdings.deliveryId),
    };
  }
  if (message.hello) {
    const hello = wire.Hello.create(message.hello);
    const { software, device, maxLegs, maxTextChars, capabilities, language } = hello;
    return {
      kind: 'hello',
      software,
      device,
      maxLegs,
      maxTextChars,
      capabilities,
      language,
      ...given('deliveryId', hello.deliveryId),
      ...given('serialNumber', hello.serialNumber),
      ...given('firmware', hello.firmware),
      ...given('iccid', hello.iccid),
    };
  }
  if (message.answer) {
    const { deliveryId, choice, text, atMs } = wire.Answer.create(message.answer);
    return { kind: 'answer', deliveryId, choice, atMs: finite(atMs, 'at_ms'), ...given('text', text) };
  }
  if (message.alarm) {
    const alarm = wire.Alarm.create(message.alarm);
    return {
      kind: 'alarm',
      alarm: alarmKinds[alarm.kind] ?? 'unspecified',
      active: alarm.active,
      atMs: finite(alarm.atMs, 'at_ms'),
      ...place(alarm.lat, alarm.lon),
      ...given('text', alarm.text),
    };
  }
  return { kind: 'unknown' };
}

function receipt(message: linecrew.v1.Receipt): UplinkBody {
  const { deliveryId, orderId, leg, contentVersion, revision, detail } = message;
  return {
    kind: 'receipt',
    deliveryId,
    result: receiptResults[message.result] ?? 'unspecified',
    ...(orderId === '' ? {} : { orderId, leg }),
    ...given('contentVersion', contentVersion),
    ...given('revision', revision),
    ...given('detail', detail),
  };
}

function orderAction(message: linecrew.v1.OrderAction): UplinkBody {
  return {
    kind: 'orderAction',
    orderId: message.orderId,
    leg: message.leg,
    action: crewActions[message.action] ?? 'unspecified',
    atMs: finite(message.atMs, 'at_ms'),
    ...given('reason', message.reason),
    ...place(message.lat, message.lon),
    ...given('note', message.note),
  };
}

function position(from: linecrew.v1.IPosition): MqttPosition {
  const message = wire.Position.create(from);
  return {
    atMs: finite(message.atMs, 'at_ms'),
    lat: finite(message.lat, 'lat'),
    lon: finite(message.lon, 'lon'),
    altitudeM: finite(message.altitudeM, 'altitude_m'),
    speedKmh: finite(message.speedKmh, 'speed_kmh'),
    headingDeg: message.headingDeg,
    alarm: message.alarm,
    status: message.status,
    ...given('accuracyM', finite(message.accuracyM, 'accuracy_m')),
    ...given('mileageKm', finite(message.mileageKm, 'mileage_km')),
    ...given('satellites', message.satellites),
  };
}

function downlinkBodyToWire(body: DownlinkBody): linecrew.v1.IDownlink {
  switch (body.kind) {
    case 'snapshot':
      return { snapshot: body };
    case 'orderUpsert':
      return {
        orderUpsert: {
          ...body,
          priority: priorities.indexOf(body.priority),
          arrivalMode: arrivalModes.indexOf(body.arrivalMode),
        },
      };
    case 'remove':
      return { remove: body };
    case 'urge':
      return { urge: body };
    case 'notice':
      return { notice: body };
    case 'question':
      return { question: body };
    case 'positionRequest':
      return { positionRequest: {} };
    case 'follow':
      return { follow: body };
    case 'describe':
      return { describe: {} };
    case 'restart':
      return { restart: {} };
    case 'unknown':
      return {};
  }
}

function downlinkBodyFromWire(message: linecrew.v1.Downlink): DownlinkBody {
  if (message.snapshot) {
    const snapshot = wire.Snapshot.create(message.snapshot);
    return { kind: 'snapshot', revision: snapshot.revision, entries: entries(snapshot.entries) };
  }
  if (message.orderUpsert) return orderUpsert(wire.OrderUpsert.create(message.orderUpsert));
  if (message.remove) {
    const { orderId, leg, reason, revision, contentVersion } = wire.Remove.create(message.remove);
    return { kind: 'remove', orderId, leg, revision, contentVersion, ...given('reason', reason) };
  }
  if (message.urge) {
    const { orderId, leg, text } = wire.Urge.create(message.urge);
    return { kind: 'urge', orderId, leg, ...given('text', text) };
  }
  if (message.notice) {
    const { text, urgent, silent, spokenOnly } = wire.Notice.create(message.notice);
    return { kind: 'notice', text, urgent, ...given('silent', silent), ...given('spokenOnly', spokenOnly) };
  }
  if (message.question) {
    const { text, choices, expiresAtMs, urgent, silent } = wire.Question.create(message.question);
    const expires = given('expiresAtMs', finite(expiresAtMs, 'expires_at_ms'));
    return { kind: 'question', text, choices, ...expires, ...given('urgent', urgent), ...given('silent', silent) };
  }
  if (message.positionRequest) return { kind: 'positionRequest' };
  if (message.follow) {
    const { intervalS, forS } = wire.Follow.create(message.follow);
    return { kind: 'follow', intervalS, forS };
  }
  if (message.describe) return { kind: 'describe' };
  if (message.restart) return { kind: 'restart' };
  return { kind: 'unknown' };
}

function orderUpsert(message: linecrew.v1.OrderUpsert): DownlinkBody {
  return {
    kind: 'orderUpsert',
    orderId: message.orderId,
    leg: message.leg,
    contentVersion: message.contentVersion,
    number: message.number,
    address: message.address,
    ...place(message.lat, message.lon),
    ...given('customerName', message.customerName),
    ...given('customerPhone', message.customerPhone),
    ...given('faultCategory', message.faultCategory),
    ...given('voltage', message.voltage),
    ...given('description', message.description),
    priority: priorities[message.priority] ?? 'unspecified',
    ...given('deadlineMs', finite(message.deadlineMs, 'deadline_ms')),
    arrivalMode: arrivalModes[message.arrivalMode] ?? 'unspecified',
    ...given('arrivalRadiusM', message.arrivalRadiusM),
  };
}

function entries(from: linecrew.v1.IEntry[]): QueueEntry[] {
  return from.map((one) => {
    const { orderId, leg, contentVersion } = wire.Entry.create(one);
    return { orderId, leg, contentVersion };
  });
}

/** A field that is absent when it has the value by which protobuf says "not given". */
function given<K extends string, V extends string | number | boolean>(name: K, value: V): { [P in K]?: V } {
  return value === '' || value === 0 || value === false ? {} : ({ [name]: value } as { [P in K]?: V });
}

function place(lat: number, lon: number): { lat?: number; lon?: number } {
  return lat === 0 && lon === 0 ? {} : { lat: finite(lat, 'lat'), lon: finite(lon, 'lon') };
}

function finite(value: number, field: string): number {
  if (!Number.isFinite(value)) throw new DecodeError('value', 0, `${field}: expected a finite number, found ${value}`);
  return value;
}
