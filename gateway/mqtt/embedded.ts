/**
 * The embedded broker: aedes, consumed through its hooks. It routes nothing between clients: what a terminal publishes
 * goes through the gate and nowhere else, what a terminal or an integrator receives is handed to its own connection. So
 * it needs no queue for absent clients (the outbox and the event log are those), and gives every client a clean session.
 */
import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Aedes, type AuthenticateError, type Client, type PublishPacket, type Subscription } from 'aedes';
import type { Accounts } from '../../dispatch/accounts.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { AddressLimits } from '../address-limits.js';
import { count } from '../counters.js';
import type { Logger } from '../log.js';
import type { CloseReason } from '../session/sink.js';
import type { TerminalGateway } from '../terminal-gateway.js';
import { MqttCounters } from './counters.js';
import { IntegratorClient, IntegratorCursors } from './integrator-client.js';
import { defaultMqttLimits, type MqttLimits } from './limits.js';
import { openListener, type BrokerListenOptions } from './listeners.js';
import { integratorLogin, isTerminalName, refusal, terminalLogin, UNAVAILABLE } from './login.js';
import { PacketStream } from './packet-stream.js';
import { nowhere, publishTo, routeNothing } from './routing.js';
import { MqttTerminal } from './terminal.js';
import { integratorMaySubscribe, parseTerminalTopic, terminalTopic } from './topics.js';
import { UplinkGate } from './uplink-gate.js';

export interface EmbeddedBrokerOptions {
  readonly dispatch: DispatchPort;
  readonly accounts: Pick<Accounts, 'token'>;
  readonly terminals: Pick<TerminalGateway, 'committer' | 'registry' | 'directory' | 'limits' | 'taps' | 'context'>;
  readonly node: string;
  readonly log: Logger;
  readonly limits?: Partial<MqttLimits>;
}

/** A connection as this broker knows it. */
interface Peer {
  readonly address: string;
  readonly conn: Duplex;
  /** Whether the client asked to keep its session; integrators then go on where they were. */
  keep: boolean;
  /** At least so often the broker must see a packet of a client that sends some, ms; it watches its keep-alive. */
  passEveryMs: number;
  denials: number;
  authenticated: boolean;
  terminal?: MqttTerminal;
  /** From the CONNACK on, where it is a terminal. */
  uplinks?: UplinkGate;
  integrator?: IntegratorClient;
}

const SWEEP_MS = 10_000;

export class EmbeddedBroker {
  readonly counters = new MqttCounters();
  readonly #limits: MqttLimits;
  readonly #addresses: AddressLimits;
  readonly #peers = new WeakMap<Client, Peer>();
  readonly #clients = new Set<Client>();
  readonly #servers: Server[] = [];
  readonly #cursors: IntegratorCursors;
  readonly #sweep: { cancel(): void };
  #broker!: Aedes;
  #nextId = 1;
  #closing = false;

  private constructor(private readonly options: EmbeddedBrokerOptions) {
    this.#limits = { ...defaultMqttLimits, ...options.limits };
    this.#addresses = new AddressLimits(options.terminals.limits);
    this.#cursors = new IntegratorCursors(options.dispatch, this.#limits.cursorsPerToken);
    this.#sweep = options.dispatch.clock.every(SWEEP_MS, () => this.#endIdle());
  }

  static async create(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
    const self = new EmbeddedBroker(options);
    self.#broker = await Aedes.createBroker({
      maxInflightInbound: self.#limits.inboundQos2,
      connectTimeout: options.terminals.limits.authenticateMs / options.dispatch.clock.rate,
      maxClientsIdLength: 128,
      preConnect: (client, packet, done) => {
        self.#prepare(client, packet);
        done(null, !self.#closing);
      },
      authenticate: (client, user, password, done) => void self.#authenticate(client, user, password).then(
        () => done(null, true),
        (error: AuthenticateError) => done(error, false),
      ),
      authorizePublish: (client, packet, done) => self.#published(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => done(null, self.#maySubscribe(client, subscription)),
      authorizeForward: (client, packet) => (self.#mayReceive(client, packet.topic) ? packet : null),
    }); // prettier-ignore
    routeNothing(self.#broker);
    self.#listenToBroker();
    return self;
  }

  /** Opens a port. @returns the port taken; rejects when it cannot be had or the certificate is wrong */
  async listen(options: BrokerListenOptions): Promise<number> {
    const { server, port } = await openListener(options, this.#limits, (...args) => this.#open(...args));
    const { kind } = options;
    server.on('error', (error) => this.options.log.error({ err: error, kind, msg: 'an MQTT listener failed' }));
    this.#servers.push(server);
    return port;
  }

  /** Takes no new connections, ends those that are open, remembers how far integrators read. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#sweep.cancel();
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const client of this.#clients) this.#end(client, 'shutdown');
    await new Promise<void>((resolve) => this.#broker.close(() => resolve()));
    await Promise.all(closed);
    await this.#cursors.flush();
  }

  // ---- connections

  #open(conn: Duplex, socket: Socket, request?: IncomingMessage): void {
    const { dispatch } = this.options;
    const address = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
    const refusal = this.#closing ? 'tooManyConnections' : this.#addresses.accept(address, dispatch.clock.now());
    conn.on('error', () => {});
    if (refusal !== undefined) {
      this.counters.connectsRefused++;
      conn.destroy();
      return;
    }
    const peer: Peer = { address, conn, keep: false, passEveryMs: Infinity, denials: 0, authenticated: false };
    this.#watch(peer);
    const client = this.#broker.handle(conn, request);
    this.#peers.set(client, peer);
    this.#clients.add(client);
    this.counters.clients = this.#clients.size;
    conn.once('close', () => {
      this.#clients.delete(client);
      this.counters.clients = this.#clients.size;
      this.#addresses.closed(address, peer.authenticated);
      peer.terminal?.ended();
      peer.integrator?.stop();
    });
  }

  /** Counts and measures packets before the broker collects them, and takes uplinks out. */
  #watch(peer: Peer): void {
    const { conn } = peer;
    const { clock } = this.options.dispatch;
    const packets = new PacketStream(this.#limits, clock.now());
    const read = conn.read.bind(conn);
    conn.read = (size?: number): unknown => {
      if (peer.uplinks?.stalls()) return null;
      const bytes = read(size) as Buffer | null;
      if (!bytes) return bytes;
      const rest = packets.take(bytes, clock.now(), peer.uplinks, peer.passEveryMs);
      if (!packets.refusal) return rest;
      count(this.counters.cutOff, packets.refusal);
      conn.destroy();
      return null;
    };
  }

  #endIdle(): void {
    const { dispatch, terminals } = this.options;
    const before = dispatch.clock.now() - terminals.limits.idleMs;
    for (const client of this.#clients) {
      const terminal = this.#peers.get(client)?.terminal;
      if (terminal && terminal.heardMs < before) this.#end(client, 'idle');
    }
    void terminals.registry.renew();
  }

  #end(client: Client, reason: CloseReason | 'denied'): void {
    count(this.counters.cutOff, reason);
    client.close();
  }

  // ---- who it is

  /** Terminals keep their name; integrators get names of their own, so that none can push a terminal off. */
  #prepare(
    client: Client,
    packet: { clientId: string; username?: string; clean?: boolean; keepalive?: number; will?: { topic: string } },
  ): void {
    const peer = this.#peers.get(client)!;
    peer.keep = packet.clean === false;
    packet.clean = true;
    if (packet.keepalive) peer.passEveryMs = packet.keepalive * 500;
    const user = packet.username ?? '';
    if (!isTerminalName(user)) packet.clientId = `integrator/${user}/${packet.clientId}`;
    if (packet.will && packet.will.topic !== terminalTopic(user, 'online')) {
      this.#deny(client, 'publishesDenied');
      delete packet.will;
    }
  }

  async #authenticate(client: Client, user = '', password?: Buffer): Promise<void> {
    const peer = this.#peers.get(client)!;
    this.counters.connects++;
    try {
      if (isTerminalName(user)) await this.#terminal(client, peer, user, password);
      else peer.integrator = await this.#integrator(client, peer, user, password);
    } catch (error) {
      this.counters.connectsRefused++;
      const returnCode = (error as Partial<AuthenticateError>).returnCode ?? UNAVAILABLE;
      const what = returnCode === UNAVAILABLE ? 'an MQTT login could not be decided' : 'MQTT login refused';
      const { findings } = this.options.terminals.context;
      findings.turnedAway(`${what}: ${(error as Error).message}`, { user, address: peer.address });
      throw Object.assign(error as Error, { returnCode });
    }
    peer.authenticated = true;
    this.#addresses.authenticated(peer.address);
  }

  async #terminal(client: Client, peer: Peer, phone: string, password?: Buffer): Promise<void> {
    const { dispatch, terminals, node } = this.options;
    const facts = await terminalLogin(this.options, peer.conn, client.id, phone, password);
    const { clock } = dispatch;
    const { committer, registry, taps } = terminals;
    const terminal = new MqttTerminal(
      { clock, committer, registry, taps, counters: this.counters, limits: this.#limits },
      {
        id: `${node}.mqtt.${clock.now()}.${this.#nextId++}`,
        address: peer.address,
        facts,
        publish: (payload) => this.#publishDown(client, peer, phone, payload),
        end: (reason) => this.#end(client, reason),
      },
    );
    // From here on it hears of the end of its connection, or one that ended while claiming would own the terminal.
    peer.terminal = terminal;
    if (peer.conn.destroyed) terminal.ended();
    if (await terminal.claim()) return;
    peer.terminal = undefined;
    throw refusal(UNAVAILABLE, terminal.closed ? 'its connection has ended' : 'another connection was faster');
  }

  async #integrator(client: Client, peer: Peer, user: string, password?: Buffer): Promise<IntegratorClient> {
    const token = await integratorLogin(this.options, user, password);
    const { dispatch } = this.options;
    const after = await this.#cursors.begin(token.id, client.id, peer.keep);
    return new IntegratorClient({
      dispatch,
      token,
      after,
      limits: this.#limits,
      publish: (topic, payload, qos) => publishTo(client, topic, payload, qos),
      canSend: () => peer.conn.writableLength < this.#limits.sendBytes,
      progress: (position) => {
        if (peer.keep) this.#cursors.note(token.id, client.id, position);
      },
      sent: () => void this.counters.eventsPublished++,
    });
  }

  // ---- what it may do

  /** Calls `done` when the broker may go on with (acknowledge) the packet; it then reaches nobody. */
  #published(client: Client | null, packet: PublishPacket, done: () => void): void {
    const peer = client && this.#peers.get(client);
    if (!client || !peer) return done();
    const topic = parseTerminalTopic(packet.topic);
    const { terminal } = peer;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    nowhere(packet);
    if (!terminal || topic?.phone !== terminal.phone || topic.what === 'down') this.#deny(client, 'publishesDenied');
    else if (topic.what === 'up') return this.#gate(peer, terminal, payload, done);
    else this.#heardOnline(client, terminal, payload);
    done();
  }

  /** An uplink that came through the broker: with another QoS, before the CONNACK, or so that it sees the client live. */
  #gate(peer: Peer, terminal: MqttTerminal, payload: Buffer, done: () => void): void {
    const uplinks = (peer.uplinks ??= this.#uplinksOf(peer, terminal));
    uplinks.append(payload, 0, payload.length, () => {
      // Those before it are acknowledged before it.
      uplinks.flush();
      done();
    });
  }

  #uplinksOf({ conn }: Peer, terminal: MqttTerminal): UplinkGate {
    return new UplinkGate({ terminal, conn, clock: this.options.dispatch.clock, limits: this.#limits });
  }

  /** Birth and last will: `1` the app is ready, `0` it is not. The connection itself says the rest. */
  #heardOnline(client: Client, terminal: MqttTerminal, payload: Buffer): void {
    terminal.heard();
    if (payload.toString() === '0') terminal.down('byTerminal');
    else if (listens(client, terminal.phone)) terminal.up();
  }

  #maySubscribe(client: Client, subscription: Subscription): Subscription | null {
    const { terminal, integrator } = this.#peers.get(client)!;
    const { topic } = subscription;
    const allowed = terminal ? parseTerminalTopic(topic)?.phone === terminal.phone : integratorMaySubscribe(topic);
    if (allowed && (terminal || integrator)) return subscription;
    this.#deny(client, 'subscriptionsDenied');
    return null;
  }

  #mayReceive(client: Client, topic: string): boolean {
    const { terminal, integrator } = this.#peers.get(client) ?? {};
    return terminal ? topic === terminalTopic(terminal.phone, 'down') : integrator?.wants(topic) === true;
  }

  #deny(client: Client, what: 'publishesDenied' | 'subscriptionsDenied'): void {
    const peer = this.#peers.get(client)!;
    this.counters[what]++;
    if (++peer.denials <= this.#limits.denials) return;
    const { findings } = this.options.terminals.context;
    findings.turnedAway('MQTT client cut off: foreign topics', { client: client.id, address: peer.address });
    // Not inside its own packet: the broker still works on that.
    setImmediate(() => this.#end(client, 'denied'));
  }

  // ---- down

  #publishDown(client: Client, peer: Peer, phone: string, payload: Uint8Array): boolean {
    if (client.closed || peer.conn.writableLength >= this.#limits.sendBytes) return false;
    this.counters.downlinks++;
    void publishTo(client, terminalTopic(phone, 'down'), Buffer.from(payload), 1).catch(() => {});
    return true;
  }

  #listenToBroker(): void {
    const { log } = this.options;
    this.#broker.on('clientReady', (client) => {
      const peer = this.#peers.get(client);
      if (peer?.terminal) peer.uplinks ??= this.#uplinksOf(peer, peer.terminal);
    });
    this.#broker.on('subscribe', (subscriptions, client) => {
      const peer = this.#peers.get(client);
      const phone = peer?.terminal?.phone;
      if (phone !== undefined && subscriptions.some(({ topic }) => topic === terminalTopic(phone, 'down')))
        peer!.terminal!.up();
      peer?.integrator?.subscribe(subscriptions);
    });
    this.#broker.on('unsubscribe', (topics, client) => this.#peers.get(client)?.integrator?.unsubscribe(topics));
    this.#broker.on('ack', (_packet, client) => this.#peers.get(client)?.integrator?.acknowledged());
    this.#broker.on('ping', (_packet, client) => this.#peers.get(client)?.terminal?.heard());
    for (const event of ['clientError', 'connectionError'] as const) {
      this.#broker.on(event, (client, error) => {
        log.debug({
          client: client.id,
          address: this.#peers.get(client)?.address,
          err: error,
          msg: 'MQTT connection failed',
        });
      });
    }
  }
}

function listens(client: Client, phone: string): boolean {
  const { subscriptions } = client as Client & { subscriptions: Record<string, unknown> };
  return terminalTopic(phone, 'down') in subscriptions;
}
