import { StoreError } from './errors.js';
import type { OpenOptions } from './open.js';
import type { DispatchStore } from './store.js';
import type { StoreUrl } from './store-url.js';

/** Opens the dispatch store on a Redis server, Sentinel group or Cluster. */
export async function openRedis(
  where: Exclude<StoreUrl, { kind: 'lmdb' }>,
  _options: OpenOptions = {},
): Promise<DispatchStore> {
  throw new StoreError('unavailable', `Redis (${where.kind}) is not available in this build`);
}
