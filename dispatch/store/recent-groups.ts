/**
 * The newest groups of an ingest log, for the reader beside the gate that appended them: it is seldom behind by more than
 * a second, and need not fetch from a server what this process has just sent there.
 */
export class RecentGroups {
  /** In order, without a gap, from sequence `#first` on. */
  #groups: Uint8Array[] = [];
  #first = 1;
  #bytes = 0;

  /** @param bytesMax of all groups together; the oldest go */
  constructor(private readonly bytesMax: number) {}

  /** Takes a copy of a group that is in the log. Behind a gap, or out of turn, only this one is left. */
  add(sequence: number, group: Uint8Array): void {
    if (sequence !== this.#first + this.#groups.length) this.#clear(sequence);
    this.#groups.push(Uint8Array.from(group));
    this.#bytes += group.length;
    let spare = 0;
    while (this.#bytes > this.bytesMax) this.#bytes -= this.#groups[spare++]!.length;
    this.#drop(spare);
  }

  /** Groups behind `after`, at most `limit`; none where the next one is not here. */
  after(after: number, limit: number): { sequence: number; group: Uint8Array }[] {
    const from = after + 1 - this.#first;
    if (from < 0) return [];
    return this.#groups.slice(from, from + limit).map((group, i) => ({ sequence: after + 1 + i, group }));
  }

  /** Forgets groups up to `sequence`. */
  trim(sequence: number): void {
    const count = Math.min(this.#groups.length, sequence + 1 - this.#first);
    for (let i = 0; i < count; i++) this.#bytes -= this.#groups[i]!.length;
    this.#drop(count);
  }

  #drop(count: number): void {
    if (count <= 0) return;
    this.#groups.splice(0, count);
    this.#first += count;
  }

  #clear(first: number): void {
    this.#groups = [];
    this.#first = first;
    this.#bytes = 0;
  }
}
