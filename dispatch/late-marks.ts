/**
 * Which vehicles got positions late, written down before these are applied: what the position rules gather of them in
 * memory for a moment (automation.ts), and what comes while no node runs the rules, would else be forgotten by a crash.
 */
import { isFix } from './fixes.js';
import type { Clock } from './ports.js';
import { POSITION_WIDTH, type PositionBatch } from './store/position-batch.js';
import type { DispatchStore } from './store/store.js';

/** Late positions of one vehicle: the earliest time by the terminal's own clock, and when it was written down; ms UTC. */
interface Mark {
  readonly from: number;
  readonly at: number;
}

/** As they are stored, for each node whose log is applied. */
interface Stored {
  readonly vehicles: Readonly<Record<string, Mark>>;
  /** Of too many vehicles to name them. */
  readonly all?: Mark;
}

/** What the position rules store: all that was marked by `foldedAt` is folded, but for what is on its way between nodes. */
export const RULES_META = 'position-rules';
export interface RulesMeta {
  readonly followed: number;
  readonly foldedAt?: number;
}

const PREFIX = 'position-rules.late.';
/** A vehicle whose positions keep coming late is written down so often (gateway time). */
const AGAIN_MS = 10_000;
/** Longest way of positions from the node that applies them to the one with the rules, and {@link AGAIN_MS} (gateway time). */
const MARGIN_MS = 60_000;
/** Named at most: some 50 bytes each, written at once. */
const NAMED_MAX = 1_000;

export class LateMarks {
  readonly #ofNode = new Map<string, { vehicles: Map<string, Mark>; all: Mark | undefined; dirty: boolean }>();

  constructor(
    private readonly store: DispatchStore,
    private readonly clock: Clock,
    private readonly lateMs: number,
  ) {}

  /** Call before `batch` of the log of `node` is applied. A store that fails has it called again with the same batch. */
  async note(node: string, batch: PositionBatch): Promise<void> {
    const late = this.#lateOf(batch);
    if (late.size === 0) return;
    const marks = this.#ofNode.get(node) ?? (await this.#read(node));
    this.#ofNode.set(node, marks);
    const now = this.clock.now();
    const covers = (mark: Mark | undefined, from: number) => mark !== undefined && mark.from <= from && now - mark.at < AGAIN_MS; // prettier-ignore
    for (const [vehicleId, from] of late) {
      const before = marks.vehicles.get(vehicleId);
      if (covers(marks.all, from) || covers(before, from)) continue;
      marks.vehicles.set(vehicleId, { from: Math.min(from, before?.from ?? from), at: now });
      marks.dirty = true;
    }
    if (!marks.dirty) return;
    const since = foldedSince((await this.store.meta(RULES_META)) as RulesMeta | undefined);
    for (const [vehicleId, mark] of marks.vehicles) if (mark.at < since) marks.vehicles.delete(vehicleId);
    if (marks.all !== undefined && marks.all.at < since) marks.all = undefined;
    if (marks.vehicles.size > NAMED_MAX) {
      const from = Math.min(marks.all?.from ?? Infinity, ...[...marks.vehicles.values()].map((mark) => mark.from));
      marks.all = { from, at: now };
      marks.vehicles.clear();
    }
    const stored: Stored = { vehicles: Object.fromEntries(marks.vehicles), ...(marks.all && { all: marks.all }) };
    await this.store.setMeta(PREFIX + node, stored);
    marks.dirty = false;
  }

  #lateOf({ numbers, vehicles, vehicleOf, length }: PositionBatch): Map<string, number> {
    const late = new Map<string, number>();
    for (let i = 0; i < length; i++) {
      const at = i * POSITION_WIDTH;
      const deviceAt = numbers[at]!;
      if (numbers[at + 1]! - deviceAt <= this.lateMs || !isFix(numbers[at + 8]!)) continue;
      const vehicleId = vehicles[vehicleOf[i]!]!;
      late.set(vehicleId, Math.min(deviceAt, late.get(vehicleId) ?? Infinity));
    }
    return late;
  }

  /** What an earlier process wrote down stays until it is folded. */
  async #read(node: string) {
    const stored = (await this.store.meta(PREFIX + node)) as Stored | undefined;
    return { vehicles: new Map(Object.entries(stored?.vehicles ?? {})), all: stored?.all, dirty: false };
  }
}

/**
 * What may not have been folded yet, of all nodes: vehicle → earliest time by its terminal's own clock, and the time for
 * every vehicle where there were too many.
 */
export async function unfolded(store: DispatchStore, rules: RulesMeta | undefined): Promise<{ vehicles: Map<string, number>; all?: number }> {
  const since = foldedSince(rules);
  const found: { vehicles: Map<string, number>; all?: number } = { vehicles: new Map() };
  for (const key of await store.metaKeys()) {
    if (!key.startsWith(PREFIX)) continue;
    const { vehicles, all } = (await store.meta(key)) as Stored;
    for (const [vehicleId, { from, at }] of Object.entries(vehicles)) {
      if (at >= since) found.vehicles.set(vehicleId, Math.min(from, found.vehicles.get(vehicleId) ?? Infinity));
    }
    if (all !== undefined && all.at >= since) found.all = Math.min(all.from, found.all ?? Infinity);
  }
  return found;
} // prettier-ignore

function foldedSince(rules: RulesMeta | undefined): number {
  return (rules?.foldedAt ?? -Infinity) - MARGIN_MS;
}
