/** What the protobuf messages of apps and MQTT terminals say. */
import { Location, type MqttPosition, type Uplink, type UplinkBody } from '../../protocol/index.js';
import type { TerminalReport } from '../../dispatch/domain/commands.js';
import { appDescriptionReply, appPositionReply, type ReplyFields } from '../terminal-functions/replies.js';
import {
  addPosition,
  fixBit,
  fnv,
  ifGiven,
  isOnEarth,
  offEarth,
  sampleAlarms,
  time,
  unusable,
  type Origin,
  type Translation,
} from './translation.js';

const scratch = new Location();

/**
 * A protobuf uplink, from MQTT or a passthrough.
 * @param fallbackId what names the transmission where the terminal does not count its uplinks
 */
export function translateUplink(
  uplink: Uplink,
  payload: Uint8Array,
  fallbackId: string,
  origin: Origin,
  into: Translation,
): void {
  const { body, sequence } = uplink;
  if (body.kind === 'positions') {
    addPositions(body.positions, payload, origin, into);
    const { deliveryId } = body;
    // Hardly any position is an answer: nothing is made for the others.
    if (deliveryId !== undefined)
      addAppAnswer(deliveryId, appPositionReply(uplink, body.positions.at(-1)), origin, into);
    return;
  }
  if (body.kind === 'hello') {
    if (body.deliveryId !== undefined) addAppAnswer(body.deliveryId, appDescriptionReply(body), origin, into);
    return;
  }
  const id = sequence > 0 ? `lc.${sequence}` : fallbackId;
  const base = { ...origin, dedupKey: `${id}.${fnv(payload).toString(16)}` };
  const report = reportOf(body, base, payload, into);
  if (typeof report !== 'string') into.reports.push(report);
  else if (report !== '') into.reports.push(unusable(base, 'unknown', report, payload, 0, payload.length));
}

/** An answer of the app to a function is its receipt too. */
function addAppAnswer(deliveryId: string, reply: ReplyFields | undefined, origin: Origin, into: Translation): void {
  if (reply === undefined) return;
  // No window: an item has one answer and one end. The answer first: who waits for the end finds it there.
  const base = { ...origin, dedupKey: '', deliveryId } as const;
  into.reports.push({ ...base, type: 'report.reply', ...reply });
  into.reports.push({ ...base, type: 'report.receipt', result: 'ok', ofApplication: true });
}

type Base = Origin & { dedupKey: string };

/** The report of a body; a text says why there is none, an empty one that there is nothing to say. */
function reportOf(
  body: Exclude<UplinkBody, { kind: 'positions' | 'hello' }>,
  base: Base,
  payload: Uint8Array,
  into: Translation,
): TerminalReport | string {
  switch (body.kind) {
    case 'receipt': {
      const { deliveryId, orderId, leg, contentVersion, revision } = body;
      const result = body.result === 'unspecified' ? 'unsupported' : body.result;
      const named = { ...ifGiven('orderId', orderId), ...ifGiven('leg', leg), ...ifGiven('revision', revision) };
      const held = ifGiven('contentVersion', contentVersion);
      const delivery = deliveryId === '' ? {} : { deliveryId };
      return { ...base, type: 'report.receipt', ...delivery, ...named, ...held, result, ofApplication: true };
    }
    case 'holdings': {
      const { revision, entries, deliveryId } = body;
      return { ...base, type: 'report.holdings', revision, entries, ...ifGiven('deliveryId', deliveryId) };
    }
    case 'orderAction': {
      const { orderId, leg, lat, lon } = body;
      const action = body.action === 'working' ? 'work' : body.action;
      if (action === 'unspecified') return `an action on ${orderId} that is not known`;
      const at = placeOfKey(lat, lon, payload, base, into);
      const reason = ifGiven('reason', body.reason ?? body.note);
      return { ...base, type: 'report.action', orderId, leg, action, ...at, ...reason, ...time(body.atMs, base) };
    }
    case 'duty': {
      if (body.to === 'unspecified') return 'a duty state that is not known';
      const reason = ifGiven('reason', body.reason);
      return { ...base, type: 'report.duty', to: body.to, ...reason, ...time(body.atMs, base) };
    }
    case 'answer': {
      const { deliveryId, choice: answerId } = body;
      const text = ifGiven('text', body.text);
      return { ...base, type: 'report.answer', deliveryId, answerId, ...text, ...time(body.atMs, base) };
    }
    case 'alarm': {
      const { lat, lon, alarm, active, atMs } = body;
      if (alarm !== 'sos') return helpWords(body);
      // Bit 0 of the alarm word is SOS: from here on it is the alarm of a position like any other, with a fix or without.
      const status = lat === undefined || lon === undefined ? 1 : fixBit | 1;
      const place = { atMs, lat: lat ?? 0, lon: lon ?? 0, altitudeM: 0, speedKmh: 0, headingDeg: 0 };
      addPositions([{ ...place, alarm: active ? 1 : 0, status }], payload, base, into);
      return '';
    }
    case 'unknown':
      return 'a body of a newer version, or none';
  }
}

/** No alarm word has a bit for it and no rule waits for it: it is for a person, in words. */
function helpWords({ alarm, active, lat, lon, text }: Extract<UplinkBody, { kind: 'alarm' }>): string {
  const what =
    alarm === 'unspecified' ? 'an alarm that is not known' : alarm === 'accident' ? 'an accident' : 'a breakdown';
  const where = lat === undefined || lon === undefined ? '' : ` at ${lat.toFixed(6)}, ${lon.toFixed(6)}`;
  return `the crew reports ${active ? '' : 'the end of '}${what}${where}${text === undefined ? '' : `: ${text}`}`;
}

/** What a crew does counts wherever it was; a place that cannot be is for a person, like that of a position. */
function placeOfKey(
  lat: number | undefined,
  lon: number | undefined,
  payload: Uint8Array,
  origin: Origin,
  into: Translation,
): { at?: { lat: number; lon: number } } {
  if (lat === undefined || lon === undefined) return {};
  const place = { latE6: lat * 1e6, lonE6: lon * 1e6 };
  if (isOnEarth(place)) return { at: { lat, lon } };
  into.reports.push(offEarth(origin, place, payload, 0, payload.length));
  return {};
}

/** The payload is kept once for the first of its positions that cannot be, however many there are. */
function addPositions(
  positions: readonly MqttPosition[],
  payload: Uint8Array,
  origin: Origin,
  into: Translation,
): void {
  let kept = false;
  for (const position of positions) {
    readPosition(position);
    if (!addPosition(into.positions, origin.vehicleId, origin.receivedAt, scratch) && !kept) {
      into.reports.push(offEarth(origin, scratch, payload, 0, payload.length));
      kept = true;
    }
    // The flags are those of 2019 (terminal.proto).
    sampleAlarms(origin, 2019, scratch, into);
  }
}

/** Into `scratch`, as if it had been a 0x0200. */
function readPosition(p: MqttPosition): void {
  scratch.deviceAt = p.atMs;
  scratch.latE6 = Math.round(p.lat * 1e6);
  scratch.lonE6 = Math.round(p.lon * 1e6);
  scratch.altitudeM = clamp(p.altitudeM, -32_768, 32_767);
  scratch.speedDeciKmh = clamp(p.speedKmh * 10, 0, 65_535);
  scratch.headingDeg = clamp(p.headingDeg, 0, 65_535);
  scratch.alarm = p.alarm;
  scratch.status = p.status;
  scratch.mileageDeciKm = p.mileageKm === undefined ? -1 : clamp(p.mileageKm * 10, 0, 4_294_967_295);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}
