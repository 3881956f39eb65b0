/** Cursor pages over a scan, with what the principal may not see left out. */
import type { DispatchPort } from '../../ports.js';
import type { Scan, StoredDoc } from '../../store/store.js';
import { DEFAULT_PAGE } from '../schemas/common.js';
import { Problem } from './problem.js';

export interface PageQuery {
  limit?: number | undefined;
  after?: string | undefined;
}

/** Documents looked at for one page when most of them are filtered out: bounds the time of a request. */
const MAX_LOOKED_AT = 20_000;

/**
 * One page of what `take` accepts. Where few are accepted the page may be short, or empty, and still have `next`: the
 * client goes on from there.
 */
export async function page<T>(
  dispatch: DispatchPort,
  scan: Omit<Scan, 'limit' | 'after'>,
  query: PageQuery,
  take: (docs: StoredDoc[]) => Promise<(T | undefined)[]> | (T | undefined)[],
): Promise<{ items: T[]; next?: string }> {
  const wanted = query.limit ?? DEFAULT_PAGE;
  const items: T[] = [];
  let after = query.after === undefined ? undefined : decode(query.after);
  let looked = 0;
  for (;;) {
    const found = await dispatch.scan({
      ...scan,
      limit: Math.min(1_000, wanted - items.length),
      ...(after === undefined ? {} : { after }),
    });
    for (const item of await take(found.items)) if (item !== undefined) items.push(item);
    looked += found.items.length;
    after = found.next;
    if (after === undefined) return { items };
    if (items.length >= wanted || looked >= MAX_LOOKED_AT) return { items, next: encode(after) };
  }
}

/** Cursors are opaque to clients, and survive a query string whatever characters the store uses. */
const encode = (cursor: string): string => Buffer.from(cursor, 'utf8').toString('base64url');

function decode(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (encode(text) === cursor) return text;
  throw new Problem('invalidParameter', '`after` is no cursor of ours', {
    errors: [{ parameter: 'after', detail: 'is no cursor', expected: '`next` of the page before' }],
  });
}
