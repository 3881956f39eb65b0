/**
 * What a terminal says of itself without being asked, as last values of its vehicle: whose card is in the reader, a
 * waybill, what the driver asks for, what its camera took, how an upgrade ended.
 */
import { decodeText, timeToMs, toHex, type Message } from '../../protocol/index.js';

export interface Saying {
  readonly values: Record<string, string | number | boolean>;
  /** By the terminal's clock, where the message has a time. */
  readonly at?: number;
}

/** Characters of a waybill that are kept; its format is not defined, and the log has all of it. */
const waybillMax = 2_000;
const UPGRADE_RESULTS = ['success', 'failure', 'cancelled'];
const MEDIA_KINDS = ['image', 'audio', 'video'];

/** Undefined: the message says nothing of this kind. */
export function sayingOf(message: Message): Saying | undefined {
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
    case 'upgradeResult': {
      const { result } = message.body;
      return { values: { upgradeResult: UPGRADE_RESULTS[result] ?? String(result) } };
    }
    default:
      return undefined;
  }
}

/** The text, where the bytes are one; else hex. */
function readable(bytes: Uint8Array): string {
  const text = decodeText(bytes);
  return /[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text) ? toHex(bytes) : text;
}
