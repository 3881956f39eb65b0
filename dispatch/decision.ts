/** A decision that is not committed yet, as others see it who add to it. */
import type { Actor, DomainEvent } from './domain/events.js';
import type { Docs, DocKind } from './domain/model.js';
import type { AnyCommand } from './domain/tables.js';
import { Refusal, type Tx } from './domain/tx.js';
import { keysOfCommand } from './hints.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface Decision {
  /** What it makes happen, in order. */
  readonly events: readonly DomainEvent[];
  /** Documents as it leaves them. */
  getMany<K extends DocKind>(kind: K, ids: readonly string[]): Promise<(Docs[K] | undefined)[]>;
  /** Decides one more command, to be committed with it. False where the rules refuse that; then nothing is added. */
  add(command: AnyCommand, actor: Actor): Promise<boolean>;
}

/** Told once what became of the decision: true when it is durable; false: it is not, or nobody knows. */
export type DecisionEnd = (committed: boolean) => void;

/** Takes part in a decision, or not (undefined). Never rejects. */
export type Join = (decision: Decision) => Promise<DecisionEnd | undefined>;

/** @param decideIt the rules, with what is checked before them */
export function decisionOf(work: UnitOfWork, now: number, decideIt: (tx: Tx, command: AnyCommand) => void): Decision {
  return {
    events: work.events,
    async getMany<K extends DocKind>(kind: K, ids: readonly string[]) {
      await work.load(ids.map((id) => ({ kind, id })));
      return ids.map((id) => work.peek(`${kind}:${id}`)?.value as Docs[K] | undefined);
    },
    async add(command, actor) {
      await work.load(keysOfCommand(command));
      try {
        await work.run({ now, actor }, (tx) => decideIt(tx, command));
        return true;
      } catch (error) {
        if (error instanceof Refusal) return false;
        throw error;
      }
    },
  };
}
