/** The service of dispatch: decides commands, applies reports, tells who follows, does what becomes due. */
import { decisionOf, type DecisionEnd, type Join } from './decision.js';
import type { TerminalReport } from './domain/commands.js';
import { applyReport, decide } from './domain/decide.js';
import type { Actor, StoredEvent } from './domain/events.js';
import type { Docs, DocKind } from './domain/model.js';
import type { DispatchSettings } from './domain/settings.js';
import type { AnyCommand } from './domain/tables.js';
import { FIRST_CENTRE } from './domain/organisation.js';
import { Refusal, type Tx } from './domain/tx.js';
import { startDueWorker } from './due-worker.js';
import { followLog, followPositions } from './follow.js';
import { keysOfCommand, keysOfReports } from './hints.js';
import type { RandomBytes } from './ids.js';
import { LateMarks } from './late-marks.js';
import type { Clock, CommandOptions, CommandOutcome, DispatchPort, Versioned } from './ports.js';
import { withPlace } from './place-of-key.js';
import { applyOnce } from './reports.js';
import { Turn } from './store/give-way.js';
import type { PositionBatch } from './store/position-batch.js';
import type { Batch, CommitResult, DispatchStore, IngestPosition } from './store/store.js';
import { Turns } from './turns.js';
import { UnitOfWork } from './unit-of-work.js';

/** Where the service says what it cannot tell anybody else. pino's logger fits. */
export interface ServiceLog {
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface DispatchOptions {
  store: DispatchStore;
  clock: Clock;
  settings: DispatchSettings;
  random: RandomBytes;
  log: ServiceLog;
  /** Name of this node: claims due work under it. */
  node?: string;
  /** Checked before every command, inside its decision: who may do what (throws `Refusal` 403). */
  guard?: (tx: Tx, command: AnyCommand) => void;
}

export interface Dispatch extends DispatchPort {
  /** Makes what a new store lacks (the first repair centre) and starts the work that becomes due by time. */
  start(): Promise<void>;
  /** Stops it and every follower; waits for what is being decided. */
  stop(): Promise<void>;
}

/** Decisions on the same documents that meet are decided again; so often meeting others is a fault worth an error. */
const MAX_ATTEMPTS = 50;
/** After so many a batch of reports goes first: the single decisions of this process wait for it. */
const GOES_FIRST_AFTER = 3;
const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000;

export function createDispatch(options: DispatchOptions): Dispatch {
  const { store, clock, settings, random, log, guard } = options;
  const running = new Set<Promise<unknown>>();
  const turns = new Turns();
  const late = new LateMarks(store, clock, settings.lateMs);
  let first: Promise<void> | undefined;
  const stops = new Set<{ cancel(): void }>();
  const joins = new Set<Join>();

  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    const done = (): void => void running.delete(work);
    work.then(done, done);
    return work;
  };

  function checkAndDecide(tx: Tx, command: AnyCommand): Record<string, unknown> {
    guard?.(tx, command);
    return decide(tx, command);
  }

  async function execute(
    command: AnyCommand,
    actor: Actor,
    { idempotencyKey, ifVersion }: CommandOptions = {},
  ): Promise<CommandOutcome> {
    if (idempotencyKey !== undefined) {
      const before = await store.remembered(idempotencyKey);
      if (before !== undefined) return repeated(before);
    }
    let refusal: Refusal | undefined;
    const outcome = await decideAndCommit(async (work) => {
      if (ifVersion) await checkVersion(work, ifVersion);
      refusal = undefined;
      await work.load(keysOfCommand(command));
      const result = await work
        .run({ now: clock.now(), actor }, (tx) => checkAndDecide(tx, command))
        .catch((error: unknown) => {
          if (!(error instanceof Refusal && error.keepsEvents)) throw error;
          refusal = error;
          return {};
        });
      const batch = work.batch();
      if (idempotencyKey === undefined || refusal) return { batch, result };
      return { batch: { ...batch, idempotency: { key: idempotencyKey, result, keepMs: IDEMPOTENCY_KEPT_MS } }, result };
    }, commitJoined);
    if (refusal) throw refusal;
    return outcome;
  }

  async function executeAll(commands: readonly AnyCommand[], actor: Actor): Promise<void> {
    await decideAndCommit(async (work) => {
      await work.load(commands.flatMap(keysOfCommand));
      for (const command of commands) {
        await work.run({ now: clock.now(), actor }, (tx) => {
          guard?.(tx, command);
          return decide(tx, command);
        });
      }
      return { batch: work.batch(), result: {} };
    });
  }

  /** With what others add to it. They are told how it went, whatever happens. */
  async function commitJoined(batch: Batch, work: UnitOfWork): Promise<CommitResult> {
    const ends: DecisionEnd[] = [];
    let ok = false;
    try {
      const decision = decisionOf(work, clock.now(), checkAndDecide);
      for (const join of joins) {
        const end = await join(decision);
        if (end) ends.push(end);
      }
      const committed = await store.commit(ends.length === 0 ? batch : { ...batch, ...work.batch() });
      ok = committed.ok;
      return committed;
    } finally {
      for (const end of ends) end(ok);
    }
  }

  async function decideAndCommit(
    attempt: (work: UnitOfWork) => Promise<{ batch: Batch; result: Record<string, unknown> }>,
    commit: (batch: Batch, work: UnitOfWork) => Promise<CommitResult> = (batch) => store.commit(batch),
  ): Promise<CommandOutcome> {
    let endTurn: (() => void) | undefined;
    let endFirst: (() => void) | undefined;
    try {
      for (let tries = 0; ; tries++) {
        while (first !== undefined && endFirst === undefined) await first;
        const work = new UnitOfWork(store, settings, random);
        const { batch, result } = await attempt(work);
        if (work.isEmpty && !batch.idempotency && !batch.applied) return { result, events: [], repeated: false };
        const committed = await commit(batch, work);
        if (committed.ok) return { result, events: numbered(work, committed.lastPosition), repeated: false };
        if ('duplicate' in committed) return repeated(committed.duplicate);
        // Another reader of the ingest log was faster: deciding again would not help.
        if (committed.conflict.kind === 'ingest') throw new ConflictError(committed.conflict);
        if (tries >= MAX_ATTEMPTS) throw new ConflictError(committed.conflict);
        // Only one document at a time, and none while waiting for another: nobody waits in a circle.
        endTurn?.();
        endTurn = undefined;
        // A batch takes long: on a busy or slow machine there is always a command that changes one of its documents first.
        if (batch.applied && tries + 1 >= GOES_FIRST_AFTER && first === undefined) endFirst = goFirst();
        if (endFirst !== undefined) continue;
        endTurn = await turns.take(`${committed.conflict.kind}/${committed.conflict.id}`);
        await pause(tries);
      }
    } finally {
      endTurn?.();
      endFirst?.();
    }
  }

  /** All others wait before they decide, until the function that this gives is called. Who goes first waits for nobody. */
  function goFirst(): () => void {
    let end: () => void = () => undefined;
    first = new Promise((resolve) => (end = resolve));
    return () => {
      first = undefined;
      end();
    };
  }

  async function apply(
    reports: readonly TerminalReport[],
    positions: PositionBatch,
    applied: IngestPosition,
  ): Promise<void> {
    await late.note(applied.node, positions);
    await decideAndCommit(async (work) => {
      const now = clock.now();
      await work.load(keysOfReports(reports));
      const turn = new Turn();
      for (const report of reports) {
        await applyOnce(work, await withPlace(store, report, positions), now, applyReport, log);
        if (turn.isOver) await turn.giveWay();
      }
      return { batch: { ...work.batch(), positions, applied }, result: {} };
    });
  }

  async function note(reports: readonly TerminalReport[]): Promise<void> {
    await decideAndCommit(async (work) => {
      const now = clock.now();
      await work.load(keysOfReports(reports));
      for (const report of reports) await applyOnce(work, report, now, applyReport, log);
      return { batch: work.batch(), result: {} };
    });
  }

  async function tick(kind: DocKind, id: string, rule: (tx: Tx) => void, name: string): Promise<void> {
    await decideAndCommit(async (work) => {
      await work.load([{ kind, id }]);
      await work.run({ now: clock.now(), actor: { source: 'rule', name, roles: [] } }, rule);
      work.touch(kind, id);
      return { batch: work.batch(), result: {} };
    });
  }

  const cancellable = (handle: { cancel(): void }): { cancel(): void } => {
    stops.add(handle);
    return {
      cancel: () => {
        stops.delete(handle);
        handle.cancel();
      },
    };
  };

  return {
    store,
    clock,
    settings,
    execute: (command, actor, commandOptions) => track(execute(command, actor, commandOptions)),
    executeAll: (commands, actor) => track(executeAll(commands, actor)),
    beforeCommit(join) {
      joins.add(join);
      return { cancel: () => void joins.delete(join) };
    },
    apply: (reports, positions, applied) => track(apply(reports, positions, applied)),
    note: (reports) => track(note(reports)),
    async get<K extends DocKind>(kind: K, id: string) {
      return versioned<K>(await store.get(kind, id));
    },
    async getMany<K extends DocKind>(kind: K, ids: readonly string[]) {
      return (await store.getMany(ids.map((id) => ({ kind, id })))).map((doc) => versioned<K>(doc));
    },
    scan: (scan) => store.scan(scan),
    eventsAfter: (after, limit, ref) => store.eventsAfter(after, limit, ref),
    eventsBefore: (before, limit, ref) => store.eventsBefore(before, limit, ref),
    lastPositions: (vehicleIds) => store.lastPositions(vehicleIds),
    follow: (after, on) => cancellable(followLog(store, log, after, on)),
    onPositions: (on) => cancellable(followPositions(store, on)),
    async start() {
      if (!(await store.get('centre', FIRST_CENTRE))) {
        await track(execute({ type: 'centre.put', centre: { id: FIRST_CENTRE } }, STARTUP));
      }
      const node = options.node ?? 'node';
      cancellable(startDueWorker({ store, clock, log, node, tick: (...work) => track(tick(...work)) }));
    },
    async stop() {
      for (const handle of stops) handle.cancel();
      stops.clear();
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

const STARTUP: Actor = { source: 'rule', name: 'newStore', roles: ['administrator'] };

/** Others changed the same document each time that this decision was tried, or moved the ingest log's position. */
export class ConflictError extends Error {
  constructor(readonly document: { kind: string; id: string }) {
    super(
      document.kind === 'ingest'
        ? `another reader has moved the position in the ingest log of ${document.id}`
        : `${document.kind}:${document.id} was changed by others ${MAX_ATTEMPTS} times while it was decided on`,
    );
  }
}

async function checkVersion(work: UnitOfWork, wanted: NonNullable<CommandOptions['ifVersion']>): Promise<void> {
  const version = await work.version(wanted.kind, wanted.id);
  if (version !== wanted.version) {
    throw new Refusal(
      'changedMeanwhile',
      `${wanted.kind} ${wanted.id} is at version ${version}, not ${wanted.version}`,
      412,
      {
        version,
      },
    );
  }
}

function versioned<K extends DocKind>(doc: { version: number; value: unknown } | undefined): Versioned<K> | undefined {
  return doc && { value: doc.value as Docs[K], version: doc.version };
}

function numbered(work: UnitOfWork, lastPosition: number): StoredEvent[] {
  const first = lastPosition - work.events.length + 1;
  return work.events.map((event, i) => ({ ...event, position: first + i }));
}

function repeated(result: unknown): CommandOutcome {
  return { result: result as Record<string, unknown>, events: [], repeated: true };
}

/** Machine time, not gateway time: it lets the other writer finish. */
function pause(tries: number): Promise<void> {
  if (tries < 3) return Promise.resolve();
  return new Promise((resolve) => setTimeout(resolve, Math.min(tries, 20)));
}
