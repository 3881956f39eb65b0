import { gunzipSync } from 'node:zlib';
import { DecodeError } from '../errors.js';
import { limits } from '../limits.js';
import { parseFrame, type Frame } from './frame.js';

/** What was in a compressed upload. */
export interface Inflated {
  readonly content: Uint8Array;
  /** Set when the content is a whole header with its body; otherwise it is an opaque block (reference 4.10). */
  readonly frame?: Frame;
}

/**
 * Inflates the data of a 0x0901. The standard does not say whether the plain message has a header: it is tried first.
 * @throws DecodeError `compression` when the data is no GZIP, or inflates beyond `limits.inflatedBytes`
 */
export function inflateUpload(data: Uint8Array): Inflated {
  let content: Uint8Array;
  try {
    content = new Uint8Array(gunzipSync(data, { maxOutputLength: limits.inflatedBytes }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no GZIP data';
    throw new DecodeError('compression', 0, `${data.length} bytes do not inflate: ${reason}`);
  }
  try {
    const frame = parseFrame(content);
    return frame.warning === undefined ? { content, frame } : { content };
  } catch (error) {
    if (error instanceof DecodeError) return { content };
    throw error;
  }
}
