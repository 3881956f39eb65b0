import { PassThrough } from 'node:stream';
import { PositionRules } from '../../dispatch/automation.js';
import { Role } from '../../dispatch/role.js';
import { createDispatch, type Dispatch } from '../../dispatch/service.js';
import { DEFAULT_SETTINGS } from '../../dispatch/domain/settings.js';
import type { DispatchStore, StoreListener } from '../../dispatch/store/store.js';
import { TerminalConnection, type ConnectionContext, type ConnectionHome } from '../../gateway/connection.js';
import { Deliveries } from '../../gateway/deliveries/loop.js';
import { createLog } from '../../gateway/log.js';
import { MqttCounters } from '../../gateway/mqtt/counters.js';
import { defaultMqttLimits } from '../../gateway/mqtt/limits.js';
import { terminalLogin } from '../../gateway/mqtt/login.js';
import { MqttTerminal } from '../../gateway/mqtt/terminal.js';
import { UplinkGate } from '../../gateway/mqtt/uplink-gate.js';
import { startTerminalGateway, type TerminalGateway } from '../../gateway/terminal-gateway.js';
import type { Random } from '../../simulator/index.js';
import type { Door, MqttClientEnd, MqttSession, SimSocket } from './network.js';
import type { SimTime } from './time.js';

/** What the product's log says goes into the trace; nothing is printed. */
export type Trace = (who: string, what: string) => void;

const sweepMs = 1_000;

/** Tokens of integrators: there are none in the simulation. */
const noTokens = { token: () => Promise.resolve(undefined) };

/**
 * One run of the gateway program, put together from the product's own parts as its composition root does, without
 * sockets: sessions, gate, reader, directory, deliveries, dispatch, rules. It ends by `kill`, as by a power cut: from
 * then on nothing that it still has in hand reaches the store, and none of its timers fires.
 */
export class SimProcess implements Door {
  readonly dispatch: Dispatch;
  readonly ready: Promise<void>;
  #alive = true;
  #up = false;
  #nextConnection = 1;
  #context!: ConnectionContext;
  #terminals!: TerminalGateway;
  readonly #mqtt = new Set<{ terminal: MqttTerminal; end: () => void }>();
  readonly #connections = new Set<TerminalConnection>();
  readonly #sockets = new Set<SimSocket>();

  constructor(
    private readonly time: SimTime,
    store: DispatchStore,
    random: Random,
    /** Among those on one store. */
    readonly node: string,
    private readonly name: string,
    private readonly trace: Trace,
  ) {
    const clock = time.clock(() => this.#alive);
    const own = mortal(store, () => this.#alive);
    const bytes = (count: number): Uint8Array => Buffer.from(random.hex(count * 2), 'hex');
    const log = this.#words();
    this.dispatch = createDispatch({
      store: own,
      clock,
      settings: DEFAULT_SETTINGS,
      random: bytes,
      log,
      node: this.node,
    });
    this.ready = this.#start(clock, bytes, log);
    this.ready.catch((error: unknown) => this.trace(this.name, `did not start: ${String(error)}`));
  }

  /** Whether it takes connections. */
  get up(): boolean {
    return this.#up;
  }

  accept(socket: SimSocket, address: string): void {
    if (!this.#up) {
      socket.destroy();
      return;
    }
    const home: ConnectionHome = {
      idPrefix: `${this.name}.`,
      authenticated: () => undefined,
      gone: (connection) => {
        this.#connections.delete(connection);
        this.#sockets.delete(socket);
        if (this.#alive) connection.ended();
      },
    };
    const number = this.#nextConnection++;
    const connection = new TerminalConnection(this.#context, home, socket.asSocket(), number, address, 'tcp');
    this.#connections.add(connection);
    this.#sockets.add(socket);
  }

  /**
   * A terminal connects with MQTT: its login, its session and the gate of its uplinks are the product's; the broker's
   * packets between them are left out. Rejects as the login does.
   */
  async acceptMqtt(client: MqttClientEnd): Promise<MqttSession> {
    if (!this.#up) throw new Error('not up');
    const { dispatch } = this;
    const { phone, address } = client;
    const id = `${this.name}.mqtt.${this.#nextConnection++}`;
    // The stream only says whether the connection is still there.
    const conn = new PassThrough();
    const password = Buffer.from(client.secret);
    const facts = await terminalLogin(
      { dispatch, accounts: noTokens, terminals: this.#terminals },
      conn,
      phone,
      phone,
      password,
    );
    const { clock } = dispatch;
    const { committer, registry, taps } = this.#terminals;
    const limits = defaultMqttLimits;
    const terminal = new MqttTerminal(
      { clock, committer, registry, taps, counters: new MqttCounters(), limits },
      { id, address, facts, publish: (payload) => client.down(payload), end: () => client.ended() },
    );
    if (!(await terminal.claim())) throw new Error('another connection was faster');
    const gate = new UplinkGate({ terminal, conn, clock, limits });
    const entry = { terminal, end: () => client.ended() };
    this.#mqtt.add(entry);
    return {
      listens: () => terminal.up(),
      publish: (payload, acknowledged) => {
        if (this.#alive) gate.append(payload, 0, payload.length, acknowledged);
      },
      gone: () => {
        this.#mqtt.delete(entry);
        conn.destroy();
        if (this.#alive) terminal.ended();
      },
    };
  }

  /** Power cut. */
  kill(): void {
    this.#alive = false;
    this.#up = false;
    for (const socket of this.#sockets) socket.removeAllListeners('data');
  }

  async #start(
    clock: ReturnType<SimTime['clock']>,
    random: (bytes: number) => Uint8Array,
    words: Words,
  ): Promise<void> {
    const { dispatch, node } = this;
    await dispatch.start();
    const deliveries = new Deliveries({ dispatch, node, log: words });
    await deliveries.start();
    const terminals = await startTerminalGateway({
      dispatch,
      node,
      enrolment: 'known',
      deliveries,
      random,
      log: createLog('warn', { write: (line) => this.#heard(line) }),
      soon: (call) => void clock.after(0, call),
    });
    this.#context = terminals.context;
    this.#terminals = terminals;
    const begin = async (): Promise<PositionRules> => {
      const rules = new PositionRules(dispatch, words);
      await rules.start();
      return rules;
    };
    await new Role(dispatch, { name: 'rules', node, begin, log: words }).start();
    clock.every(sweepMs, () => {
      for (const connection of this.#connections) connection.tick(clock.now());
      const before = clock.now() - terminals.limits.idleMs;
      for (const { terminal, end } of [...this.#mqtt]) if (terminal.heardMs < before) end();
      void terminals.registry.renew();
    });
    this.#up = true;
    this.trace(this.name, 'up');
  }

  /** A line of the product's log; what it says about single frames is left out. */
  #heard(line: string): void {
    const { msg, finding, err } = JSON.parse(line) as { msg: string; finding?: string; err?: { message: string } };
    if (finding === undefined) this.trace(this.name, `${msg}${err === undefined ? '' : ` (${err.message})`}`);
  }

  #words(): Words {
    const say =
      (level: string): Say =>
      (fields, message) => {
        const { err } = fields as { err?: Error };
        this.trace(this.name, `${level}: ${message}${err === undefined ? '' : ` (${err.message})`}`);
      };
    return { info: () => undefined, warn: say('warn'), error: say('error') };
  }
}

type Say = (fields: Record<string, unknown>, message: string) => void;

/** The store as a process sees it: after its death no call comes through and none is answered. */
function mortal(store: DispatchStore, alive: () => boolean): DispatchStore {
  const never = new Promise<never>(() => undefined);
  const guarded = (member: (...all: unknown[]) => unknown) =>
    function (...args: unknown[]): unknown {
      if (!alive()) return never;
      const result = member.apply(store, args);
      if (!(result instanceof Promise)) return result;
      return result.then(
        (value: unknown) => (alive() ? value : never),
        (error: unknown) => (alive() ? Promise.reject(error as Error) : never),
      );
    };
  const watch: DispatchStore['watch'] = (listener: StoreListener) =>
    store.watch({
      committed: (last) => {
        if (alive()) listener.committed?.(last);
      },
      positions: (batch) => {
        if (alive()) listener.positions?.(batch);
      },
    });
  // Each method once: the world calls them by the thousands.
  const methods = new Map<PropertyKey, unknown>([['watch', watch]]);
  return new Proxy(store, {
    get(target, name) {
      const known = methods.get(name);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const made = guarded(member as (...all: unknown[]) => unknown);
      methods.set(name, made);
      return made;
    },
  });
}

interface Words {
  info: Say;
  warn: Say;
  error: Say;
}
