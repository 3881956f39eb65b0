/**
 * Records of an ingest log on disk: a header of 20 bytes (mark, checksum, sequence, length), then the group. The checksum
 * covers sequence, length and group, so that a torn write, zeros and what an earlier file left are all no record.
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

export const HEADER_BYTES = 20;
const MARK = Buffer.from('LcG1');
const CRC_AT = 4;
const SEQUENCE_AT = 8;
const LENGTH_AT = 16;
/** Bytes that are read at once; more where a record is larger. */
const CHUNK_BYTES = 512 * 1024;

/** The header of a group. @param sequence below 2^48 */
export function recordHeader(sequence: number, group: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.set(MARK);
  header.writeUIntBE(sequence, SEQUENCE_AT, 6);
  header.writeUInt32BE(group.length, LENGTH_AT);
  header.writeUInt32BE(crc32(group, crc32(header.subarray(SEQUENCE_AT))), CRC_AT);
  return header;
}

export interface LogRecord {
  sequence: number;
  /** A view of memory that nobody writes to again. */
  group: Buffer;
  /** Place of the record in the file, and behind it. */
  start: number;
  end: number;
}

/**
 * Gives `visit` the sound records of a file between two places, in their order, until it says false. What lies between
 * them, or is damaged, is passed over. Rejects with the error of the file system.
 */
export async function eachRecord(
  file: FileHandle,
  from: number,
  to: number,
  visit: (record: LogRecord) => boolean,
): Promise<void> {
  for (let start = from, wanted = CHUNK_BYTES; start + HEADER_BYTES <= to;) {
    const chunk = await readChunk(file, start, Math.min(wanted, to - start));
    const inFile = Math.min(to, chunk.length < Math.min(wanted, to - start) ? start + chunk.length : to) - start;
    wanted = CHUNK_BYTES;
    let at = 0;
    while (at + HEADER_BYTES <= chunk.length) {
      const size = sizeAt(chunk, at, inFile);
      if (size !== undefined && at + size > chunk.length) {
        // The rest of it is in the file.
        wanted = Math.max(CHUNK_BYTES, size);
        break;
      }
      if (size === undefined || !isSound(chunk, at, size)) {
        at = nextMark(chunk, at + 1);
        continue;
      }
      const group = chunk.subarray(at + HEADER_BYTES, at + size);
      const sequence = chunk.readUIntBE(at + SEQUENCE_AT, 6);
      if (!visit({ sequence, group, start: start + at, end: start + at + size })) return;
      at += size;
    }
    if (inFile <= chunk.length && wanted === CHUNK_BYTES) return;
    start += at;
  }
}

async function readChunk(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(chunk, filled, bytes - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return chunk.subarray(0, filled);
}

/** Size of the record that a header announces; undefined where there is none, or it is longer than the file. */
function sizeAt(chunk: Buffer, at: number, inFile: number): number | undefined {
  if (chunk.compare(MARK, 0, MARK.length, at, at + MARK.length) !== 0) return undefined;
  const size = HEADER_BYTES + chunk.readUInt32BE(at + LENGTH_AT);
  return at + size > inFile ? undefined : size;
}

function isSound(chunk: Buffer, at: number, size: number): boolean {
  return crc32(chunk.subarray(at + SEQUENCE_AT, at + size)) === chunk.readUInt32BE(at + CRC_AT);
}

/** Where the next record may begin: at a mark, or where the chunk is too short to tell. */
function nextMark(chunk: Buffer, from: number): number {
  const found = chunk.indexOf(MARK, from);
  return found >= 0 ? found : Math.max(from, chunk.length - MARK.length + 1);
}
