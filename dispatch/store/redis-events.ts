/** The event log on Redis: a Stream, with what was rewritten beside it. */
import type { StoredEvent } from '../domain/events.js';
import { eventJson, noSuchEvent } from './prepare.js';
import type { Arg, RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { toEvents } from './redis-replies.js';
import { scripts } from './redis-scripts.js';

/** Member of the references for one position: they stand in the order of the log. */
const refAt = (ref: string, position: number): string => `${ref}\u0000${position.toString(16).padStart(16, '0')}`;

export class RedisEvents {
  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: RedisKeys,
  ) {}

  async after(after: number, limit: number, ref?: string): Promise<StoredEvent[]> {
    const { events, rewritten, state } = this.keys;
    if (ref === undefined) {
      const reply = await this.redis.script(scripts.eventsAfter, [events, rewritten, state], [after, limit]);
      return toEvents(reply as Buffer[]);
    }
    return this.#named([`[${refAt(ref, after + 1)}`, `(${ref}\u0001`, limit, 'oldest']);
  }

  /** Newest first. */
  before(before: number | undefined, limit: number, ref: string): Promise<StoredEvent[]> {
    const upper = before === undefined ? `(${ref}\u0001` : `(${refAt(ref, before)}`;
    return this.#named([upper, `[${ref}\u0000`, limit, 'newest']);
  }

  async #named(args: Arg[]): Promise<StoredEvent[]> {
    const { events, rewritten, refs } = this.keys;
    return toEvents((await this.redis.script(scripts.events, [refs, events, rewritten], args)) as Buffer[]);
  }

  /** Puts other data into events; all positions must be in the log. */
  async rewrite(events: readonly Pick<StoredEvent, 'position' | 'data'>[]): Promise<void> {
    const args: Arg[] = [];
    for (const { position, data } of events) {
      const [found] = await this.after(position - 1, 1);
      if (found?.position !== position) throw noSuchEvent(position);
      const { position: _position, ...event } = found;
      args.push(position, eventJson({ ...event, data }));
    }
    await this.redis.writeScript(scripts.rewriteEvents, [this.keys.events, this.keys.rewritten], args);
  }

  async last(): Promise<number> {
    return Number(await this.redis.call('hget', this.keys.state, 'position'));
  }
}
