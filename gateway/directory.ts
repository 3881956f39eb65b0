/**
 * Who a terminal number belongs to: looked up in dispatch, kept in a bounded cache that the event log keeps right. Also
 * the door for what terminals cause about themselves: registration, use of a code.
 */
import type { DispatchPort } from '../dispatch/ports.js';
import type { Actor, StoredEvent } from '../dispatch/domain/events.js';
import type { RegistrationResult } from '../dispatch/domain/link.js';
import type { Terminal, TerminalOptions } from '../dispatch/domain/model.js';
import type { GatewayLimits } from './limits.js';
import { codeFrom, hashCode } from './session/credentials.js';
import type { Edition } from './session/link.js';
import type { RegistrationAnswer, RegistrationRequest, TerminalFacts } from './session/sink.js';

export interface DirectoryOptions {
  dispatch: DispatchPort;
  limits: GatewayLimits;
  /** `open`: unknown numbers may register and become vehicles to be confirmed. */
  enrolment: 'known' | 'open';
  /** Cryptographic randomness, for codes. */
  random: (bytes: number) => Uint8Array;
  log: { warn(fields: Record<string, unknown>, message: string): void };
}

/** In whose name link commands run: the gateway itself. */
export const gatewayActor: Actor = { source: 'terminal', name: 'gateway', roles: [] };

/** Why a registration gets no code, for the log. */
const REFUSED = {
  unknownTerminal: 'no vehicle has this number: put it on file, or set LINECREW_ENROLMENT=open',
  blocked: 'the terminal is blocked',
  otherIdentity: 'bound to another maker, model and terminal id: a dispatcher accepts or declines the swap',
} as const;

/** Fleets have a handful of kinds of terminals; what comes beyond is not shared. */
const kindsOfOptionsMax = 1_000;

export class Directory {
  readonly #options: DirectoryOptions;
  readonly #known = new Map<string, TerminalFacts>();
  /** Unknown numbers and until when they stay so without a look. */
  readonly #strangers = new Map<string, number>();
  readonly #phoneOf = new Map<string, string>();
  readonly #loading = new Map<string, Promise<TerminalFacts | undefined>>();
  /** One object for all terminals with the same options, by their JSON. */
  readonly #kindsOfOptions = new Map<string, TerminalOptions>();
  #follow: { cancel(): void } | undefined;
  #changed: (phone: string) => void = () => {};

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Starts to follow the event log. `changed` is called for every number whose file may have changed. */
  async start(changed: (phone: string) => void): Promise<void> {
    this.#changed = changed;
    const { dispatch } = this.#options;
    this.#follow = dispatch.follow(await dispatch.store.lastPosition(), (events) => this.#heed(events));
  }

  stop(): void {
    this.#follow?.cancel();
  }

  /** Terminals and unknown numbers in the cache. */
  get cached(): { terminals: number; strangers: number } {
    return { terminals: this.#known.size, strangers: this.#strangers.size };
  }

  /** At once where it is known, otherwise a promise; undefined: no such terminal. Rejects when the store does. */
  lookup(phone: string): TerminalFacts | undefined | Promise<TerminalFacts | undefined> {
    const known = this.#known.get(phone);
    if (known !== undefined) return known;
    const strangerUntil = this.#strangers.get(phone);
    if (strangerUntil !== undefined && strangerUntil > this.#options.dispatch.clock.now()) return undefined;
    return this.#load(phone);
  }

  /** 0x0100: makes a fresh code and lets dispatch decide. Rejects when the store does. */
  async register(request: RegistrationRequest, address: string): Promise<RegistrationAnswer> {
    const { dispatch, enrolment, random } = this.#options;
    const code = codeFrom(random(16));
    const { phone, identity, edition, plate } = request;
    const { result } = await dispatch.execute(
      { type: 'link.register', phone, identity, edition, plate, address, enrolment, codeSha256: hashCode(code) },
      gatewayActor,
    );
    const outcome = result['result'];
    if (outcome !== 0)
      return { result: 4, reason: REFUSED[(result as RegistrationResult).reason ?? 'unknownTerminal'] };
    this.#forget(phone);
    const facts = await this.#load(phone);
    return facts === undefined ? { result: 4, reason: REFUSED.unknownTerminal } : { result: 0, code, facts };
  }

  /** A code was accepted: the older ones die. Rejects with `Refusal` when the code was replaced meanwhile. */
  async codeUsed(facts: TerminalFacts, codeSha256: string, edition: Edition): Promise<void> {
    if (facts.settledCode === codeSha256 && facts.edition === edition) return;
    await this.#options.dispatch.execute(
      { type: 'link.authenticated', phone: facts.phone, codeSha256, edition },
      gatewayActor,
    );
  }

  #load(phone: string): Promise<TerminalFacts | undefined> {
    const running = this.#loading.get(phone);
    if (running !== undefined) return running;
    const loading = this.#options.dispatch
      .get('terminal', phone)
      .then((found) => {
        const facts = found && factsOf(found.value, (options) => this.#shared(options));
        // Unless the file changed while it was read.
        if (this.#loading.get(phone) === loading) this.#keep(phone, facts);
        return facts;
      })
      .finally(() => {
        if (this.#loading.get(phone) === loading) this.#loading.delete(phone);
      });
    this.#loading.set(phone, loading);
    return loading;
  }

  #shared(options: TerminalOptions): TerminalOptions {
    const key = JSON.stringify(options);
    const known = this.#kindsOfOptions.get(key);
    if (known !== undefined) return known;
    if (this.#kindsOfOptions.size < kindsOfOptionsMax) this.#kindsOfOptions.set(key, options);
    return options;
  }

  #keep(phone: string, facts: TerminalFacts | undefined): void {
    const { limits, dispatch } = this.#options;
    if (facts === undefined) {
      makeRoom(this.#strangers, limits.cachedStrangers);
      this.#strangers.set(phone, dispatch.clock.now() + limits.strangerMs);
      return;
    }
    const dropped = makeRoom(this.#known, limits.cachedTerminals);
    if (dropped !== undefined) this.#phoneOf.delete(dropped.vehicleId);
    this.#known.set(facts.phone, facts);
    this.#phoneOf.set(facts.vehicleId, facts.phone);
  }

  #forget(phone: string): void {
    this.#known.delete(phone);
    this.#strangers.delete(phone);
    this.#loading.delete(phone);
  }

  #heed(events: readonly StoredEvent[]): void {
    const changed = new Set<string>();
    for (const { type, vehicleId, data } of events) {
      if (!type.startsWith('terminal.') && !type.startsWith('vehicle.')) continue;
      this.#strangers.clear();
      const phone = (data as { phone?: unknown } | undefined)?.phone;
      if (typeof phone === 'string') changed.add(phone);
      const known = vehicleId === undefined ? undefined : this.#phoneOf.get(vehicleId);
      if (known !== undefined) changed.add(known);
    }
    for (const phone of changed) {
      this.#forget(phone);
      this.#changed(phone);
    }
  }
}

/** @param shared gives one object for all options that are the same */
function factsOf(terminal: Terminal, shared: (options: TerminalOptions) => TerminalOptions): TerminalFacts {
  const { phone, vehicleId, profile, options, edition, codes, blocked, contested, rotatedAt } = terminal;
  const only = codes.length === 1 ? codes[0] : undefined;
  // Always with all keys, in one order: tens of thousands of them share one shape.
  return {
    phone,
    vehicleId,
    profile,
    options: shared(options),
    edition,
    codes: codes.map(({ sha256 }) => sha256),
    settledCode: only?.usedAt === undefined ? undefined : only.sha256,
    blocked: blocked !== undefined,
    rotatedAt,
    contested: contested !== undefined,
  };
}

/** Drops the oldest entry of a full cache; gives it back. */
function makeRoom<V>(cache: Map<string, V>, limit: number): V | undefined {
  if (cache.size < limit) return undefined;
  const oldest = cache.entries().next().value;
  if (oldest === undefined) return undefined;
  cache.delete(oldest[0]);
  return oldest[1];
}
