/**
 * Live streams (server-sent events, HTML standard 9.2): the event log from a position on, and position batches. Each
 * stream reads the log at its own pace; one that does not read is cut off, and goes on from its last id when it returns.
 */
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { StoredEvent } from '../domain/events.js';
import type { DispatchPort } from '../ports.js';
import { eventView } from '../views/event.js';
import type { Guard } from './guard.js';
import type { Authenticator } from './http/authenticate.js';
import { Problem } from './http/problem.js';
import type { HttpMetrics } from './metrics.js';
import { PositionFeed, type PositionWish } from './position-feed.js';
import { PositionHub } from './position-hub.js';
import type { ReachedCentre } from './reached-centre.js';

export interface StreamRequest {
  guard: Guard;
  /** Position to go on behind; undefined = from now on. */
  after: number | undefined;
  matches: (type: string) => boolean;
  positions: PositionWish | undefined;
}

export interface Streams {
  open(request: FastifyRequest, reply: FastifyReply, what: StreamRequest): Promise<void>;
  /** Tells every client to come back, and ends. */
  close(): void;
}

export interface StreamDeps {
  dispatch: DispatchPort;
  authenticator: Authenticator;
  reached: ReachedCentre;
  log: Pick<FastifyBaseLogger, 'info' | 'warn'>;
  metrics: Pick<HttpMetrics, 'streams' | 'streamsCut'>;
  limits?: Partial<StreamLimits>;
}

export interface StreamLimits {
  /** Open streams in all; about 50 KiB each at rest. */
  total: number;
  /** Of one account or token: every tab of every screen of one sign-in. */
  perPrincipal: number;
  /** Comment lines that keep proxies from closing; each also looks whether the client still may listen. */
  heartbeatMs: number;
  /** A client that takes nothing for so long is cut off. */
  stalledMs: number;
  /** Bytes that wait in the socket; above, nothing is written until it has drained. */
  bufferBytes: number;
  /** What the client is told to wait before it comes back. */
  retryMs: number;
}
const LIMITS: StreamLimits = {
  total: 2_000,
  perPrincipal: 50,
  heartbeatMs: 15_000,
  stalledMs: 20_000,
  bufferBytes: 1 << 20,
  retryMs: 2_000,
};
/** Events are written together up to this much: a client that is far behind costs one such text, not the whole log. */
const CHUNK_CHARS = 64 * 1024;

export function createStreams(deps: StreamDeps): Streams {
  const limits = { ...LIMITS, ...deps.limits };
  const hub = new PositionHub(deps.dispatch);
  const open = new Set<Stream>();
  let closing = false;

  return {
    async open(request, reply, what) {
      const { id } = what.guard.principal;
      const mine = [...open].filter((stream) => stream.principalId === id).length;
      if (closing) throw new Problem('tooBusy', 'the gateway is stopping', { headers: { 'retry-after': '5' } });
      if (open.size >= limits.total || mine >= limits.perPrincipal) {
        const limit =
          mine >= limits.perPrincipal ? `${limits.perPrincipal} for one account or token` : `${limits.total} in all`;
        throw new Problem('tooManyStreams', `no more streams can be opened: the limit is ${limit}`, {
          headers: { 'retry-after': '10' },
        });
      }
      const after = what.after ?? (await deps.dispatch.store.lastPosition());
      reply.hijack();
      const stream = new Stream(deps, limits, hub, request, reply, what, after);
      open.add(stream);
      deps.metrics.streams.set(open.size);
      stream.ended.then(() => {
        open.delete(stream);
        deps.metrics.streams.set(open.size);
      }, () => undefined); // prettier-ignore
      stream.begin();
    },
    close() {
      closing = true;
      for (const stream of open) stream.end('stopping', 'the gateway stops; come back in some seconds');
    },
  };
}

class Stream {
  readonly principalId: string;
  readonly ended: Promise<void>;
  #finish: () => void = () => undefined;
  #over = false;
  #stops: (() => void)[] = [];
  #drained: Promise<void> | undefined;
  /** Position of the last event that was written. */
  #told: number;

  constructor(
    private readonly deps: StreamDeps,
    private readonly limits: StreamLimits,
    private readonly hub: PositionHub,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    private readonly what: StreamRequest,
    private readonly after: number,
  ) {
    this.principalId = what.guard.principal.id;
    this.#told = after;
    this.ended = new Promise((done) => (this.#finish = done));
  }

  begin(): void {
    const { raw } = this.reply;
    const headers = this.reply.getHeaders();
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
    // `no-transform` and `x-accel-buffering` keep proxies from holding events back.
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    raw.socket?.setNoDelay(true);
    raw.on('close', () => this.#stop());
    raw.on('error', () => this.#stop());
    // The id at once: a client that loses the connection before the first event still misses nothing.
    raw.write(`retry: ${this.limits.retryMs}\nid: ${this.after}\n: stream from position ${this.after}\n\n`);
    const heartbeat = setInterval(() => void this.#heartbeat(), this.limits.heartbeatMs);
    this.#stops.push(() => clearInterval(heartbeat));
    const following = this.deps.dispatch.follow(this.after, (events) => this.#tell(events));
    this.#stops.push(() => following.cancel());
    if (this.what.positions) this.#beginPositions(this.what.positions);
  }

  /** A last message that says why, and the end. */
  end(code: string, detail: string): void {
    if (this.#over) return;
    const { raw } = this.reply;
    this.deps.metrics.streamsCut.inc({ reason: code });
    this.#stop();
    raw.end(`event: end\ndata: ${JSON.stringify({ code, detail })}\n\n`);
    // A client that does not read never gets it: its socket must not stay.
    const timer = setTimeout(() => raw.destroy(), 5_000);
    timer.unref();
    raw.once('close', () => clearTimeout(timer));
  }

  #stop(): void {
    if (this.#over) return;
    this.#over = true;
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#finish();
  }

  async #heartbeat(): Promise<void> {
    // A session that was ended, a token that was removed, an account that lost a role: the stream ends with them.
    const identity = await this.deps.authenticator
      .look(this.request)
      .catch((error: unknown) => (error instanceof Problem ? undefined : 'unknown'));
    if (this.#over || identity === 'unknown') return;
    if (!identity || !sameRights(identity.principal, this.what.guard.principal)) {
      return this.end('signedOut', 'the session or token has ended, or its rights have changed; sign in again');
    }
    if (this.#drained === undefined) this.reply.raw.write(': \n\n');
  }

  /** Waits for the socket; the log is read no faster than the client reads. */
  async #write(text: string): Promise<void> {
    await this.#drained;
    if (this.#over) return;
    const { raw } = this.reply;
    if (raw.write(text) || raw.writableLength < this.limits.bufferBytes) return;
    this.#drained = this.#drain().finally(() => (this.#drained = undefined));
    await this.#drained;
  }

  #drain(): Promise<void> {
    const { raw } = this.reply;
    return new Promise((done) => {
      const timer = setTimeout(() => {
        this.deps.log.info(
          { principal: this.principalId, bytes: raw.writableLength },
          'a stream was cut off: its client does not read',
        );
        this.end('tooSlow', `nothing was read for ${this.limits.stalledMs / 1000} s; come back with the last id`);
        finish();
      }, this.limits.stalledMs);
      const finish = (): void => {
        clearTimeout(timer);
        raw.off('drain', finish).off('close', finish);
        done();
      };
      raw.on('drain', finish).on('close', finish);
    });
  }

  async #tell(events: StoredEvent[]): Promise<void> {
    let text = '';
    const issued: StoredEvent[] = [];
    for (const event of events) {
      if (this.#over) return;
      // The log gives a follower that failed the same events again.
      if (event.position <= this.#told) continue;
      if (!this.what.matches(event.type) || !(await this.what.guard.seesEvent('event.stream', event))) continue;
      if (event.type === 'order.issued') issued.push(event);
      text += `id: ${event.position}\ndata: ${JSON.stringify(eventView(event))}\n\n`;
      if (text.length < CHUNK_CHARS) continue;
      await this.#write(text);
      this.#told = event.position;
      text = '';
    }
    // What was left out moves the id on too, so that a client that returns does not make us read it again.
    const last = events.at(-1)!.position;
    await this.#write(text === '' ? `id: ${last}\n:\n\n` : text);
    this.#told = last;
    if (this.#over) return;
    for (const { orderId, centreId } of issued) {
      if (orderId !== undefined && centreId !== undefined)
        void this.deps.reached.told(this.what.guard.principal, orderId, centreId);
    }
  }

  #beginPositions(wish: PositionWish): void {
    const { guard } = this.what;
    const feed = new PositionFeed({
      hub: this.hub,
      wish,
      mayTell: ({ centreId, vehicleId }) => guard.sees('event.stream', { centreId, vehicleIds: [vehicleId] }),
      write: (text) => this.#write(text),
      onProblem: (error) =>
        this.deps.log.warn({ err: error }, 'last positions could not be read for a stream; it goes on with new ones'),
    });
    this.#stops.push(() => feed.stop());
    void feed.begin();
  }
}

function sameRights(a: Guard['principal'], b: Guard['principal']): boolean {
  const rights = (p: Guard['principal']): string =>
    JSON.stringify([p.id, p.via, p.roles, p.centres, p.scopes, p.vehicleId]);
  return rights(a) === rights(b);
}
