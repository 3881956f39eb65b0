/**
 * An external broker: several gateways read the terminals' uplinks with a shared subscription, each through a few
 * connections of its own. A message is acknowledged to the broker when it is durable here. Birth and last will come by
 * an ordinary subscription on every node (brokers give no retained messages to shared ones); of the nodes that hear a
 * terminal, one takes its lease and writes to it.
 */
import { randomUUID } from 'node:crypto';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { DispatchPort } from '../../dispatch/ports.js';
import { vehiclePrefix } from '../ingest/entry.js';
import { leaseName } from '../ingest/log-ownership.js';
import type { Logger } from '../log.js';
import type { TerminalFacts } from '../session/sink.js';
import type { TerminalGateway } from '../terminal-gateway.js';
import { MqttCounters } from './counters.js';
import { ExternalEvents } from './external-events.js';
import { LeftSessions } from './left-sessions.js';
import { defaultMqttLimits, type MqttLimits } from './limits.js';
import { appendUplink, MqttTerminal } from './terminal.js';
import { ALL_ONLINE, ALL_UP, parseTerminalTopic, terminalTopic } from './topics.js';

export interface ExternalBrokerOptions {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Connections that read uplinks; mqtt.js hands over one message at a time on each. */
  readonly connections: number;
  readonly version: '3.1.1' | '5';
  readonly dispatch: DispatchPort;
  readonly terminals: Pick<TerminalGateway, 'committer' | 'registry' | 'directory' | 'limits' | 'taps'>;
  /** Must stay the same over restarts: sessions at the broker are named after it. */
  readonly node: string;
  readonly log: Logger;
  readonly limits?: Partial<MqttLimits>;
}

/** Machine time, ms. */
const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** How long the broker keeps what it could not hand over while a node is away (MQTT 5; 3.1.1 brokers have their own rule). */
const SESSION_EXPIRY_S = 7 * 86_400;
/** How long a stop waits for the broker to take this node out of the shared subscription, ms of gateway time. */
const HAND_OVER_MS = 5_000;
/** Downlinks without the broker's PUBACK; past it deliveries wait. */
const PENDING_PUBLISHES = 1_000;
/** How often terminals without an owner, and sessions without a node, are looked for, ms of gateway time. */
const SWEEP_MS = 10_000;
/** Terminals that are known to be online; a broker has no more clients than that. */
const ONLINE_LIMIT = 200_000;

export class ExternalBroker {
  readonly counters = new MqttCounters();
  readonly #limits: MqttLimits;
  readonly #readers: MqttClient[] = [];
  readonly #mine = new Map<string, MqttTerminal>();
  readonly #online = new Set<string>();
  readonly #sweep: { cancel(): void };
  readonly #left: LeftSessions;
  #control!: MqttClient;
  #events!: ExternalEvents;
  #nextId = 1;
  #pending = 0;
  #stopped = false;

  private constructor(private readonly options: ExternalBrokerOptions) {
    this.#limits = { ...defaultMqttLimits, ...options.limits };
    this.#left = new LeftSessions({
      dispatch: options.dispatch, node: options.node, connections: options.connections, start: randomUUID(), log: options.log,
      open: (node, index) => this.#connect(`up-${index}`, false, node),
      end: (client) => this.#endSession(client),
      take: (topic, payload) => this.#takeUplink(topic, payload),
    }); // prettier-ignore
    this.#sweep = options.dispatch.clock.every(SWEEP_MS, () => {
      void this.#takeOrphans();
      if (this.#control.connected) void this.#left.look();
    });
  }

  /** Connects in the background; a broker that is away is tried until it is there. */
  static start(options: ExternalBrokerOptions): ExternalBroker {
    const self = new ExternalBroker(options);
    self.#control = self.#connect('control', true);
    self.#control.on('connect', () => self.#subscribe(self.#control, ALL_ONLINE));
    self.#control.on('message', (topic, payload) => void self.#heardOnline(topic, payload.toString()));
    self.#control.on('close', () => self.#offline());
    for (let i = 0; i < options.connections; i++) self.#readers.push(self.#reader(i));
    self.#events = new ExternalEvents(options, self.#limits, self.counters, self.#control);
    self.#events.start();
    return self;
  }

  /** True while every connection to the broker stands. */
  get connected(): boolean {
    return this.#control.connected && this.#readers.every((reader) => reader.connected);
  }

  async close(): Promise<void> {
    this.#sweep.cancel();
    await this.#handOver().catch((error: unknown) => {
      this.options.log.warn({ err: error, msg: 'uplinks may wait at the MQTT broker until this node is back' });
    });
    this.#stopped = true;
    this.#offline();
    await this.#left.stop();
    await this.#events.stop();
    await Promise.all([this.#control, ...this.#readers].map((client) => client.endAsync(true)));
  }

  /**
   * Where another node goes on reading, this one leaves the shared subscription: the broker would keep its share back
   * for it. What was handed over before is taken first (UNSUBACK comes behind it). The last node stays subscribed, so
   * that the broker keeps what comes while none is there.
   */
  async #handOver(): Promise<void> {
    const { dispatch } = this.options;
    const readers = this.#readers.filter((reader) => reader.connected);
    if (readers.length === 0 || !(await this.#hasPeer())) return;
    const left = Promise.all(readers.map((reader) => reader.unsubscribeAsync(ALL_UP)));
    const tooLong = new Promise<void>((resolve) => void dispatch.clock.after(HAND_OVER_MS, resolve));
    await Promise.race([left, tooLong]);
  }

  /** Whether another node lives: it holds its own ingest log. */
  async #hasPeer(): Promise<boolean> {
    const { dispatch, node: self } = this.options;
    const { store, clock } = dispatch;
    for (const node of await store.ingestNodes()) {
      if (node !== self && (await store.owner(leaseName(node), clock.now()))?.node === node) return true;
    }
    return false;
  }

  // ---- connections

  /** @param of whose session; another node's is not fought for: a node that is back has it */
  #connect(name: string, clean: boolean, of = this.options.node): MqttClient {
    const { url, user, password, version, node, log } = this.options;
    const client = connect(url, {
      clientId: `linecrew-${of}-${name}`,
      clean,
      protocolVersion: version === '5' ? 5 : 4,
      reconnectPeriod: of === node ? RECONNECT_MS : 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      resubscribe: false,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      ...(version === '5' && !clean ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_S } } : {}),
    } satisfies IClientOptions);
    client.on('error', (error) => log.warn({ err: error, connection: name, msg: 'the MQTT broker gives an error' }));
    client.on('connect', () => log.info({ connection: name, of, msg: 'connected to the MQTT broker' }));
    return client;
  }

  /** With MQTT 5 the broker forgets the session with this very connection; with 3.1.1 an empty one stays. */
  #endSession(client: MqttClient): Promise<void> {
    const forget = this.options.version === '5' ? { properties: { sessionExpiryInterval: 0 } } : {};
    return client.endAsync(false, forget);
  }

  #subscribe(client: MqttClient, filter: string): void {
    const { log } = this.options;
    client.subscribeAsync(filter, { qos: 1 }).catch((error: unknown) => {
      if (!this.#stopped && client.connected)
        log.error({ err: error, filter, msg: 'the MQTT broker refuses a subscription' });
    });
  }

  /** The session is kept at the broker: what came while this node was away is handed over when it is back. */
  #reader(index: number): MqttClient {
    const client = this.#connect(`up-${index}`, false);
    client.on('connect', () => {
      void this.#left.recorded.then(() => {
        if (client.connected && !this.#stopped) this.#subscribe(client, ALL_UP);
      });
    });
    client.handleMessage = ({ topic, payload }, done) => {
      void this.#takeUplink(topic, payload).then((durable) => done(durable ? undefined : new Error('not durable')));
    };
    return client;
  }

  async #takeUplink(name: string, payload: string | Buffer): Promise<boolean> {
    const topic = parseTerminalTopic(name);
    return topic?.what !== 'up' || this.#gate(topic.phone, Buffer.from(payload));
  }

  /** Waits until the payload is durable. False only when this node stops: the broker then hands it over again. */
  async #gate(phone: string, payload: Buffer): Promise<boolean> {
    const { dispatch, terminals, log } = this.options;
    const { committer, taps } = terminals;
    const context = { clock: dispatch.clock, committer, taps, counters: this.counters };
    while (!this.#stopped) {
      try {
        const facts = await terminals.directory.lookup(phone);
        if (!facts || facts.blocked) {
          this.counters.publishesDenied++;
          return true;
        }
        this.#mine.get(phone)?.heard();
        if (await appendUplink(context, phone, vehiclePrefix(facts.vehicleId), payload)) return true;
      } catch (error) {
        log.warn({ terminal: phone, err: error, msg: 'an uplink waits: the store cannot be asked' });
      }
      await new Promise<void>((resolve) => void dispatch.clock.after(this.#limits.appendRetryMs, resolve));
    }
    return false;
  }

  // ---- who is online, and who writes to it

  async #heardOnline(name: string, payload: string): Promise<void> {
    const topic = parseTerminalTopic(name);
    if (topic?.what !== 'online') return;
    const { phone } = topic;
    if (payload !== '1') {
      this.#online.delete(phone);
      this.#mine.get(phone)?.ended();
      this.#mine.delete(phone);
      return;
    }
    if (this.#online.size < ONLINE_LIMIT) this.#online.add(phone);
    await this.#take(phone);
  }

  async #takeOrphans(): Promise<void> {
    const { registry } = this.options.terminals;
    await registry.renew();
    if (!this.#control.connected) return;
    for (const phone of this.#online) if (!this.#mine.has(phone)) await this.#take(phone);
  }

  /** Takes the terminal unless a living node has it. */
  async #take(phone: string): Promise<void> {
    const { dispatch, terminals, log } = this.options;
    try {
      if (this.#mine.has(phone) || this.#stopped) return;
      const facts = await terminals.directory.lookup(phone);
      if (!facts || facts.blocked || (await dispatch.store.owner(phone, dispatch.clock.now()))) return;
      const terminal = this.#terminal(phone, facts);
      this.#mine.set(phone, terminal);
      if (await terminal.claim()) terminal.up();
      else this.#mine.delete(phone);
    } catch (error) {
      this.#mine.delete(phone);
      log.warn({ terminal: phone, err: error, msg: 'a terminal could not be taken; it is tried again' });
    }
  }

  #terminal(phone: string, facts: TerminalFacts): MqttTerminal {
    const { dispatch, terminals, node } = this.options;
    const { committer, registry, taps } = terminals;
    const terminal: MqttTerminal = new MqttTerminal(
      { clock: dispatch.clock, committer, registry, taps, counters: this.counters, limits: this.#limits },
      {
        id: `${node}.mqtt.${dispatch.clock.now()}.${this.#nextId++}`,
        address: 'broker',
        facts,
        publish: (payload) => this.#publishDown(phone, payload),
        // The connection is the broker's: here it only stops being ours.
        end: () => {
          if (this.#mine.get(phone) === terminal) this.#mine.delete(phone);
          terminal.ended();
        },
      },
    );
    return terminal;
  }

  /** Without the broker nothing can be written; who is online is told again with the next connection. */
  #offline(): void {
    this.#online.clear();
    for (const terminal of this.#mine.values()) terminal.ended();
    this.#mine.clear();
  }

  #publishDown(phone: string, payload: Uint8Array): boolean {
    if (!this.#control.connected || this.#pending >= PENDING_PUBLISHES) return false;
    this.#pending++;
    this.counters.downlinks++;
    this.#control.publish(terminalTopic(phone, 'down'), Buffer.from(payload), { qos: 1 }, () => this.#pending--);
    return true;
  }
}
