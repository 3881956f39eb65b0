/**
 * Work that one node of many does for all: whoever holds the lease does it; when its node dies or stops, another takes
 * it within seconds. For a moment two may hold it, so the work must bear being done twice.
 */
import type { DispatchPort } from './ports.js';

export interface RoleWork {
  stop(): unknown;
}

export interface RoleOptions {
  /** Which work; the lease's name is made from it. */
  name: string;
  node: string;
  /** Begins the work; called each time that the lease is won. */
  begin(): Promise<RoleWork>;
  log: {
    info(fields: Record<string, unknown>, message: string): void;
    warn(fields: Record<string, unknown>, message: string): void;
  };
}

/** Lease of a role, ms of gateway time; renewed at a third of it. */
export const ROLE_LEASE_MS = 10_000;

export class Role {
  #fence: number | undefined;
  #work: RoleWork | undefined;
  /** Until when the lease surely holds: a node that cannot renew stops before another may begin. */
  #until = 0;
  #timer: { cancel(): void } | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly dispatch: DispatchPort,
    private readonly options: RoleOptions,
  ) {}

  /** This node does the work now. */
  get held(): boolean {
    return this.#work !== undefined;
  }

  /** Resolves after the first look: where the lease was free, the work has begun. Rejects when it could not begin. */
  async start(): Promise<void> {
    await this.#round();
    this.#timer = this.dispatch.clock.every(ROLE_LEASE_MS / 3, () => void this.#look());
  }

  /** Ends the work and gives the lease back, so that another node goes on at once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
    await this.#end();
    if (this.#fence === undefined) return;
    await this.dispatch.store.releaseTerminal(this.#lease, this.#fence).catch(() => {
      // It runs out by itself.
    });
  }

  get #lease(): string {
    return `role:${this.options.name}`;
  }

  #look(): Promise<void> {
    this.#looking ??= this.#round()
      .catch(async (error: unknown) => {
        const { log, name } = this.options;
        log.warn({ err: error, role: name }, 'the lease of a role could not be looked after');
        if (this.dispatch.clock.now() >= this.#until) await this.#end();
      })
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #round(): Promise<void> {
    const { store, clock } = this.dispatch;
    const { node, name, begin, log } = this.options;
    const now = clock.now();
    if (this.#fence !== undefined && !(await store.renewTerminal(this.#lease, this.#fence, now, ROLE_LEASE_MS))) {
      log.info({ role: name, node }, 'another node has taken the role');
      this.#fence = undefined;
      await this.#end();
      return;
    }
    if (this.#fence === undefined) {
      const owner = await store.owner(this.#lease, now);
      // A lease under this node's own name is from before its restart.
      if (owner !== undefined && owner.node !== node) return;
      this.#fence = (await store.claimTerminal(this.#lease, node, node, now, ROLE_LEASE_MS)).fence;
      log.info({ role: name, node }, 'this node has the role');
    }
    this.#until = now + ROLE_LEASE_MS;
    if (this.#work === undefined && !this.#stopped) this.#work = await begin();
  }

  async #end(): Promise<void> {
    const work = this.#work;
    this.#work = undefined;
    await work?.stop();
  }
}
