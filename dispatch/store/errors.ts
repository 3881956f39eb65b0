/**
 * Why a store could not do what it was asked:
 * - `invalid`: what was given breaks the contract (says what, where and what was expected); never try again as it is
 * - `closed`: the store was closed
 * - `locked`: another process has the directory open
 * - `format`: the data was written by a newer version
 * - `full`: no space left (disk, quota, Redis memory)
 * - `readOnly`: the disk or the Redis server takes no writes
 * - `io`: the disk failed
 * - `timeout`: no answer in time; what was sent may or may not be stored
 * - `unavailable`: the server cannot be reached, or it cannot give the durability that was asked for
 */
export type StoreErrorCode =
  'invalid' | 'closed' | 'locked' | 'format' | 'full' | 'readOnly' | 'io' | 'timeout' | 'unavailable';

/** The one error class that stores reject with, except for programming errors. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** `StoreError` with code `invalid`. */
export function invalid(message: string): StoreError {
  return new StoreError('invalid', message);
}
