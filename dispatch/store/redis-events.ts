/** The event log on Redis: a Stream, with what was rewritten beside it. */
import type { StoredEvent } from '../domain/events.js';
import { eventJson, noSuchEvent } from './prepare.js';
import type { Arg, RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { toEvents } from './redis-replies.js';
import { scripts } from './redis-scripts.js';

export class RedisEvents {
  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: RedisKeys,
  ) {}

  async after(after: number, limit: number, ref?: string): Promise<StoredEvent[]> {
    const { events, rewritten, refs, state } = this.keys;
    if (ref === undefined) {
      const reply = await this.redis.script(scripts.eventsAfter, [events, rewritten, state], [after, limit]);
      return toEvents(reply as Buffer[]);
    }
    const from = `[${ref}\u0000${(after + 1).toString(16).padStart(16, '0')}`;
    const reply = await this.redis.script(scripts.events, [refs, events, rewritten], [from, `(${ref}\u0001`, limit]);
    return toEvents(reply as Buffer[]);
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
