/**
 * What the session does with each message of a known terminal (reference 6.1), and when a body is wrong: decided before
 * the append, because the answer to the terminal depends on it.
 */
import {
  DecodeError,
  decodeBody,
  decodeUplink,
  faultOfBatch,
  isPassthrough,
  readBatch,
  unwrapPassthrough,
  Location,
} from '../../protocol/index.js';
import type { Edition } from './link.js';

/**
 * - `data`: through the gate, answered with 0x8001 when durable;
 * - `solicited`: through the gate, never answered (it is itself an answer);
 * - the others are handled by the session itself.
 */
export type UplinkHandling =
  'data' | 'solicited' | 'answer' | 'heartbeat' | 'logout' | 'time' | 'resend' | 'register' | 'authenticate';

const handlings: Readonly<Record<number, UplinkHandling>> = {
  0x0001: 'answer',
  0x0002: 'heartbeat',
  0x0003: 'logout',
  // The annex of 2011 prints logout as 0x0101 (reference 2.5).
  0x0101: 'logout',
  0x0004: 'time',
  0x0005: 'resend',
  0x0100: 'register',
  0x0102: 'authenticate',
  0x0104: 'solicited',
  0x0107: 'solicited',
  0x0108: 'data',
  0x0200: 'data',
  0x0201: 'solicited',
  // Private: a batch of locations of some trackers (reference 3.9).
  0x0210: 'data',
  0x0301: 'data',
  0x0302: 'data',
  0x0303: 'data',
  0x0500: 'solicited',
  0x0608: 'solicited',
  0x0700: 'solicited',
  0x0701: 'data',
  0x0702: 'data',
  0x0704: 'data',
  0x0705: 'data',
  0x0800: 'data',
  0x0801: 'data',
  0x0802: 'solicited',
  0x0805: 'solicited',
  0x0900: 'data',
  0x0901: 'data',
};

/** Undefined: an id that Linecrew does not know (answered with result 3). */
export function handlingOf(messageId: number): UplinkHandling | undefined {
  return handlings[messageId];
}

/** Dedicated replies that start with the serial of what they answer (reference 2.9, 3.10, 3.11, 5). */
export const repliesWithSerial: ReadonlySet<number> = new Set([0x0104, 0x0201, 0x0500, 0x0700, 0x0802, 0x0805]);

const scratch = new Location();
const ignore = (): void => {};

/**
 * What is wrong with a body, or undefined. Bytes behind the declared fields are not wrong: newer and sloppy terminals
 * send them. Not called for 0x0200, which is judged by its length alone.
 */
export function faultOf(messageId: number, edition: Edition, body: Uint8Array): DecodeError | undefined {
  try {
    if (messageId === 0x0704) {
      // One whole location is enough to accept a batch: a terminal that gets another result sends the same bytes for ever
      // (reference 3.9). What is damaged in it is put in quarantine by the reader.
      const found = readBatch(body, 0, body.length, scratch, ignore);
      return found > 0 ? undefined : faultOfBatch(body, 0, body.length, found);
    }
    const message = decodeBody(messageId, edition, body);
    if (message?.name === 'passthroughUp' && isPassthrough(message.body.type, message.body.content)) {
      decodeUplink(unwrapPassthrough(message.body.content));
    }
    return undefined;
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}
