/**
 * Who reads which ingest log. Each node reads its own; when a node is gone for longer than its lease, another one takes
 * over what is left in its log. The lease is the same kind as a terminal's, under the name `ingest:{node}`.
 */
import { IngestReader, type ReaderOptions } from './reader.js';

export interface OwnershipOptions extends ReaderOptions {
  /** This process; unique among nodes and starts. */
  instance: string;
}

/** How often other nodes' logs are looked at, ms of gateway time. */
const lookMs = 30_000;

export class LogOwnership {
  readonly own: IngestReader;
  readonly #options: OwnershipOptions;
  readonly #taken = new Map<string, { reader: IngestReader; fence: number }>();
  #ownFence = 0;
  #timers: { cancel(): void }[] = [];
  #busy = false;
  #stopped = false;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.own = new IngestReader(options);
  }

  async start(): Promise<void> {
    const { dispatch, limits } = this.#options;
    this.#ownFence = await this.#claim(this.#options.node);
    await this.own.start();
    this.#timers = [
      dispatch.clock.every(limits.leaseMs / 3, () => void this.#guarded(() => this.#renew())),
      dispatch.clock.every(lookMs, () => void this.#guarded(() => this.#look())),
    ];
  }

  /** Applies what is in the own log, gives back the leases. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    // A store that fails now must not hold up the stop: what is left stays in the log for the next start.
    await Promise.race([this.own.caughtUp(), this.#failing()]);
    await this.own.stop();
    for (const [node, { reader, fence }] of this.#taken) {
      await reader.stop();
      await this.#release(node, fence);
    }
    await this.#release(this.#options.node, this.#ownFence);
  }

  async #look(): Promise<void> {
    const { dispatch, node: self, log } = this.#options;
    const { store, clock } = dispatch;
    for (const node of await store.ingestNodes()) {
      if (node === self || this.#taken.has(node) || this.#stopped) continue;
      const { appended, applied } = await store.ingestState(node);
      if (applied >= appended || (await store.owner(leaseName(node), clock.now())) !== undefined) continue;
      log.info({ node, groups: appended - applied }, 'taking over the ingest log of a node that is gone');
      const fence = await this.#claim(node);
      const { offsets: _offsets, ...rest } = this.#options;
      const reader = new IngestReader({ ...rest, node });
      this.#taken.set(node, { reader, fence });
      await reader.start();
      void reader.caughtUp().then(() => this.#finished(node));
    }
  }

  /** All that the dead node left is applied. */
  async #finished(node: string): Promise<void> {
    const taken = this.#taken.get(node);
    if (taken === undefined || this.#stopped) return;
    this.#taken.delete(node);
    await taken.reader.stop();
    await this.#guarded(() => this.#release(node, taken.fence));
  }

  async #renew(): Promise<void> {
    const { dispatch, limits, node: self, log } = this.#options;
    const { store, clock } = dispatch;
    if (!(await store.renewTerminal(leaseName(self), this.#ownFence, clock.now(), limits.leaseMs))) {
      // It was taken over while this process was thought dead: what it applied is applied, the rest is ours again.
      log.warn({ node: self }, 'the lease of the own ingest log was lost; taken back');
      this.#ownFence = await this.#claim(self);
    }
    for (const [node, { reader, fence }] of this.#taken) {
      if (await store.renewTerminal(leaseName(node), fence, clock.now(), limits.leaseMs)) continue;
      log.info({ node }, 'the node is back: it reads its own log again');
      this.#taken.delete(node);
      await reader.stop();
    }
  }

  async #claim(node: string): Promise<number> {
    const { dispatch, instance, limits, node: self } = this.#options;
    const now = dispatch.clock.now();
    return (await dispatch.store.claimTerminal(leaseName(node), self, instance, now, limits.leaseMs)).fence;
  }

  async #release(node: string, fence: number): Promise<void> {
    await this.#guarded(() => this.#options.dispatch.store.releaseTerminal(leaseName(node), fence), true);
  }

  /** Runs one of the background jobs at a time; a failing store is tried again by the next round. */
  async #guarded(job: () => Promise<void>, always = false): Promise<void> {
    if (this.#busy && !always) return;
    if (!always) this.#busy = true;
    try {
      await job();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'leases of ingest logs could not be looked after');
    } finally {
      if (!always) this.#busy = false;
    }
  }

  async #failing(): Promise<void> {
    await this.#options.dispatch.store.check().catch(() => {});
    await new Promise<void>((resolve) => this.#options.dispatch.clock.after(5_000, resolve));
  }
}

function leaseName(node: string): string {
  return `ingest:${node}`;
}
