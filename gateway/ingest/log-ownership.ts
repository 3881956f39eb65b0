/**
 * Who reads which ingest log. Each node reads its own; when a node is gone for longer than its lease, another one takes
 * over what is left in its log, and says that its links are down. The lease is the same kind as a terminal's, under the
 * name `ingest:{node}`; it is kept until the node comes back and takes it. Two readers that both believe to own a log do
 * no harm: the store refuses a position that does not follow on the last one (see `IngestPosition.after`).
 */
import { IngestReader, type ReaderOptions } from './reader.js';

export interface OwnershipOptions extends ReaderOptions {
  /** This process; unique among nodes and starts. */
  instance: string;
  /** A node is gone and all that it had logged is applied; tried again when it rejects. */
  gone?: (node: string) => Promise<void>;
  /** Others took this node for gone although it is not: what they said about it must be said again. */
  thoughtGone?: () => void;
}

/** How long a stop waits until the own log is applied, and again until the leases are given back, ms of gateway time. */
const stopMs = 5_000;

interface Taken {
  reader: IngestReader;
  fence: number;
  /** What the node left is applied and its end is told. */
  buried: boolean;
}

export class LogOwnership {
  readonly own: IngestReader;
  readonly #options: OwnershipOptions;
  readonly #taken = new Map<string, Taken>();
  #ownFence = 0;
  #timer: { cancel(): void } | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.own = new IngestReader(options);
  }

  async start(): Promise<void> {
    const { dispatch, limits, node } = this.#options;
    this.#ownFence = await this.#claim(node);
    await this.own.start();
    this.#timer = dispatch.clock.every(limits.nodeLeaseMs / 3, () => void this.look());
  }

  /**
   * Renews the leases and looks after the logs of nodes that are gone; does so by itself every third of a lease. What
   * fails is tried again by the next look; it never rejects. A call while one runs is that one.
   */
  look(): Promise<void> {
    this.#looking ??= this.#guarded(async () => {
      await this.#renew();
      await this.#lookAtOwn();
      await this.#lookAfterOthers();
    }).finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /**
   * Applies what is in the own log, gives back the leases. A store that fails now does not hold up the stop: what is
   * left stays in the log for the next start, and the leases run out.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#notTooLong(Promise.all([this.own.caughtUp(), this.#looking]));
    await this.#notTooLong(this.#giveBack());
  }

  /** A timer that is left over would keep the process alive. */
  async #notTooLong(work: Promise<unknown>): Promise<void> {
    let timer: { cancel(): void } | undefined;
    const late = new Promise<void>((resolve) => (timer = this.#options.dispatch.clock.after(stopMs, resolve)));
    try {
      await Promise.race([work, late]);
    } finally {
      timer?.cancel();
    }
  }

  async #giveBack(): Promise<void> {
    await this.own.stop();
    for (const [node, { reader, fence }] of this.#taken) {
      await reader.stop();
      await this.#release(node, fence);
    }
    await this.#release(this.#options.node, this.#ownFence);
  }

  /** An append whose answer was lost is in the log all the same, and nobody told the reader. */
  async #lookAtOwn(): Promise<void> {
    const { dispatch, node } = this.#options;
    const { appended } = await dispatch.store.ingestState(node);
    if (!this.#stopped) this.own.appended(appended, false);
  }

  /** Keeps the leases. */
  async #renew(): Promise<void> {
    const { dispatch, limits, node: self, log } = this.#options;
    const { store, clock } = dispatch;
    if (!(await store.renewTerminal(leaseName(self), this.#ownFence, clock.now(), limits.nodeLeaseMs))) {
      const owner = await store.owner(leaseName(self), clock.now());
      if (owner?.node === self) {
        log.error({ node: self, instance: owner.connection }, 'another gateway runs under the same node id: give each its own LINECREW_NODE_ID'); // prettier-ignore
      } else log.warn({ node: self, by: owner?.node }, 'this node was taken for gone; it takes its ingest log back');
      this.#ownFence = await this.#claim(self);
      this.#options.thoughtGone?.();
    }
    for (const [node, { reader, fence }] of this.#taken) {
      if (await store.renewTerminal(leaseName(node), fence, clock.now(), limits.nodeLeaseMs)) continue;
      log.info({ node }, 'the node is back, or a third one reads its ingest log');
      this.#taken.delete(node);
      await reader.stop();
    }
  }

  /** Looks after nodes that nobody holds, and after what a node that is held wrote before it really ended. */
  async #lookAfterOthers(): Promise<void> {
    const { dispatch, node: self } = this.#options;
    const { store, clock } = dispatch;
    const nodes = await store.ingestNodes();
    for (const node of nodes) {
      if (node === self || this.#stopped) continue;
      const taken = this.#taken.get(node);
      if (taken) {
        taken.reader.appended((await store.ingestState(node)).appended);
        if (!taken.buried && taken.reader.isCaughtUp) await this.#bury(node, taken);
      } else if ((await store.owner(leaseName(node), clock.now())) === undefined) await this.#take(node);
    }
    for (const node of this.#taken.keys()) if (!nodes.includes(node)) await this.#letGo(node);
  }

  /** Retention has forgotten the node. */
  async #letGo(node: string): Promise<void> {
    const { reader, fence } = this.#taken.get(node)!;
    this.#taken.delete(node);
    await reader.stop();
    await this.#release(node, fence);
  }

  async #take(node: string): Promise<void> {
    const { store } = this.#options.dispatch;
    const { appended, applied } = await store.ingestState(node);
    const fence = await this.#claim(node);
    if (appended > applied) {
      this.#options.log.info({ node, groups: appended - applied }, 'taking over the ingest log of a node that is gone');
    }
    // Clock offsets are the own terminals' business.
    const { offsets: _offsets, ...rest } = this.#options;
    const reader = new IngestReader({ ...rest, node, foreign: true });
    const taken = { reader, fence, buried: false };
    this.#taken.set(node, taken);
    await reader.start();
    if (reader.isCaughtUp) await this.#bury(node, taken);
    else void reader.caughtUp().then(() => this.#guarded(() => this.#bury(node, taken)));
  }

  async #bury(node: string, taken: Taken): Promise<void> {
    if (taken.buried || this.#stopped || this.#taken.get(node) !== taken) return;
    taken.buried = true;
    try {
      await this.#options.gone?.(node);
    } catch (error) {
      taken.buried = false;
      throw error;
    }
  }

  async #claim(node: string): Promise<number> {
    const { dispatch, instance, limits, node: self } = this.#options;
    const now = dispatch.clock.now();
    return (await dispatch.store.claimTerminal(leaseName(node), self, instance, now, limits.nodeLeaseMs)).fence;
  }

  async #release(node: string, fence: number): Promise<void> {
    await this.#guarded(() => this.#options.dispatch.store.releaseTerminal(leaseName(node), fence));
  }

  /** Runs a background job; what fails for a failing store is tried again by the next look. */
  async #guarded(job: () => Promise<void>): Promise<void> {
    try {
      await job();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'leases of ingest logs could not be looked after');
    }
  }
}

export function leaseName(node: string): string {
  return `ingest:${node}`;
}
