/** Who may open a connection: bounds in all, from one address, and on how fast an address comes back. */
import type { GatewayLimits } from './limits.js';

interface Address {
  readonly text: string;
  open: number;
  unauthenticated: number;
  /** Tokens of its bucket, and when they were counted. */
  tokens: number;
  countedAt: number;
}

/** Why a connection was refused at accept. */
export type AcceptRefusal = 'tooManyConnections' | 'tooManyFromAddress' | 'tooManyUnauthenticated' | 'tooFast';

const burstSeconds = 10;

export class AddressLimits {
  readonly #addresses = new Map<string, Address>();
  #open = 0;

  constructor(private readonly limits: GatewayLimits) {}

  get open(): number {
    return this.#open;
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Counts a new connection, or says why it must not be. */
  accept(address: string, nowMs: number): AcceptRefusal | undefined {
    const { limits } = this;
    if (this.#open >= limits.connections) return 'tooManyConnections';
    const burst = limits.connectsPerSecond * burstSeconds;
    let one = this.#addresses.get(address);
    if (one === undefined) {
      if (this.#addresses.size >= limits.addresses) this.#sweep(nowMs);
      if (this.#addresses.size >= limits.addresses) return 'tooManyConnections';
      one = { text: address, open: 0, unauthenticated: 0, tokens: burst, countedAt: nowMs };
      this.#addresses.set(address, one);
    }
    const passed = Math.max(0, nowMs - one.countedAt) / 1000;
    one.tokens = Math.min(burst, one.tokens + passed * limits.connectsPerSecond);
    one.countedAt = nowMs;
    if (one.tokens < 1) return 'tooFast';
    if (one.open >= limits.connectionsPerAddress) return 'tooManyFromAddress';
    if (one.unauthenticated >= limits.unauthenticatedPerAddress) return 'tooManyUnauthenticated';
    one.tokens--;
    one.open++;
    one.unauthenticated++;
    this.#open++;
    return undefined;
  }

  /** The same text, in the one copy that all connections of an address share. */
  same(address: string): string {
    return this.#addresses.get(address)?.text ?? address;
  }

  /** The connection has authenticated. */
  authenticated(address: string): void {
    const one = this.#addresses.get(address);
    if (one !== undefined) one.unauthenticated--;
  }

  closed(address: string, wasAuthenticated: boolean): void {
    this.#open--;
    const one = this.#addresses.get(address);
    if (one === undefined) return;
    one.open--;
    if (!wasAuthenticated) one.unauthenticated--;
  }

  /** Forgets addresses without connections whose bucket is full again. */
  #sweep(nowMs: number): void {
    for (const [address, { open, countedAt }] of this.#addresses) {
      if (open === 0 && nowMs - countedAt > burstSeconds * 1000) this.#addresses.delete(address);
    }
  }
}
