/** What `/readyz` says: can this node take a terminal's report and confirm it, and what is such a confirmation worth? */
import type { Readiness } from '../dispatch/api/server.js';
import type { DispatchPort } from '../dispatch/ports.js';
import type { Config } from './config/settings.js';
import type { TerminalGateway } from './terminal-gateway.js';

interface Parts {
  config: Config;
  dispatch: DispatchPort;
  terminals: TerminalGateway;
}

/** A reader this far behind is not keeping up: what the API shows is old. */
const BEHIND_GROUPS = 5_000;
/** A store that does not answer is as good as down. */
const CHECK_MS = 3_000;

export interface ReadinessDoor {
  state: () => Promise<Readiness>;
  /** Everything is started. */
  up(): void;
  /** The node is stopping: load balancers shall send terminals elsewhere. */
  down(): void;
}

export function createReadiness({ config, dispatch, terminals }: Parts): ReadinessDoor {
  let phase: 'starting' | 'up' | 'stopping' = 'starting';

  const state = async (): Promise<Readiness> => {
    const reasons: string[] = [];
    if (phase !== 'up') reasons.push(`the gateway is ${phase}`);
    const broken = await storeFault(dispatch);
    if (broken !== undefined) reasons.push(`the store does not commit: ${broken}; nothing is confirmed`);
    else if (terminals.committer.failing)
      reasons.push('the last append to the ingest log failed; nothing is confirmed until one works');
    else if (terminals.committer.appendingMs > CHECK_MS)
      reasons.push(
        `an append to the ingest log has taken more than ${CHECK_MS / 1000} s; nothing is confirmed until it ends`,
      );
    const { sequenceAppended, sequenceApplied } = terminals.counters;
    const behind = sequenceAppended - sequenceApplied;
    if (behind > BEHIND_GROUPS) reasons.push(`the reader is ${behind} groups behind the ingest log`);
    return { ok: reasons.length === 0, reasons, facts: await facts(config, dispatch, broken === undefined) };
  };

  return {
    state,
    up: () => void (phase = 'up'),
    down: () => void (phase = 'stopping'),
  };
}

async function storeFault({ store }: DispatchPort): Promise<string | undefined> {
  const late = new Promise<string>((done) =>
    setTimeout(done, CHECK_MS, `no answer within ${CHECK_MS / 1000} s`).unref(),
  );
  const check = store.check().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return Promise.race([check, late]);
}

async function facts(config: Config, { store, clock }: DispatchPort, works: boolean): Promise<unknown[]> {
  const found: unknown[] = [{ node: config.nodeId, store: store.kind }];
  if (works) found.push({ durability: await store.durability() });
  if (clock.rate !== 1) found.push({ clockRate: clock.rate });
  return found;
}
