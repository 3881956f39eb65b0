/** `/decode`: every byte of pasted JT/T 808 frames in words, in the browser; `POST /api/v1/decode` does the work. */
import { z } from 'zod';
import { Problem } from '../../dispatch/api/http/problem.js';
import { Answer, route } from '../../dispatch/api/http/route.js';
import type { ApiPlugin } from '../../dispatch/api/server.js';
import { DecodeError, describeStream, explainFrame, fromHex } from '../../protocol/index.js';
import { PAGE, SCRIPT, STYLE } from './decode-page.js';

const TAG = 'Operation';
/** Hex of a few hundred frames; a capture belongs to `linecrew decode`. */
const hexMax = 400_000;
/** Rows of one answer: a batch of a thousand locations has about ten thousand. */
const rowsMax = 20_000;

const body = z.strictObject({
  hex: z.string().min(1).max(hexMax).meta({ description: 'Frames as hex; spaces and line ends do not matter' }),
  edition: z.enum(['2011', '2013']).optional().meta({ description: 'Of frames with a short header' }),
});

const answer = z.object({
  frames: z.array(z.looseObject({})).meta({ description: 'As `linecrew decode` prints them (docs/decode-format.md)' }),
  rows: z.array(
    z.object({
      offset: z.int(),
      length: z.int(),
      hex: z.string(),
      field: z.string(),
      meaning: z.string(),
      value: z.string(),
    }),
  ),
  cutFrom: z
    .int()
    .optional()
    .meta({ description: `Rows in all, where there are more than ${rowsMax}` }),
});

export function decodePlugin(): ApiPlugin {
  return (_app, { route: add }) => {
    add(
      route({
        method: 'POST',
        path: '/decode',
        tag: TAG,
        right: 'signedIn',
        summary: 'Decode and explain JT/T 808 frames, byte by byte',
        body,
        responses: { 200: { description: 'What they say', schema: answer } },
        handler: ({ body: { hex, edition } }) => {
          const bytes = bytesOf(hex);
          const year = edition === undefined ? undefined : (Number(edition) as 2011 | 2013);
          const rows = explainFrame(bytes, year);
          const frames = describeStream(bytes, year === undefined ? {} : { edition: year });
          const shown = rows.slice(0, rowsMax);
          return { frames, rows: shown, ...(rows.length > rowsMax ? { cutFrom: rows.length } : {}) };
        },
      }),
    );
    for (const [path, type, content] of [
      ['/decode', 'text/html', PAGE],
      ['/decode.css', 'text/css', STYLE],
      ['/decode.js', 'text/javascript', SCRIPT],
    ] as const) {
      add(
        route({
          method: 'GET',
          path,
          root: true,
          tag: TAG,
          right: 'public',
          hidden: path !== '/decode',
          summary: 'Page that explains pasted frames',
          produces: [type],
          responses: { 200: { description: 'A page', mediaTypes: [type] } },
          handler: () => new Answer(200, content, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' }),
        }),
      );
    }
  };
} // prettier-ignore

function bytesOf(hex: string): Uint8Array {
  try {
    return fromHex(hex);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new Problem('invalidBody', `not hex: ${error.message}`, {
      errors: [{ pointer: '#/hex', detail: error.message, expected: 'pairs of hex digits' }],
    });
  }
}
