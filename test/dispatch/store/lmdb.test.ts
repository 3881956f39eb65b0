import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdb } from '../../../dispatch/store/lmdb.js';
import { storeConformance } from '../../conformance/store.js';

storeConformance('LMDB', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'linecrew-lmdb-'));
  const clock = { now: 0 };
  let store = await openLmdb(directory, { now: () => clock.now });
  return {
    store,
    clock,
    reopen: async () => (store = await openLmdb(directory, { now: () => clock.now })),
    child: { url: `lmdb:${directory}`, options: {} },
    dispose: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});
