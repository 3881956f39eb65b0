import { openLmdb } from './lmdb.js';
import type { RedisStoreOptions } from './redis-options.js';
import type { DispatchStore } from './store.js';
import { parseStoreUrl } from './store-url.js';

/** Options of the Redis store also stand here; LMDB takes the clock alone. */
export type OpenOptions = RedisStoreOptions;

/**
 * Opens the dispatch store that a URL names (see {@link parseStoreUrl} for its forms). Rejects with `StoreError`:
 * `invalid` where the URL is wrong, otherwise what the store's own opening says.
 */
export async function openStore(url: string, options: OpenOptions = {}): Promise<DispatchStore> {
  const where = parseStoreUrl(url);
  if (where.kind === 'lmdb') return openLmdb(where.directory, options);
  const { openRedis } = await import('./redis.js');
  return openRedis(where, options);
}
