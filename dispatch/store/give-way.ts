/** Work that gives way: long pieces of it must not hold up the confirmations of terminals on the same thread. */

/** How long work keeps the thread at a time, ms of the machine. */
const TURN_MS = 0.25;

/** Lets everything else that is ready have the thread first. For work that may have kept it for long: see {@link Turn}. */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Tells work that waits between its steps when it has kept the thread for long enough. */
export class Turn {
  #until = performance.now() + TURN_MS;

  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  async giveWay(): Promise<void> {
    await giveWay();
    this.#until = performance.now() + TURN_MS;
  }
}

/**
 * Does the steps of `work`, some for each turn of the event loop. Done at once, without a promise, where they take less
 * than a turn. An error of a step ends it, and rejects where that is not in the first turn.
 */
export function inTurns(work: Iterator<void>): Promise<void> | undefined {
  return turn(work) ? undefined : rest(work);
}

async function rest(work: Iterator<void>): Promise<void> {
  do await giveWay();
  while (!turn(work));
}

/** @returns whether nothing is left */
function turn(work: Iterator<void>): boolean {
  const now = new Turn();
  while (!work.next().done) if (now.isOver) return false;
  return true;
}
