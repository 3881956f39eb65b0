/** The fact that a store is being filled by a migration; see {@link refuseUnfinished}. */
import type { DispatchStore } from '../../dispatch/store/store.js';

export const MARK = 'migration';

export interface Mark {
  /** URL of the source, without a password. */
  from: string;
  finished: boolean;
}

/** A store that was filled in part must not be used: rejects with what to do. */
export async function refuseUnfinished(store: DispatchStore): Promise<void> {
  const mark = (await store.meta(MARK)) as Mark | undefined;
  if (mark?.finished === false) {
    throw new Error(`the migration of this store from ${mark.from} was not finished: run linecrew migrate again`);
  }
}
