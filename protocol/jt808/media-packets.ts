import { decodeBody } from './codec.js';
import { DecodeError } from '../errors.js';

/**
 * Uploads in the packets of the 2011 draft: the body of each 0x0801 carries how many there are and its own number
 * (reference 5.7), and the header knows nothing of it.
 */
export interface MediaPacket {
  readonly mediaId: number;
  /** More than 1: an upload of one packet is whole. */
  readonly total: number;
  /** From 1. */
  readonly index: number;
  /**
   * What this packet adds when the bodies are joined in order: the first one a head that says "packet 1 of 1", so that
   * together they are the body of a whole upload; the others their data.
   */
  readonly bytes: Uint8Array;
}

/** Media id, kind, format, event, channel. */
const headBytes = 8;
/** Packet 1 of 1. */
const whole = [0, 0, 0, 1, 0, 0, 0, 1];

/** The packet in the body of a 0x0801 of 2011, or undefined where the body is not one of several. */
export function readMediaPacket(body: Uint8Array): MediaPacket | undefined {
  try {
    const decoded = decodeBody(0x0801, 2011, body);
    if (decoded?.name !== 'mediaData') return undefined;
    const { mediaId, totalPackets: total = 1, packetId: index = 1, data } = decoded.body;
    if (total <= 1) return undefined;
    if (index !== 1) return { mediaId, total, index, bytes: data };
    const bytes = new Uint8Array(headBytes + whole.length + data.length);
    bytes.set(body.subarray(0, headBytes), 0);
    bytes.set(whole, headBytes);
    bytes.set(data, headBytes + whole.length);
    return { mediaId, total, index, bytes };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
