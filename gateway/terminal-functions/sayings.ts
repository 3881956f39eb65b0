/**
 * What a terminal says of itself without being asked, as last values of its vehicle: whose card is in the reader, a
 * waybill, what the driver asks for, what its camera took, how an upgrade ended, frames of the vehicle's CAN buses.
 */
import {
  canIdText,
  canSourceOf,
  decodeText,
  timeOfDayToMs,
  timeToMs,
  toHex,
  type Message,
} from '../../protocol/index.js';

export interface Saying {
  readonly values: Record<string, string | number | boolean>;
  /** By the terminal's clock, where the message has a time. */
  readonly at?: number;
}

/** Characters of a waybill that are kept; its format is not defined, and the log has all of it. */
const waybillMax = 2_000;
const UPGRADE_RESULTS = ['success', 'failure', 'cancelled'];
const MEDIA_KINDS = ['image', 'audio', 'video'];

/** Frames of the CAN buses whose last data are kept: they must not push all else out of a vehicle's values. */
const canFramesMax = 40;

/** Undefined: the message says nothing of this kind. */
export function sayingOf(message: Message, receivedAt: number): Saying | undefined {
  switch (message.name) {
    case 'driverIdentity': {
      const { status = 1, time, name, qualification } = message.body;
      const at = time === undefined ? NaN : timeToMs(time);
      const values = {
        driverCard: status === 1 ? 'inserted' : 'removed',
        ...(name === undefined ? {} : { driverName: name }),
        ...(qualification === undefined ? {} : { driverQualification: qualification }),
      };
      return Number.isNaN(at) ? { values } : { values, at };
    }
    case 'infoRequest': {
      const { type, wanted } = message.body;
      return { values: { [`info${type}Wanted`]: wanted === 1 } };
    }
    case 'waybill':
      return { values: { waybill: readable(message.body.content).slice(0, waybillMax) } };
    case 'mediaEvent': {
      const { mediaId, type } = message.body;
      return { values: { storedMediaId: mediaId, storedMediaKind: MEDIA_KINDS[type] ?? String(type) } };
    }
    case 'canData': {
      const at = timeOfDayToMs(message.body.receivedAt, receivedAt);
      const values: Record<string, string> = {};
      for (const { canId, data } of message.body.items.slice(0, canFramesMax)) values[canName(canId)] = toHex(data);
      return Number.isNaN(at) ? { values } : { values, at };
    }
    case 'upgradeResult': {
      const { result } = message.body;
      return { values: { upgradeResult: UPGRADE_RESULTS[result] ?? String(result) } };
    }
    default:
      return undefined;
  }
}

/** `can1.18fef100`, `can2.7e8.average`: bus, id in its form's width, how the value came to be. */
function canName(canId: number): string {
  const { channel, extended, averaged, id } = canSourceOf(canId);
  return `can${channel}.${canIdText(id, extended)}${averaged ? '.average' : ''}`;
}

/** The text, where the bytes are one; else hex. */
function readable(bytes: Uint8Array): string {
  const text = decodeText(bytes);
  return /[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text) ? toHex(bytes) : text;
}
