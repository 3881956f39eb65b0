/** What the page and its live worker say to each other. */
import type { SseMessage } from '../api/sse-parser.js';
import type { PositionRow, PositionSnapshot } from './position-table.js';

export type ToLiveWorker =
  | { type: 'read'; stream: number; url: string; lastEventId: string | undefined }
  | { type: 'stop'; stream: number }
  /** Positions that came another way. */
  | { type: 'put'; rows: PositionRow[] }
  /** Somebody else may sign in: nothing is kept. */
  | { type: 'forget'; epoch: number };

export type FromLiveWorker =
  | { type: 'open'; stream: number }
  | { type: 'bytes'; stream: number }
  | { type: 'message'; stream: number; message: SseMessage }
  | { type: 'id'; stream: number; id: string }
  | { type: 'end'; stream: number; failure?: { message: string; status: number | undefined } }
  | { type: 'positions'; snapshot: PositionSnapshot };
