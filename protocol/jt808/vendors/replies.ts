import { msToTime } from '../time.js';
import type { Frame } from '../frame.js';
import { encodeFrame } from '../writer.js';

/** Answers that only private variants want (reference 1.11). */

/**
 * The answer to a text sentence, or undefined when none is due: one with `BASE,2` asks for the time, and gets itself
 * back with the word TIME replaced by yyyyMMddHHmmss in UTC. Other sentences are results of commands.
 */
export function answerSentence(sentence: string, now: number): string | undefined {
  if (!sentence.includes('BASE,2')) return undefined;
  return sentence.replace('TIME', `20${msToTime(now, 0)}`);
}

/**
 * The 0x4401 for a 0x5501 or 0x5502 as it goes on the wire, or undefined when the terminal did not ask for one by bit
 * 15: message id, result, and the frame's own serial of one byte in the header.
 */
export function answerShortSerial(frame: Frame, result: number): Uint8Array | undefined {
  if (!frame.shortSerial || (frame.attributes & 0x8000) === 0) return undefined;
  return encodeFrame({
    ...frame.identity(),
    messageId: 0x4401,
    serial: frame.serial,
    shortSerial: true,
    body: Uint8Array.from([frame.messageId >> 8, frame.messageId & 255, result]),
  });
}
