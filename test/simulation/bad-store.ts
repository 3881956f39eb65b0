import { memoryStore, type Fault } from '../../dispatch/store/memory.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import type { Random } from '../../simulator/index.js';
import type { Account } from './account.js';
import type { SimTime } from './time.js';

/** The store of one world, which fails on purpose: writes that are not done, done without a word, or late. */
export class BadStore {
  readonly store: DispatchStore;
  /** A spell of failing writes of every kind. */
  fails = false;
  /** What terminals send is logged, and nothing is made of it. */
  commitsFail = false;

  constructor(
    private readonly time: SimTime,
    private readonly random: Random,
    private readonly account: Account,
  ) {
    this.store = memoryStore({ now: () => time.now(), values: 'frozen', faults: (write) => this.#faultOf(write) });
  }

  /** From now on every write is done. */
  heal(): void {
    this.fails = false;
    this.commitsFail = false;
  }

  #faultOf(write: string): Fault | undefined | Promise<Fault | undefined> {
    const { random } = this;
    if (this.commitsFail && write === 'commit') return 'fail';
    if (!this.fails) return undefined;
    if (random.chance(0.25)) {
      this.account.count('store faults');
      return random.chance(0.6) ? 'fail' : 'loseAnswer';
    }
    if (random.chance(0.2)) {
      return new Promise((resolve) => this.time.after(random.between(10, 1_500), () => resolve(undefined)));
    }
    return undefined;
  }
}
