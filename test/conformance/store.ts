/**
 * What every dispatch store must do, written once against the interface. Each store's test file calls
 * {@link storeConformance} with how to open it.
 */
import { afterEach, beforeEach, describe } from 'vitest';
import { blobTests } from './blobs.js';
import { documentTests } from './documents.js';
import { dueTests } from './due.js';
import { eventTests } from './events.js';
import { everythingTests } from './everything.js';
import { idempotencyTests } from './idempotency.js';
import { indexTests } from './indexes.js';
import { ingestTests } from './ingest.js';
import { lifeTests } from './life.js';
import { positionTests } from './positions.js';
import { presenceTests } from './presence.js';
import { watchTests } from './watching.js';
import { NOW, type StoreUnderTest } from './support.js';

/** `durable: false` leaves out what needs data that outlives the process. */
export function storeConformance(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { durable }: { durable: boolean } = { durable: true },
): void {
  describe(`dispatch store: ${name}`, () => {
    let under: StoreUnderTest;

    beforeEach(async () => {
      under = await open();
      under.clock.now = NOW;
    });

    afterEach(async () => {
      await under.dispose();
    });

    const opened = (): StoreUnderTest => under;
    documentTests(opened);
    indexTests(opened);
    eventTests(opened);
    idempotencyTests(opened);
    dueTests(opened);
    ingestTests(opened);
    positionTests(opened);
    presenceTests(opened);
    blobTests(opened);
    everythingTests(opened);
    watchTests(opened);
    lifeTests(opened, durable);
  });
}
