/**
 * Commits as fast as it can and prints a line for each thing that was confirmed, until it is killed.
 * Arguments: store URL, options of `openStore` as JSON, time of the first position.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../dispatch/store/open.js';
import { PositionBatch } from '../../dispatch/store/position-batch.js';

const [url, options, start] = process.argv.slice(2);
const store = await openStore(url!, JSON.parse(options!) as object);
const say = (line: string) => writeSync(1, `${line}\n`);
const firstAt = Number(start);

async function commitDocs(worker: number): Promise<never> {
  for (let i = 0; ; i++) {
    const id = `${worker}-${i}`;
    const event = { type: 'x', orderId: id, source: 'api', by: 't', receivedAt: 0, committedAt: 0, data: {} } as const;
    const puts = [{ kind: 'k', id, expect: 0, value: i, indexes: [['i', id]] as const }];
    if ((await store.commit({ puts, events: [event] })).ok) say(`doc ${id}`);
  }
}

async function appendGroups(): Promise<never> {
  for (;;) say(`group ${await store.appendIngest('n', Buffer.alloc(2_000, 1))}`);
}

async function putPositions(): Promise<never> {
  for (let i = 0; ; i++) {
    const batch = new PositionBatch(1);
    batch.add('v', firstAt + i, firstAt + i, i, i, 0, 0, 0, 0, 3, 0);
    if ((await store.commit({ positions: batch })).ok) say(`row ${i}`);
  }
}

await Promise.all([commitDocs(1), commitDocs(2), appendGroups(), putPositions()]);
