/** Opens the LMDB store in the directory given and does, one after the other, what its parent sends. */
import { openLmdb } from '../../../dispatch/store/lmdb.js';

// A write beyond the limit of file sizes must be an error, not the end of the process.
process.on('SIGXFSZ', () => undefined);

const store = await openLmdb(process.argv[2]!);
const answer = (message: object) => process.send!(message);
let next = 0;

/** 20 commits and 20 groups; both kinds share transactions. */
async function fill(): Promise<object> {
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 20; i++) {
    const id = `${next++}`.padStart(6, '0');
    const puts = [{ kind: 'k', id, expect: 0, value: 'x'.repeat(2_000), indexes: [['i', id]] as const }];
    const event = { type: 'x', source: 'api', by: 't', receivedAt: 0, committedAt: 0, data: {} } as const;
    writes.push(Promise.all([store.commit({ puts, events: [event] }), store.appendIngest('n', Buffer.alloc(5_000))]));
  }
  const settled = await Promise.allSettled(writes);
  const refused = settled.flatMap((one) =>
    one.status === 'rejected' ? [`${one.reason.name as string} ${one.reason.code as string}`] : [],
  );
  return { confirmed: settled.length - refused.length, refused };
}

async function read(): Promise<object> {
  const { items } = await store.scan({ index: 'i', limit: 1_000 });
  const { appended } = await store.ingestState('n');
  return { documents: items.length, appended, lastPosition: await store.lastPosition() };
}

async function check(): Promise<object> {
  return store.check().then(
    () => ({ well: true }),
    (error: Error) => ({ well: false, reason: error.message }),
  );
}

const jobs: Record<string, () => Promise<object>> = { fill, read, check };
process.on('message', (what: string) => {
  void jobs[what]!().then(answer);
});
answer({ ready: true });
