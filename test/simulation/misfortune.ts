import type { Random } from '../../simulator/index.js';
import type { Account } from './account.js';
import type { BadStore } from './bad-store.js';
import type { Platform } from './platform.js';
import type { SimTime } from './time.js';
import type { SimTruck } from './truck.js';

/** What goes wrong with what, and while what. */
export interface Victims {
  time: SimTime;
  platform: Platform;
  bad: BadStore;
  trucks: readonly SimTruck[];
  account: Account;
  /** Whether it still storms. */
  storms(): boolean;
}

/** Power cuts, spells of a failing store, reboots, holes: each by its own stream. */
export function misfortune(world: Random, { time, platform, bad, trucks, account, storms }: Victims): void {
  const often = (name: string, meanMs: number, act: (random: Random) => void): void => {
    const random = world.stream(name);
    const next = (): void => {
      time.after(random.exponential(meanMs), () => {
        if (!storms()) return;
        act(random);
        next();
      });
    };
    next();
  };
  often('power', 150_000, (random) => platform.kill(random.pick(platform.nodes)));
  often('disk', 100_000, (random) => {
    bad.fails = true;
    account.note('world', 'the store begins to fail');
    time.after(random.between(500, 15_000), () => {
      bad.fails = false;
      account.note('world', 'the store works again');
    });
  });
  often('reboots', 90_000, (random) => random.pick(trucks).reboot());
  often('holes', 60_000, (random) => random.pick(trucks).link.lose());
}
