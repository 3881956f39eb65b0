/** Claims on due documents, for a store that one process uses: kept in memory. At most one entry per due document. */
export class DueClaims {
  readonly #until = new Map<string, number>();

  /** True where nobody else holds a claim at `now`; the claim then ends at `now + leaseMs`. */
  claim(key: string, now: number, leaseMs: number): boolean {
    const until = this.#until.get(key);
    if (until !== undefined && until > now) return false;
    this.#until.set(key, now + leaseMs);
    return true;
  }

  /** End of the claim on a document, where there is one. */
  until(key: string): number | undefined {
    return this.#until.get(key);
  }

  end(keys: readonly string[]): void {
    for (const key of keys) this.#until.delete(key);
  }
}
