/** What the delivery loop writes to: an authenticated session seen from the other side. */
import type { Identity } from '../../protocol/index.js';
import type { GatewayLimits } from '../limits.js';
import type { Edition, OutgoingMessage, TerminalLink } from './link.js';
import { LongSend, type LongSends } from './long-send.js';
import { Outstanding } from './outstanding.js';
import type { TerminalFacts } from './sink.js';

/** What the link needs of its session. */
export interface LinkHost {
  readonly limits: GatewayLimits;
  /** Header form of the newest frame: the form that the terminal reads now. */
  readonly identity: Identity;
  nextSerial(): number;
  canSend(): boolean;
  send(bytes: Uint8Array): void;
  readonly nowMs: number;
  readonly longSends: LongSends;
  readonly transport: 'tcp' | 'tls';
}

export class SessionLink implements TerminalLink {
  /** Present while an item waits for an answer. */
  outstanding: Outstanding | undefined = undefined;
  /** True when the session lost its terminal. */
  ended = false;
  #pumpedAt = 0;

  constructor(
    private readonly host: LinkHost,
    public facts: TerminalFacts,
    readonly edition: Edition,
    readonly fence: number,
  ) {}

  get vehicleId() {
    return this.facts.vehicleId;
  }

  get phone() {
    return this.facts.phone;
  }

  get profile() {
    return this.facts.profile;
  }

  get options() {
    return this.facts.options;
  }

  get transport() {
    return this.host.transport;
  }

  write(deliveryId: string, messages: readonly OutgoingMessage[]): { serials: [number, number] } | undefined {
    if (this.ended || !this.host.canSend()) return undefined;
    const outstanding = (this.outstanding ??= new Outstanding(this.host.limits));
    const long = outstanding.longOf(deliveryId);
    if (long !== undefined) {
      long.again();
      this.pump();
      return { serials: long.serials };
    }
    const again = outstanding.written(deliveryId);
    if (again !== undefined) {
      this.host.send(Buffer.concat(again.frames));
      return { serials: again.serials };
    }
    const [message] = messages;
    if (message?.inWindows) return this.#writeLong(outstanding, deliveryId, message);
    const frames = outstanding.add(deliveryId, messages, this.host.identity, () => this.host.nextSerial());
    if (frames === undefined) return undefined;
    this.host.send(Buffer.concat(frames));
    return { serials: outstanding.written(deliveryId)!.serials };
  }

  #writeLong(
    outstanding: Outstanding,
    deliveryId: string,
    message: OutgoingMessage,
  ): { serials: [number, number] } | undefined {
    const { host } = this;
    if (outstanding.isFull) return undefined;
    const progress = host.longSends.begin(this.phone, deliveryId, message.body.length, (parts) => {
      const first = host.nextSerial();
      for (let i = 1; i < parts; i++) host.nextSerial();
      return first;
    });
    const long = new LongSend(message, host.identity, progress, host.nowMs);
    outstanding.addLong(deliveryId, message, long);
    this.pump();
    return { serials: long.serials };
  }

  /**
   * Writes the next window of a long message, unless the socket still has enough to do.
   * @param confirmed the terminal asks for it by confirming parts: no more than a window stays unconfirmed
   */
  pump(confirmed = false): void {
    const long = this.outstanding?.unwritten;
    if (long === undefined) return;
    this.#pumpedAt = this.host.nowMs;
    if (this.ended || !this.host.canSend()) return;
    const frames = long.window(this.host.limits.longWindowBytes, confirmed, this.host.nowMs);
    if (frames.length > 0) this.host.send(Buffer.concat(frames));
  }

  /** When the next window is due, ms, or Infinity. */
  nextMs(): number {
    return this.outstanding?.unwritten === undefined ? Infinity : this.#pumpedAt + this.host.limits.longPaceMs;
  }

  isBusyWith(deliveryId: string): boolean {
    const long = this.outstanding?.longOf(deliveryId);
    return long?.isBusy(this.host.nowMs, this.host.limits.longQuietMs) ?? false;
  }

  progressOf(deliveryId: string): { done: number; of: number } | undefined {
    const long = this.outstanding?.longOf(deliveryId);
    return long && { done: long.done, of: long.parts };
  }

  forget(deliveryId: string): void {
    this.outstanding?.drop(deliveryId);
    if (this.outstanding?.size === 0) this.outstanding = undefined;
  }

  /** The item ended for good: its progress is of no use any more. */
  done(deliveryId: string): void {
    this.forget(deliveryId);
    this.host.longSends.end(this.phone, deliveryId);
  }
}
