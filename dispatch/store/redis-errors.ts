import { StoreError, type StoreErrorCode } from './errors.js';

/** What Redis says in the first word of an error, and what it means here. */
const REPLIES: Record<string, StoreErrorCode> = {
  OOM: 'full',
  READONLY: 'readOnly',
  MISCONF: 'io',
  NOREPLICAS: 'unavailable',
  LOADING: 'unavailable',
  BUSY: 'unavailable',
  CLUSTERDOWN: 'unavailable',
  MASTERDOWN: 'unavailable',
  TRYAGAIN: 'unavailable',
  MOVED: 'unavailable',
  ASK: 'unavailable',
  NOAUTH: 'unavailable',
  WRONGPASS: 'unavailable',
  NOPERM: 'unavailable',
  UNBLOCKED: 'unavailable',
};

/** Any error of ioredis as a `StoreError`; what is neither a reply nor the connection is a mistake of ours and stays. */
export function redisError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { message, name } = error instanceof Error ? error : { message: String(error), name: '' };
  return new StoreError(codeOf(name, message), `Redis: ${message}`, { cause: error });
}

function codeOf(name: string, message: string): StoreErrorCode {
  const known = REPLIES[message.split(/[\s:]/, 1)[0]!];
  if (known) return known;
  // Inside a script Redis puts the reason behind the script's name.
  if (/-OOM |command not allowed when used memory/.test(message)) return 'full';
  if (/-READONLY |against a read only replica/.test(message)) return 'readOnly';
  if (/timed out/i.test(message)) return 'timeout';
  if (name === 'ReplyError') return 'io';
  return 'unavailable';
}

/** True where the same work may succeed later without anybody's help: the server is away or changes its master. */
export function isPassing(error: StoreError): boolean {
  return error.code === 'timeout' || error.code === 'unavailable' || error.code === 'readOnly';
}
