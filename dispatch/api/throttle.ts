/**
 * Sign-in throttling: attempts are counted for the name at one address, for the address, and for the name from
 * anywhere, so that neither one guesser nor many get far, and nobody is locked out by somebody else for long. An attempt
 * counts as a failure from before its password is looked at until it has succeeded, so that attempts at the same moment
 * do not slip through together. Counts are in the store: guesses at all gateways on it count together.
 */
import { createHash } from 'node:crypto';
import { timeKey } from '../indexes.js';
import { TooManySignIns } from '../passwords.js';
import type { DispatchStore, DocPut } from '../store/store.js';

interface Rule {
  /** Failures that cost nothing. */
  free: number;
  /** First pause, doubled with each further failure. */
  pauseMs: number;
  maxPauseMs: number;
}
const RULES = {
  nameAtAddress: { free: 4, pauseMs: 2_000, maxPauseMs: 15 * 60_000 },
  address: { free: 20, pauseMs: 2_000, maxPauseMs: 15 * 60_000 },
  // Short at most: a stranger's guesses must not keep the person out.
  name: { free: 30, pauseMs: 1_000, maxPauseMs: 30_000 },
} satisfies Record<string, Rule>;
type RuleName = keyof typeof RULES;

/** Failures are forgotten after this long without another. */
const FORGET_MS = 3_600_000;
/** Pauses known without asking the store; the one learnt longest ago goes first. About 2 MiB. */
const MAX_PAUSES = 20_000;
/** Attempts that wait for their turn at the counters; each turn is two accesses to the store. */
const MAX_WAITING = 100;
/** Other gateways count at the same time. */
const TRIES = 5;
/** Counters deleted in one commit. */
const GROUP = 500;
const KIND = 'signInFailures';

interface Counter {
  failures: number;
  lastAt: number;
  /** No further attempt before this time, ms. */
  pausedUntil: number;
}
interface Key {
  id: string;
  rule: Rule;
}

/** What becomes of an attempt: it may go on, or must wait; `told` is true where the same pause was said before. */
export type Admission = { admitted: true } | { admitted: false; waitMs: number; told: boolean };

export class SignInThrottle {
  /** Pauses by key: what is refused again costs no access to the store. */
  readonly #pauses = new Map<string, { until: number; told: boolean }>();
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(
    private readonly store: DispatchStore,
    private readonly now: () => number,
  ) {}

  /**
   * Counts an attempt, as a failure, or says how long to wait. Whoever is let in says {@link succeeded} when the password
   * was right.
   * @throws {TooManySignIns} when too many come at once
   */
  async admit(name: string, address: string): Promise<Admission> {
    const keys = keysOf(name, address);
    return this.#refusal(keys) ?? this.#inTurn(async () => this.#refusal(keys) ?? this.#count(keys));
  }

  /** The attempt that was let in was the person: it is no failure, and earlier ones of the name there are forgotten. */
  async succeeded(name: string, address: string): Promise<void> {
    const [nameAtAddress, ...others] = keysOf(name, address);
    for (const { id } of [nameAtAddress, ...others]) this.#pauses.delete(id);
    await this.#inTurn(() =>
      this.#change([nameAtAddress, ...others], (counter, { id, rule }) => {
        if (counter === undefined || id === nameAtAddress.id || counter.failures <= 1) return undefined;
        const failures = counter.failures - 1;
        const pausedUntil = Math.min(counter.pausedUntil, counter.lastAt + pauseOf(rule, failures));
        return { ...counter, failures, pausedUntil };
      }),
    );
  }

  async #count(keys: readonly Key[]): Promise<Admission> {
    const now = this.now();
    let paused = false;
    await this.#change(keys, (counter, { id, rule }, all) => {
      paused = all.some((one) => one !== undefined && one.pausedUntil > now);
      if (paused) {
        // Another gateway counted what this one did not know.
        if (counter !== undefined) this.#pause(id, counter.pausedUntil);
        return counter;
      }
      const failures = counter !== undefined && now - counter.lastAt < FORGET_MS ? counter.failures + 1 : 1;
      const pausedUntil = now + pauseOf(rule, failures);
      this.#pause(id, pausedUntil);
      return { failures, lastAt: now, pausedUntil };
    });
    return (paused ? this.#refusal(keys) : undefined) ?? { admitted: true };
  }

  #refusal(keys: readonly Key[]): Admission | undefined {
    const now = this.now();
    const pauses = keys.map(({ id }) => this.#pauses.get(id)).filter((pause) => pause !== undefined);
    const last = pauses.sort((a, b) => b.until - a.until)[0];
    if (last === undefined || last.until <= now) return undefined;
    const { told } = last;
    last.told = true;
    return { admitted: false, waitMs: last.until - now, told };
  }

  #pause(id: string, until: number): void {
    this.#pauses.delete(id);
    if (until <= this.now()) return;
    this.#pauses.set(id, { until, told: false });
    while (this.#pauses.size > MAX_PAUSES) this.#pauses.delete(this.#pauses.keys().next().value!);
  }

  /** Reads the counters and writes what `decide` makes of them; the same one means that nothing is written. */
  async #change(
    keys: readonly Key[],
    decide: (counter: Counter | undefined, key: Key, all: (Counter | undefined)[]) => Counter | undefined,
  ): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const docs = await this.store.getMany(keys.map(({ id }) => ({ kind: KIND, id })));
      const all = docs.map((doc) => doc?.value as Counter | undefined);
      const puts = keys.flatMap((key, i): DocPut[] => {
        const value = decide(all[i], key, all);
        if (value === all[i]) return [];
        const indexes = value === undefined ? [] : [[KIND, `${timeKey(value.lastAt)}/${key.id}`] as const];
        return [{ kind: KIND, id: key.id, expect: docs[i]?.version ?? 0, value, indexes }];
      });
      if (puts.length === 0 || (await this.store.commit({ puts })).ok) return;
    }
    throw new TooManySignIns('other gateways count sign-ins of the same name or address');
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) throw new TooManySignIns(`${MAX_WAITING} sign-ins wait already`);
    this.#waiting++;
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }
}

/** Deletes counters that nothing was added to for an hour (retention). @returns how many */
export async function trimSignInFailures(store: DispatchStore, now: number): Promise<number> {
  let deleted = 0;
  for (;;) {
    const page = await store.scan({ index: KIND, to: timeKey(now - FORGET_MS), limit: GROUP });
    const puts = page.items.map(({ kind, id, version }) => ({
      kind,
      id,
      expect: version,
      value: undefined,
      indexes: [],
    }));
    if (puts.length === 0) return deleted;
    // A conflict: one of them counts again; the next look has it no more.
    if ((await store.commit({ puts })).ok) deleted += puts.length;
  }
}

function pauseOf({ free, pauseMs, maxPauseMs }: Rule, failures: number): number {
  const over = failures - free;
  return over <= 0 ? 0 : Math.min(maxPauseMs, pauseMs * 2 ** Math.min(over - 1, 20));
}

/** Hashed: what people type in place of a name may be a password. */
function keysOf(name: string, address: string): [Key, Key, Key] {
  const net = networkOf(address);
  const who = name.slice(0, 64).toLowerCase();
  const key = (rule: RuleName, ...of: string[]): Key => ({
    id: createHash('sha256')
      .update(JSON.stringify([rule, ...of]))
      .digest('base64url'),
    rule: RULES[rule],
  });
  return [key('nameAtAddress', who, net), key('address', net), key('name', who)];
}

/** An IPv6 host owns a /64 and can use any address of it. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const after = tail?.split(':').filter(Boolean) ?? [];
  const full =
    tail === undefined ? groups : [...groups, ...Array<string>(8 - groups.length - after.length).fill('0'), ...after];
  return full
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
