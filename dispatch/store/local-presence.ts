import { checkName } from './keys.js';
import type { Lease } from './store.js';

/** Fences of one opening of the store; the next opening starts above all of them. */
const FENCES_PER_EPOCH = 2 ** 32;

/**
 * Who owns which terminal, for a store that one process uses: kept in memory, since with the process all its
 * connections end. Fences still grow across restarts. One entry per terminal that ever connected.
 */
export class LocalPresence {
  readonly #leases = new Map<string, Lease>();
  #fence = 0;

  /** `epoch` must be higher at each opening. */
  start(epoch: number): void {
    this.#fence = epoch * FENCES_PER_EPOCH;
  }

  claim(terminal: string, node: string, connection: string, now: number, leaseMs: number) {
    checkName('terminal', terminal);
    const before = this.owner(terminal, now);
    const fence = ++this.#fence;
    this.#leases.set(terminal, { terminal, node, connection, fence, until: now + leaseMs });
    return before ? { fence, before } : { fence };
  }

  renew(terminal: string, fence: number, now: number, leaseMs: number): boolean {
    const lease = this.#leases.get(terminal);
    if (lease?.fence !== fence) return false;
    lease.until = now + leaseMs;
    return true;
  }

  release(terminal: string, fence: number): void {
    if (this.#leases.get(terminal)?.fence === fence) this.#leases.delete(terminal);
  }

  owner(terminal: string, now: number): Lease | undefined {
    const lease = this.#leases.get(terminal);
    return lease && lease.until > now ? { ...lease } : undefined;
  }
}

/** The part of a store that answers for presence, where {@link LocalPresence} holds it. */
export abstract class LocallyPresent {
  protected readonly presence = new LocalPresence();

  /** Throws where the store is closed. */
  protected abstract checkOpen(): void;

  async claimTerminal(terminal: string, node: string, connection: string, now: number, leaseMs: number) {
    this.checkOpen();
    return this.presence.claim(terminal, node, connection, now, leaseMs);
  }

  async renewTerminal(terminal: string, fence: number, now: number, leaseMs: number): Promise<boolean> {
    return this.presence.renew(terminal, fence, now, leaseMs);
  }

  async releaseTerminal(terminal: string, fence: number): Promise<void> {
    this.presence.release(terminal, fence);
  }

  async owner(terminal: string, now: number): Promise<Lease | undefined> {
    return this.presence.owner(terminal, now);
  }
}
