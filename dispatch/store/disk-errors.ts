/** What the file system and LMDB say of a failed write, as the error of the store. */
import { StoreError, type StoreErrorCode } from './errors.js';

/** lmdb gives the reason of a failed commit as a second promise, `commitError`. */
export async function storeErrorOf(cause: unknown): Promise<StoreError> {
  if (cause instanceof StoreError) return cause;
  const reason: unknown = await (cause as { commitError?: Promise<never> }).commitError?.catch(
    (error: unknown) => error,
  );
  const error = reason instanceof Error ? reason : cause instanceof Error ? cause : new Error(String(cause));
  return new StoreError(codeOf(error), `the store could not write: ${error.message}`, { cause: error });
}

const ERRNO: Record<string, StoreErrorCode> = {
  // errno of Linux, macOS and the BSDs agree on these
  5: 'io',
  27: 'full', // EFBIG: the process may not make files this large
  28: 'full', // ENOSPC
  30: 'readOnly',
  122: 'full', // EDQUOT
  [-30792]: 'full', // MDB_MAP_FULL
  // of the file system
  EFBIG: 'full',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'readOnly',
};

function codeOf(error: Error & { code?: unknown }): StoreErrorCode {
  const known = ERRNO[String(error.code)];
  if (known) return known;
  if (/no space|MAP_FULL|quota|too large/i.test(error.message)) return 'full';
  if (/read-only/i.test(error.message)) return 'readOnly';
  return 'io';
}
