/**
 * The live connection: a stream that resumes from the last event seen, with a watch on silence, and polling where a
 * proxy holds streams back. What it says about freshness is what the whole page shows.
 */
import { signal } from '@preact/signals';
import { BASE, get } from '../api/client.js';
import type { SseMessage } from '../api/sse-parser.js';
import type { EventJson } from '../api/types.js';
import { readStreamInWorker } from './live-thread.js';

/** `live` by stream; `polling` by requests; `stale` = nothing heard, what is shown may be old. */
export type ConnectionState = 'connecting' | 'live' | 'polling' | 'stale';
export const connection = signal<{ state: ConnectionState; since: number }>({ state: 'connecting', since: Date.now() });
/** Machine time of the last bytes from the server. */
export const lastHeardAt = signal(Date.now());

/** The server writes a heartbeat at least every 15 s; twice that without a byte means the line is dead. */
const SILENCE_MS = 32_000;
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;
const POLL_MS = 4_000;
const POLLS_PER_LOOK = 5;
/** Streams that bring nothing this often in a row are held back by something in between: poll. */
const HELD_BACK_AFTER = 3;
/** While polling, a stream is tried again after this, then each time after twice as long. */
const MIN_TRIAL_WAIT_MS = 10_000;
const MAX_TRIAL_WAIT_MS = 5 * 60_000;
/** A stream that is not held back brings its first bytes at once; polling pauses no longer than this for a trial. */
const TRIAL_MS = 4_000;
/** Why a stream is ended that has not failed: the next one asks for something else. */
const ANOTHER_QUERY = 'another query';

export interface LiveHandlers {
  onEvents(events: EventJson[]): void;
  /** While polling, now and then: what no event tells, the positions. */
  onLook(): Promise<void>;
  /** Everything must be loaded afresh: the first connection, or the log no longer reaches back to the last event. */
  onReload(): Promise<void>;
}

function set(state: ConnectionState): void {
  if (connection.value.state === state) return;
  const since = state === 'stale' ? lastHeardAt.value : Date.now();
  connection.value = { state, since };
}

export class LiveConnection {
  #handlers: LiveHandlers;
  #query: () => string;
  /** Of the stream that is open, or was last. */
  #asked = '';
  #lastEventId: string | undefined;
  #abort = new AbortController();
  #stopped = false;
  #failures = 0;
  #silentStreams = 0;
  #polls = 0;
  #trialWaitMs = MIN_TRIAL_WAIT_MS;
  #trialAt = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | undefined;

  /** `query` gives the stream's query (`positions=1&bbox=…`), read at each connection. */
  constructor(query: () => string, handlers: LiveHandlers) {
    this.#handlers = handlers;
    this.#query = query;
  }

  start(): void {
    void this.#run();
    window.addEventListener('online', this.#retryNow);
    window.addEventListener('offline', this.#lost);
    document.addEventListener('visibilitychange', this.#retryNow);
  }

  stop(): void {
    this.#stopped = true;
    this.#abort.abort();
    this.#wake?.();
    clearTimeout(this.#watch);
    window.removeEventListener('online', this.#retryNow);
    window.removeEventListener('offline', this.#lost);
    document.removeEventListener('visibilitychange', this.#retryNow);
  }

  /** Opens the stream again if its query has changed; nothing is missed, it goes on from the last event. */
  queryChanged(): void {
    // One that is not open yet looks when it is, and polling asks for no positions.
    if (connection.value.state === 'live' && this.#query() !== this.#asked) this.#abort.abort(ANOTHER_QUERY);
  }

  #retryNow = (): void => {
    if (document.hidden) return;
    this.#trialAt = 0;
    this.#wake?.();
  };

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#abort = new AbortController();
      this.#watchFor(this.#lost, SILENCE_MS);
      try {
        if (this.#silentStreams < HELD_BACK_AFTER) await this.#stream();
        else if (connection.value.state === 'polling' && Date.now() >= this.#trialAt) await this.#tryStream();
        else await this.#poll();
        this.#failures = 0;
      } catch (error) {
        if (this.#stopped) return;
        if (!this.#abort.signal.aborted || connection.value.state !== 'live') this.#failures += 1;
        if ((error as { status?: number }).status === 410) this.#lastEventId = undefined;
      }
      clearTimeout(this.#watch);
      if (this.#stopped) return;
      const wait = Math.min(MAX_WAIT_MS, MIN_WAIT_MS * 2 ** Math.min(this.#failures, 5));
      if (this.#failures > 0) {
        set('stale');
        await this.#pause(wait * (0.5 + Math.random() / 2));
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #heard(): void {
    lastHeardAt.value = Date.now();
    this.#watchFor(this.#lost, SILENCE_MS);
  }

  /** One watch at a time: `silent` is called unless something is heard within `ms`. */
  #watchFor(silent: () => void, ms: number): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(silent, ms);
  }

  /** Silence, or the browser says that there is no network: what is shown is not live from now on. */
  #lost = (): void => {
    set('stale');
    this.#failures += 1;
    this.#abort.abort();
  };

  async #stream(): Promise<void> {
    let brought = false;
    let answered = false;
    const { signal } = this.#abort;
    this.#asked = this.#query();
    try {
      await readStreamInWorker(
        `${BASE}/stream${this.#asked && `?${this.#asked}`}`,
        this.#lastEventId,
        {
          onOpen: () => {
            answered = true;
            void this.#opened();
          },
          onBytes: () => {
            if (!brought) {
              brought = true;
              this.#silentStreams = 0;
              this.#trialWaitMs = MIN_TRIAL_WAIT_MS;
              this.#failures = 0;
              set('live');
              this.queryChanged();
            }
            this.#heard();
          },
          onMessage: (message) => this.#message(message),
          onId: (id) => (this.#lastEventId = id),
        },
        signal,
      );
    } catch (error) {
      answered ||= signal.aborted || (error as { status?: number }).status !== undefined;
      throw error;
    } finally {
      // A network that is down holds nothing back.
      if (answered && !brought && signal.reason !== ANOTHER_QUERY) this.#silentStreams += 1;
    }
  }

  /** Whether streams come through again; where they do, this one goes on. Polling goes on where not. */
  async #tryStream(): Promise<void> {
    this.#trialAt = Date.now() + this.#trialWaitMs;
    this.#trialWaitMs = Math.min(MAX_TRIAL_WAIT_MS, this.#trialWaitMs * 2);
    const trial = this.#abort;
    this.#watchFor(() => trial.abort(), TRIAL_MS);
    try {
      await this.#stream();
    } catch (error) {
      if (this.#silentStreams < HELD_BACK_AFTER) throw error;
    }
  }

  /** The lists are loaded after the stream is open, so that no change falls between the two. */
  async #opened(): Promise<void> {
    if (this.#lastEventId !== undefined) return;
    await this.#handlers.onReload();
  }

  #message(message: SseMessage): void {
    // `end` says why the server closes; the close itself is what counts.
    if (message.event !== 'message') return;
    const data = JSON.parse(message.data) as EventJson | EventJson[];
    this.#handlers.onEvents(Array.isArray(data) ? data : [data]);
  }

  async #poll(): Promise<void> {
    const after = this.#lastEventId;
    // Without an event to go on from, the lists are loaded, and what comes after the present end of the log.
    const query = after === undefined ? 'limit=1' : `limit=500&after=${encodeURIComponent(after)}`;
    const page = await get<{ items: EventJson[]; lastPosition: number }>(`/events?${query}`, {
      signal: this.#abort.signal,
    });
    this.#heard();
    if (connection.value.state !== 'polling') {
      this.#trialWaitMs = MIN_TRIAL_WAIT_MS;
      this.#trialAt = Date.now() + MIN_TRIAL_WAIT_MS;
    }
    set('polling');
    if (after === undefined) {
      this.#lastEventId = String(page.lastPosition);
      await this.#handlers.onReload();
    } else if (page.items.length > 0) {
      this.#lastEventId = String(page.items.at(-1)!.position);
      this.#handlers.onEvents(page.items);
    }
    if (++this.#polls % POLLS_PER_LOOK === 0) await this.#handlers.onLook();
    await this.#pause(POLL_MS);
  }
}
