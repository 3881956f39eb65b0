/**
 * Sign-in throttling: failures are counted for the name at one address, for the address, and for the name from
 * anywhere, so that neither one guesser nor many get far, and nobody is locked out by somebody else for long.
 */
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
/** Counters held; the one that failed longest ago goes first. About 2 MiB. */
const MAX_COUNTERS = 20_000;

export class SignInThrottle {
  /** In order of the latest failure. */
  readonly #counters = new Map<string, { failures: number; lastAt: number; blockedUntil: number }>();

  constructor(private readonly now: () => number) {}

  /** ms to wait before the next attempt; 0 = now. */
  waitMs(name: string, address: string): number {
    const now = this.now();
    return Math.max(0, ...keysOf(name, address).map(([, key]) => (this.#counters.get(key)?.blockedUntil ?? 0) - now));
  }

  failed(name: string, address: string): void {
    const now = this.now();
    for (const [ruleName, key] of keysOf(name, address)) {
      const before = this.#counters.get(key);
      const failures = before && now - before.lastAt < FORGET_MS ? before.failures + 1 : 1;
      const rule = RULES[ruleName];
      const over = failures - rule.free;
      const pauseMs = over <= 0 ? 0 : Math.min(rule.maxPauseMs, rule.pauseMs * 2 ** Math.min(over - 1, 20));
      this.#counters.delete(key);
      this.#counters.set(key, { failures, lastAt: now, blockedUntil: now + pauseMs });
    }
    while (this.#counters.size > MAX_COUNTERS) this.#counters.delete(this.#counters.keys().next().value!);
  }

  succeeded(name: string, address: string): void {
    const [nameAtAddress] = keysOf(name, address);
    this.#counters.delete(nameAtAddress![1]);
  }
}

function keysOf(name: string, address: string): [RuleName, string][] {
  const net = networkOf(address);
  const who = name.slice(0, 64).toLowerCase();
  return [
    ['nameAtAddress', `n@a ${who} ${net}`],
    ['address', `a ${net}`],
    ['name', `n ${who}`],
  ];
}

/** An IPv6 host owns a /64 and can use any address of it. */
function networkOf(address: string): string {
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
