import type { Random } from '../../simulator/index.js';
import type { Account } from './account.js';
import type { BadStore } from './bad-store.js';
import { checkStarts } from './checkers.js';
import { SimProcess } from './process.js';
import type { SimTime } from './time.js';
import type { SimTruck } from './truck.js';

/** More starts than any storm causes: past it a start fails for ever. */
const mostStarts = 300;
/** A start that failed is tried again after this. */
const startAgainMs = 2_000;

/** Gateways on the one store: they start, lose their power, and start again; one may be gone for good. */
export class Platform {
  /** By node; undefined while one is down. */
  readonly #nodes = new Map<string, SimProcess | undefined>();
  #starts = 0;
  /** The node that never comes back. */
  #gone: string | undefined;

  constructor(
    private readonly time: SimTime,
    private readonly random: Random,
    private readonly bad: BadStore,
    private readonly trucks: readonly SimTruck[],
    private readonly account: Account,
  ) {}

  get nodes(): string[] {
    return [...this.#nodes.keys()];
  }

  /** A start may need the store, which may fail: it is tried again, as a supervisor of processes would. */
  start(node: string): void {
    if (this.#nodes.get(node) !== undefined || node === this.#gone) return;
    const name = `gateway ${++this.#starts}`;
    const process = new SimProcess(this.time, this.bad.store, this.random.stream(name), node, name, this.account.note);
    this.#nodes.set(node, process);
    process.ready.catch(() => {
      process.kill();
      if (this.#nodes.get(node) === process) this.#nodes.set(node, undefined);
      if (this.#starts < mostStarts) this.time.after(startAgainMs, () => this.start(node));
    });
  }

  /** A gateway that takes connections, any of them; undefined while none does. */
  any(random: Random): SimProcess | undefined {
    const up = [...this.#nodes.values()].filter((process) => process?.up);
    return up.length === 0 ? undefined : random.pick(up);
  }

  /** Waits until a gateway takes connections. @returns what is wrong when none does for longer than any storm lasts */
  async someNodeUp(): Promise<string[]> {
    const until = this.time.now() + mostStarts * startAgainMs;
    const isUp = (): boolean => [...this.#nodes.values()].some((process) => process?.up);
    while (!isUp() && this.time.now() < until) await this.time.run(this.time.now() + 1_000);
    return checkStarts(isUp());
  }

  /** Power cut; after a while the node starts again. */
  kill(node: string): void {
    const process = this.#nodes.get(node);
    if (process === undefined) return;
    const silent = this.random.chance(0.3);
    this.account.note('world', `power cut of ${node}${silent ? ', nobody is told' : ''}`);
    this.account.count('power cuts');
    this.#nodes.set(node, undefined);
    process.kill();
    for (const truck of this.trucks) truck.link.platformDied(process, silent);
    this.time.after(this.random.between(500, 20_000), () => this.start(node));
  }

  /** One is gone for good, with a log that it could not apply: another has to finish it. */
  lose(random: Random, stillWanted: () => boolean): void {
    this.bad.commitsFail = true;
    this.time.after(random.between(8_000, 15_000), () => {
      this.bad.commitsFail = false;
      if (!stillWanted()) return;
      const node = random.pick(this.nodes);
      this.account.note('world', `${node} is gone for good`);
      this.account.count('nodes gone for good');
      this.#gone = node;
      this.kill(node);
      this.#nodes.delete(node);
    });
  }

  /** The end of the world: nothing of it goes on. */
  end(): void {
    for (const process of this.#nodes.values()) process?.kill();
  }
}
