/**
 * How a subject of the domain takes part: it exports its share of each table, and `decide.ts`, `reduce.ts`,
 * `hooks.ts` and `due.ts` join the shares. A new subject is one file and one line in each join that it needs.
 */
import type { Command, DeliveryReport, LinkCommand, RuleCommand, TerminalReport } from './commands.js';
import type { DomainEvent } from './events.js';
import type { Docs, DocKind } from './model.js';
import type { DispatchSettings } from './settings.js';
import type { Tx } from './tx.js';

export type AnyCommand = Command | LinkCommand | DeliveryReport | RuleCommand;
export type CommandOf<T extends AnyCommand['type']> = AnyCommand & { type: T };
/** What a command made or changed, by id. */
export type Result = Record<string, unknown>;

/** Decides one kind of command: reads documents, emits events, or throws a `Refusal`. */
export type Deciders = { [T in AnyCommand['type']]?: (tx: Tx, command: CommandOf<T>) => Result };

export type ReportOf<T extends TerminalReport['type']> = TerminalReport & { type: T };
/** Applies one kind of terminal report. Never refuses: what cannot be used becomes evidence, a card or quarantine. */
export type Appliers = { [T in TerminalReport['type']]?: (tx: Tx, report: ReportOf<T>) => void };

/** What a reducer sees: documents by kind and id. Values are never changed in place; `put` takes a new one. */
export interface Documents {
  get<K extends DocKind>(kind: K, id: string): Readonly<Docs[K]> | undefined;
  put<K extends DocKind>(kind: K, id: string, value: Docs[K]): void;
  remove(kind: DocKind, id: string): void;
}
/** Folds one type of event into the documents that it names. Pure: no clock, no settings, only the event. */
export type Reducer = (docs: Documents, event: DomainEvent) => void;
/** By event type; each type has exactly one reducer. */
export type Reducers = Record<string, Reducer>;

/** A reducer that knows the shape of its event's data. The emitter of the same file is what keeps that shape true. */
export function folding<Data>(fold: (docs: Documents, event: DomainEvent<string, Data>) => void): Reducer {
  return (docs, event) => fold(docs, event as DomainEvent<string, Data>);
}

/**
 * Called for an event of its type after the decision that emitted it is complete, in the order of the events, so it
 * sees the documents as the whole decision left them. What it emits is part of the same commit and has hooks of its
 * own; a hook must therefore be guarded by state.
 */
export type Hook = (tx: Tx, event: DomainEvent) => void;
export type Hooks = Record<string, Hook>;

/** Work that becomes due by time for one kind of document. */
export interface DueRule<K extends DocKind = DocKind> {
  kind: K;
  /** Goes into `by` of its events. */
  name: string;
  /** When `tick` is wanted next (ms UTC), from the document alone; undefined = never. */
  dueAt(doc: Readonly<Docs[K]>, settings: DispatchSettings): number | undefined;
  /** Does what is due at `tx.now` and leaves a document whose `dueAt` is later. Each step is guarded by state. */
  tick(tx: Tx, id: string): void;
}

/** Joins shares of a table; two shares with one key are a mistake of ours. */
export function join<T extends object>(what: string, ...shares: T[]): T {
  const joined: Record<string, unknown> = {};
  for (const share of shares) {
    for (const [key, value] of Object.entries(share)) {
      if (key in joined) throw new Error(`two ${what} for ${key}`);
      joined[key] = value;
    }
  }
  return joined as T;
}
