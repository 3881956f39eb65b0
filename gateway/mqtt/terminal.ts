/**
 * A terminal that speaks terminal.proto over MQTT, whichever broker carries it: its uplinks go through the same gate as
 * those of TCP, its deliveries come from the same loop.
 */
import type { Clock } from '../../dispatch/ports.js';
import type { Appender, Committer } from '../ingest/committer.js';
import { vehiclePrefix } from '../ingest/entry.js';
import type { OutgoingMessage, TerminalLink } from '../session/link.js';
import type { CloseReason, TerminalFacts } from '../session/sink.js';
import type { Taps } from '../taps.js';
import type { OwnedConnection, SessionRegistry } from '../sessions.js';
import type { MqttCounters } from './counters.js';
import type { MqttLimits } from './limits.js';

export interface MqttTerminalContext {
  readonly clock: Clock;
  readonly committer: Committer;
  readonly registry: SessionRegistry;
  readonly counters: MqttCounters;
  readonly limits: MqttLimits;
  readonly taps: Taps;
}

export interface MqttTerminalOptions {
  readonly id: string;
  readonly address: string;
  readonly facts: TerminalFacts;
  /** Publishes on the terminal's `down` topic, QoS 1; false when it cannot be taken now. */
  readonly publish: (payload: Uint8Array) => boolean;
  /** Ends the connection, where there is one to end. */
  readonly end: (reason: CloseReason) => void;
}

/** Items that wait for the terminal's receipt; the loop keeps two in flight. */
const OUTSTANDING = 8;

export class MqttTerminal implements OwnedConnection, Appender {
  group = 0;
  slot = 0;
  readonly #waiting: ((durable: boolean) => void)[] = [];
  readonly transport = 'mqtt';
  readonly id: string;
  readonly address: string;
  heardMs: number;
  closed = false;
  #facts: TerminalFacts;
  #link: MqttLink | undefined;
  #vehicle: Uint8Array;
  /** The terminal's number as entries of the ingest log hold it. */
  readonly #number: Uint8Array;

  constructor(
    private readonly context: MqttTerminalContext,
    private readonly options: MqttTerminalOptions,
  ) {
    this.id = options.id;
    this.address = options.address;
    this.#facts = options.facts;
    this.#vehicle = vehiclePrefix(options.facts.vehicleId);
    this.#number = Buffer.from(options.facts.phone);
    this.heardMs = context.clock.now();
  }

  get phone(): string {
    return this.#facts.phone;
  }

  /** Claims the terminal. @returns false when another connection was faster. Rejects when the store does. */
  async claim(): Promise<boolean> {
    const fence = await this.context.registry.claim(this, this.#facts, undefined, 2019);
    if (fence === undefined) return false;
    this.#fence = fence;
    return true;
  }
  /** Of its lease, while it has one. */
  #fence: number | undefined;
  #claiming = false;

  /** It can be written to: it listens on its topic. */
  up(): void {
    if (this.closed || this.#link) return;
    if (this.#fence === undefined) return void this.#claimAgain();
    this.#link = new MqttLink(this.#facts, this.#fence, (payload) => this.#publish(payload));
    this.context.registry.up(this, this.#link);
  }

  #publish(bytes: Uint8Array): boolean {
    const { taps } = this.context;
    const taken = this.options.publish(bytes);
    if (taken && taps.any) taps.tell(this.phone, { direction: 'out', connection: this.id, bytes, form: 'protobuf' });
    return taken;
  }

  /** It cannot be written to any more, by its last will or because it said so. */
  down(reason: CloseReason): void {
    const link = this.#link;
    this.#link = undefined;
    if (!link) return;
    // The lease is given back with the link.
    this.#fence = undefined;
    this.context.registry.down(this, link, reason);
  }

  /** It said that it was gone, and is back on the same connection. */
  async #claimAgain(): Promise<void> {
    if (this.#claiming) return;
    this.#claiming = true;
    const claimed = await this.claim().catch(() => false);
    this.#claiming = false;
    // Lost to another connection, or the store cannot say: with a new connection it is asked again.
    if (claimed) this.up();
    else if (!this.closed) this.options.end('takenOver');
  }

  /** The connection is gone. */
  ended(): void {
    if (this.closed) return;
    this.closed = true;
    this.down('byTerminal');
    this.context.registry.gone(this, this.phone);
  }

  heard(): void {
    this.heardMs = this.context.clock.now();
  }

  /**
   * One payload of its `up` topic, `bytes[start..end)`. `done` is told once whether it is durable: only then it may be
   * acknowledged. It is not read here: what is no `Uplink` is acknowledged too, so that the terminal moves on, and
   * quarantined by the reader.
   */
  receive(bytes: Uint8Array, start: number, end: number, done: (durable: boolean) => void): void {
    this.heard();
    const { committer, counters, taps } = this.context;
    counters.uplinks++;
    if (taps.any) {
      const piece = { connection: this.id, bytes: bytes.subarray(start, end), form: 'protobuf' } as const;
      taps.tell(this.phone, { direction: 'in', ...piece });
    }
    const outcome = committer.append(this, 'mqtt', 2013, this.#vehicle, this.#number, bytes, start, end, this.heardMs);
    if (outcome === 'shed') done(false);
    else this.#waiting.push(done);
  }

  /** A group is durable or not: the oldest `entries` payloads that wait are told. */
  committed(entries: number, durable: boolean): void {
    for (const done of this.#waiting.splice(0, entries)) done(durable);
  }

  supersede(): void {
    this.closed = true;
    this.#link = undefined;
    this.options.end('takenOver');
  }

  factsChanged(facts: TerminalFacts | undefined): void {
    if (!facts) return this.options.end('vehicleDeleted');
    if (facts.blocked) return this.options.end('blocked');
    if (facts.vehicleId !== this.#facts.vehicleId) return this.options.end('vehicleChanged');
    if (facts.rotatedAt !== this.#facts.rotatedAt) return this.options.end('codeRevoked');
    this.#facts = facts;
    if (!this.#link) return;
    this.#link.facts = facts;
    this.context.registry.changed(this, this.#link, facts.contested);
  }
}

/** Puts a payload of an `up` topic through the gate; true when it is durable. `vehicle` is from `vehiclePrefix`. */
export function appendUplink(
  { committer, counters, clock, taps }: Pick<MqttTerminalContext, 'committer' | 'counters' | 'clock' | 'taps'>,
  phone: string,
  vehicle: Uint8Array,
  payload: Uint8Array,
): Promise<boolean> {
  counters.uplinks++;
  if (taps.any) taps.tell(phone, { direction: 'in', connection: 'broker', bytes: payload, form: 'protobuf' });
  return committer.appendAndWait('mqtt', vehicle, phone, payload, clock.now());
}

class MqttLink implements TerminalLink {
  readonly transport = 'mqtt';
  /** Not of JT/T 808; the field decides nothing for protobuf. */
  readonly edition = 2019;
  readonly #outstanding = new Set<string>();

  constructor(
    public facts: TerminalFacts,
    readonly fence: number,
    private readonly publish: (payload: Uint8Array) => boolean,
  ) {}

  get vehicleId(): string {
    return this.facts.vehicleId;
  }
  get phone(): string {
    return this.facts.phone;
  }
  get profile(): TerminalFacts['profile'] {
    return this.facts.profile;
  }
  get options(): TerminalFacts['options'] {
    return this.facts.options;
  }

  write(deliveryId: string, messages: readonly OutgoingMessage[]): { serials: [number, number] } | undefined {
    if (!this.#outstanding.has(deliveryId) && this.#outstanding.size >= OUTSTANDING) return undefined;
    for (const { body } of messages) if (!this.publish(body)) return undefined;
    this.#outstanding.add(deliveryId);
    return { serials: [0, 0] };
  }

  forget(deliveryId: string): void {
    this.#outstanding.delete(deliveryId);
  }
}
