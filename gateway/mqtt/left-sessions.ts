/**
 * Sessions at an external broker that nobody reads any more. A broker goes on sharing uplinks out to the sessions of a
 * node that died, and keeps that share for it. Another node takes the sessions up under their names, stores and
 * acknowledges what waits in them, and takes them out of the shared subscription, so that nothing comes into them again.
 * A node that comes back takes its names over from whoever has them, and subscribes anew: a session is never deleted
 * while it may be back (MQTT 3.1.1 could do so only by connecting once more).
 */
import type { MqttClient } from 'mqtt';
import type { DispatchPort } from '../../dispatch/ports.js';
import { leaseName } from '../ingest/log-ownership.js';
import type { Logger } from '../log.js';
import { ALL_UP } from './topics.js';

export interface LeftSessionsOptions {
  readonly dispatch: DispatchPort;
  readonly node: string;
  /** Readers of this node: sessions 0 to `connections` - 1. */
  readonly connections: number;
  /** Unique among the starts of this node. */
  readonly start: string;
  /** Connects as reader `index` of `node`, with the session that is there, and does not reconnect. */
  readonly open: (node: string, index: number) => MqttClient;
  /** Ends a connection whose session is empty and no longer subscribed. */
  readonly end: (client: MqttClient) => Promise<void>;
  /** Resolves with whether the message is durable, so that it may be acknowledged. */
  readonly take: (topic: string, payload: string | Buffer) => Promise<boolean>;
  readonly log: Logger;
}

/** The readers that a node may have sessions for, from before it subscribes with them. */
interface Readers {
  connections: number;
  start: string;
}

/** Nothing came for so long after UNSUBACK: the session is empty. Gateway time, ms. */
const QUIET_MS = 2_000;
/** Longest time with the sessions of one node; what is left then is taken in the next round. Gateway time, ms. */
const PASS_MS = 20_000;
/** Who empties the sessions of a node holds this lease: longer than a pass. */
const LEASE_MS = 30_000;
const RETRY_MS = 1_000;
const READERS = 'mqtt.readers.';
/** Fact: the start of a node whose sessions are empty. A fact of its own, as the node may come back meanwhile. */
const EMPTIED = 'mqtt.emptied.';

export class LeftSessions {
  /** Resolves when others would find this node's sessions; only then may it subscribe. */
  readonly recorded: Promise<void>;
  readonly #clients = new Set<MqttClient>();
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly options: LeftSessionsOptions) {
    this.recorded = this.#record();
  }

  /** Empties what is left of nodes that are gone. What fails is tried again by the next look; never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        this.options.log.warn({ err: error, msg: 'MQTT sessions of other nodes could not be looked after' });
      })
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** What is being taken is left to the next node, or to the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const client of this.#clients) client.end(true);
    await this.#looking;
  }

  /** Sessions of an earlier start with more connections stay named until they are empty. */
  async #record(): Promise<void> {
    const { dispatch, node, connections, start, log } = this.options;
    while (!this.#stopped) {
      try {
        const before = await this.#readersOf(node);
        const named = Math.max(connections, before?.connections ?? 0);
        return await dispatch.store.setMeta(`${READERS}${node}`, { connections: named, start } satisfies Readers);
      } catch (error) {
        log.warn({ err: error, msg: 'uplinks are not subscribed to yet: the store cannot be written' });
        await this.#pause(RETRY_MS);
      }
    }
  }

  async #look(): Promise<void> {
    const { dispatch, node: self, connections, start } = this.options;
    const { store, clock } = dispatch;
    await this.recorded;
    for (const key of await store.metaKeys()) {
      if (this.#stopped || !key.startsWith(READERS)) continue;
      const node = key.slice(READERS.length);
      const readers = await this.#readersOf(node);
      if (!readers) continue;
      if (node === self) {
        if (readers.connections > connections && (await this.#empty(self, connections, readers.connections))) {
          await store.setMeta(key, { connections, start } satisfies Readers);
        }
      } else if ((await store.meta(EMPTIED + node)) !== readers.start) {
        if ((await store.owner(leaseName(node), clock.now()))?.node === node) continue;
        if (await this.#empty(node, 0, readers.connections)) await store.setMeta(EMPTIED + node, readers.start);
      }
    }
  }

  /** @returns whether nothing is left in the sessions `from` to `to` - 1 of a node */
  async #empty(node: string, from: number, to: number): Promise<boolean> {
    const { dispatch, node: self, start, log } = this.options;
    const { store, clock } = dispatch;
    const lease = `mqtt/left:${node}`;
    if (await store.owner(lease, clock.now())) return false;
    const { fence } = await store.claimTerminal(lease, self, start, clock.now(), LEASE_MS);
    try {
      const indexes = Array.from({ length: to - from }, (_, i) => from + i);
      const passes = await Promise.all(indexes.map((index) => this.#pass(node, index)));
      const uplinks = passes.reduce<number>((sum, pass) => sum + (pass ?? 0), 0);
      if (uplinks > 0) log.info({ node, uplinks, msg: 'took what waited at the MQTT broker for a node that is gone' });
      // What came in a pass may have had more behind it: only one that finds nothing tells that nothing is left.
      return passes.every((pass) => pass === 0);
    } finally {
      await store.releaseTerminal(lease, fence).catch(() => {
        // It runs out by itself.
      });
    }
  }

  /** @returns how many uplinks were taken; undefined when it did not come to its end */
  async #pass(node: string, index: number): Promise<number | undefined> {
    const { open, end, take, dispatch, log } = this.options;
    const client = open(node, index);
    this.#clients.add(client);
    let heard = 0;
    let busy = 0;
    let ended = false;
    client.handleMessage = ({ topic, payload }, done) => {
      heard++;
      busy++;
      void take(topic, payload).then((durable) => {
        busy--;
        done(durable ? undefined : new Error('not durable'));
      });
    };
    let tooLong: { cancel(): void } | undefined;
    const cut = new Promise<false>((resolve) => {
      // The node is back and has taken its name, or the broker is away.
      client.once('close', () => resolve(false));
      client.once('end', () => resolve(false));
      tooLong = dispatch.clock.after(PASS_MS, () => resolve(false));
    });
    const emptied = async (): Promise<boolean> => {
      if (!client.connected) await new Promise<void>((resolve) => client.once('connect', () => resolve()));
      await client.unsubscribeAsync(ALL_UP);
      for (let before = -1; !ended && (before !== heard || busy > 0);) {
        before = heard;
        await this.#pause(QUIET_MS);
      }
      return true;
    };
    try {
      if (!(await Promise.race([emptied(), cut]))) return undefined;
      await end(client);
      return heard;
    } catch (error) {
      log.warn({ err: error, node, msg: 'an MQTT session of a node that is gone could not be emptied' });
      return undefined;
    } finally {
      ended = true;
      tooLong?.cancel();
      client.end(true);
      this.#clients.delete(client);
    }
  }

  async #readersOf(node: string): Promise<Readers | undefined> {
    return (await this.options.dispatch.store.meta(`${READERS}${node}`)) as Readers | undefined;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.options.dispatch.clock.after(ms, resolve));
  }
}
