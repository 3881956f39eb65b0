/** What the delivery loop writes to: an authenticated session seen from the other side. */
import type { Identity } from '../../protocol/index.js';
import type { GatewayLimits } from '../limits.js';
import type { Edition, OutgoingMessage, TerminalLink } from './link.js';
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
}

export class SessionLink implements TerminalLink {
  readonly outstanding: Outstanding;
  /** True when the session lost its terminal. */
  ended = false;

  constructor(
    private readonly host: LinkHost,
    public facts: TerminalFacts,
    readonly edition: Edition,
    readonly transport: 'tcp' | 'tls',
    readonly fence: number,
  ) {
    this.outstanding = new Outstanding(host.limits);
  }

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

  write(deliveryId: string, messages: readonly OutgoingMessage[]): { serials: [number, number] } | undefined {
    if (this.ended || !this.host.canSend()) return undefined;
    const again = this.outstanding.written(deliveryId);
    if (again !== undefined) {
      this.host.send(Buffer.concat(again.frames));
      return { serials: again.serials };
    }
    const frames = this.outstanding.add(deliveryId, messages, this.host.identity, () => this.host.nextSerial());
    if (frames === undefined) return undefined;
    this.host.send(Buffer.concat(frames));
    return { serials: this.outstanding.written(deliveryId)!.serials };
  }

  forget(deliveryId: string): void {
    this.outstanding.drop(deliveryId);
  }
}
