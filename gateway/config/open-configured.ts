import { openStore } from '../../dispatch/store/open.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import type { Config } from './settings.js';

/**
 * Opens the store that the configuration names, as it says: password and durability of Redis included.
 * @param url another store with the same settings, for commands that know two
 */
export function openConfigured(
  config: Pick<Config, 'store' | 'redisDurability' | 'redisPassword'>,
  url = config.store,
): Promise<DispatchStore> {
  return openStore(url, { durability: config.redisDurability, password: config.redisPassword });
}
