import { fork } from 'node:child_process';
import { isIP } from 'node:net';
import { InvalidArgumentError, type Command } from 'commander';
import { City } from '../city.js';
import { Histogram } from '../histogram.js';
import { Api } from '../net/api.js';
import { auditPositions } from '../net/audit.js';
import { ClockRateMismatch, FleetClock } from '../net/clock.js';
import { enrol } from '../net/enrol.js';
import { LoadGenerator, type LoadCounts } from '../net/load.js';
import type { KeptPosition } from '../net/load-terminal.js';
import { makeRoster, type RosterEntry } from '../roster.js';
import { guarded } from './guarded.js';
import { formatLoad, notesOf } from './load-report.js';
import { addCommonOptions, wholeNumber, type CommonOptions } from './options.js';
import { Progress, untilEnd } from './progress.js';
import { NothingListens, untilEndOrRefused } from './reach.js';

interface LoadFlags extends CommonOptions {
  every: number;
  processes: number;
  connectRate: number;
  logins: number;
  from?: string[];
  check: number;
  shard?: string;
}

/** What one process tells the first one. */
interface ShardMessage {
  type: 'connected' | 'progress' | 'end';
  counts: LoadCounts;
  delays: ReturnType<Histogram['toJSON']>;
  logins: ReturnType<Histogram['toJSON']>;
  errors: Record<string, number>;
  kept?: [phone: string, positions: KeptPosition[]][];
}

/** Below what a gateway takes from one address (500 a second), so that a fleet comes in without being sent away. */
const defaultConnectRate = 400;
/** So few that a slow platform is through with them before its patience ends; a wave of logins asks for more. */
const defaultLogins = 500;
/** Longer than the connections need at their pace. */
const connectPatienceMs = 120_000;
const drainMs = 20_000;
const defaultVehicles = 1000;

/** Registers `linecrew simulate load`. */
export function registerLoad(simulate: Command): void {
  addCommonOptions(
    simulate
      .command('load')
      .description('tens of thousands of terminals that report on a fixed schedule (open loop), with delay histograms'),
  )
    .option('--every <seconds>', 'machine seconds between two reports of one terminal', wholeNumber(1, 3600), 10)
    .option('--processes <n>', 'processes that share the terminals', wholeNumber(1, 64), 1)
    .option('--connect-rate <n>', 'connections opened a second, in all', wholeNumber(1, 100_000), defaultConnectRate)
    .option('--logins <n>', 'terminals that log in at the same time, in all', wholeNumber(1, 1_000_000), defaultLogins)
    .option('--from <address...>', 'own addresses to connect from, shared out among the terminals', addresses)
    .option('--check <n>', 'terminals whose confirmed positions are compared with the API', wholeNumber(0, 10_000), 50)
    .option('--shard <i/n>', 'used between the processes of one load run')
    .action((flags: LoadFlags) => guarded(() => (flags.shard === undefined ? runLoad(flags) : runShard(flags))));
}

function addresses(text: string, earlier: readonly string[] = []): string[] {
  if (isIP(text) === 0) throw new InvalidArgumentError('expected an IP address of this machine');
  return [...earlier, text];
}

/** Terminals of a load run: the same list in every process. */
function rosterOf(flags: LoadFlags): RosterEntry[] {
  const seed = flags.seed ?? 1;
  return makeRoster({
    seed,
    count: flags.vehicles ?? defaultVehicles,
    profile: 'tracker',
    edition: flags.edition === 'mixed' ? undefined : flags.edition,
    trades: ['lowVoltage'],
    mqtt: false,
    city: new City({ seed }),
  });
}

async function clockOf(flags: LoadFlags): Promise<FleetClock> {
  const health = flags.http === undefined ? undefined : await new Api(flags.http, flags.token).health();
  const { speed } = flags;
  if (health !== undefined && speed !== undefined && health.rate !== speed)
    throw new ClockRateMismatch(speed, health.rate);
  return new FleetClock(health?.rate ?? speed ?? 1, health?.now ?? Date.now());
}

/** How long terminals may take to log in before the schedule begins without the rest. */
function patienceMs({ vehicles, connectRate }: LoadFlags): number {
  return connectPatienceMs + ((vehicles ?? defaultVehicles) / connectRate) * 1000;
}

/** One of the processes: connects, waits for the word, reports, tells. */
async function runShard(flags: LoadFlags): Promise<number> {
  const [index, of] = flags.shard!.split('/').map(Number) as [number, number];
  const roster = rosterOf(flags).filter((_, i) => i % of === index);
  const generator = new LoadGenerator({
    host: flags.host,
    port: flags.port,
    from: flags.from ?? [],
    clock: await clockOf(flags),
    roster,
    edition: flags.edition === undefined || flags.edition === 'mixed' ? 2013 : flags.edition,
    everyS: flags.every,
    connectsPerSecond: flags.connectRate / of,
    loginsAtOnce: Math.max(1, flags.logins / of),
    kept: Math.ceil(flags.check / of),
  });
  const tell = (type: ShardMessage['type'], kept?: ShardMessage['kept']): void => {
    const message: ShardMessage = {
      type,
      counts: generator.counts,
      delays: generator.delays.toJSON(),
      logins: generator.loginMs.toJSON(),
      errors: generator.errors,
      ...(kept === undefined ? {} : { kept }),
    };
    process.send?.(message);
  };
  const told = new Promise<void>((resolve) => {
    process.on('message', (word) => {
      if (word === 'report') generator.report();
      if (word === 'stop') resolve();
    });
    process.on('disconnect', () => process.exit(1));
  });
  // The first process decides when it ends, also at Ctrl-C, which reaches all of them.
  process.on('SIGINT', () => undefined);
  const timer = setInterval(() => tell('progress'), 500);
  await generator.connect(patienceMs(flags));
  tell('connected');
  await told;
  clearInterval(timer);
  await generator.drain(drainMs);
  tell('end', [...generator.kept]);
  generator.close();
  process.disconnect();
  return 0;
}

async function runLoad(flags: LoadFlags): Promise<number> {
  const clock = await clockOf(flags);
  const roster = rosterOf(flags);
  const api = flags.http === undefined ? undefined : new Api(flags.http, flags.token);
  if (api?.authorised === true) await enrol(api, roster, 'centre-1');
  const shards = Array.from({ length: flags.processes }, (_, i) => new Shard(i, flags.processes));
  const totals = (): LoadCounts => sumCounts(shards.map((shard) => shard.last?.counts));
  const delays = (): Histogram => merge(shards.map((shard) => shard.last?.delays));
  const line = (): string => {
    const { online, due, sent, confirmed, unsent, refused } = totals();
    const { p50, p99, p999 } = delays().summary();
    return (
      `online ${online}/${roster.length}  due ${due}  sent ${sent}  confirmed ${confirmed}  not sent ${unsent}` +
      `  refused ${refused}  p50 ${p50.toFixed(1)}  p99 ${p99.toFixed(1)}  p99.9 ${p999.toFixed(1)} ms`
    );
  };
  const json = flags.json === true;
  const progress = new Progress(line, () => ({ ...totals(), delayMs: delays().summary() }), json);
  progress.start();
  const allConnected = new AbortController();
  void Promise.all(shards.map((shard) => shard.connected)).then(() => allConnected.abort());
  if (await untilEndOrRefused(patienceMs(flags), flags, () => totals().connected, allConnected.signal)) {
    progress.stop();
    for (const shard of shards) shard.kill();
    await Promise.all(shards.map((shard) => shard.ended));
    throw new NothingListens(flags);
  }
  const startedAt = clock.now();
  for (const shard of shards) shard.tell('report');
  await untilEnd(flags.duration === undefined ? undefined : (flags.duration * 1000) / clock.rate);
  const seconds = (clock.now() - startedAt) / 1000;
  for (const shard of shards) shard.tell('stop');
  await Promise.all(shards.map((shard) => shard.ended));
  progress.stop();

  const kept = new Map(shards.flatMap((shard) => shard.last?.kept ?? []));
  const ids = new Map(roster.map((entry) => [entry.phone, entry.vehicleId]));
  const wanted = [...kept].map(([phone, positions]) => ({ phone, vehicleId: ids.get(phone), positions }));
  const checked = api?.authorised === true ? await auditPositions(api, wanted) : undefined;
  const counts = totals();
  const report = {
    scenario: 'load',
    seed: flags.seed ?? 1,
    vehicles: roster.length,
    durationS: seconds,
    clockRate: clock.rate,
    ...counts,
    pending: counts.sent - counts.confirmed,
    perSecond: Math.round(counts.confirmed / (seconds / clock.rate)),
    delayMs: delays().summary(),
    loginMs: merge(shards.map((shard) => shard.last?.logins)).summary(),
    checked: checked === undefined ? undefined : { terminals: wanted.length, received: checked.received },
    lost: checked?.lost ?? 0,
    doubled: checked?.doubled ?? 0,
    missing: checked?.missing ?? [],
    unchecked: checked?.unchecked ?? 0,
    notes: [...notesOf(shards.map((shard) => shard.last?.errors ?? {})), ...(checked?.notes ?? [])],
  };
  process.stdout.write(json ? `${JSON.stringify({ type: 'report', ...report })}\n` : `${formatLoad(report)}\n`);
  return report.lost === 0 && report.doubled === 0 && report.unchecked === 0 ? 0 : 1;
}

/** A child process with its part of the terminals. */
class Shard {
  last: ShardMessage | undefined;
  readonly connected: Promise<void>;
  readonly ended: Promise<void>;
  readonly #child;

  constructor(index: number, of: number) {
    this.#child = fork(process.argv[1]!, [...process.argv.slice(2), '--shard', `${index}/${of}`]);
    this.connected = new Promise((resolve) => this.#on('connected', resolve));
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
    });
    this.#child.on('message', (message) => {
      const { kept } = message as ShardMessage;
      this.last = {
        ...(message as ShardMessage),
        ...(kept === undefined && this.last?.kept ? { kept: this.last.kept } : {}),
      };
    });
  }

  tell(word: 'report' | 'stop'): void {
    if (this.#child.connected) this.#child.send(word);
  }

  kill(): void {
    this.#child.kill();
  }

  #on(type: ShardMessage['type'], call: () => void): void {
    this.#child.on('message', (message) => {
      if ((message as ShardMessage).type === type) call();
    });
    this.#child.once('exit', call);
  }
}

function sumCounts(all: readonly (LoadCounts | undefined)[]): LoadCounts {
  const total = { connected: 0, online: 0, due: 0, sent: 0, confirmed: 0, unsent: 0, refused: 0, closed: 0 };
  for (const one of all) {
    if (one === undefined) continue;
    for (const key of Object.keys(total) as (keyof LoadCounts)[]) total[key] += one[key];
  }
  return total;
}

function merge(all: readonly (ReturnType<Histogram['toJSON']> | undefined)[]): Histogram {
  const total = new Histogram();
  for (const one of all) if (one !== undefined) total.add(Histogram.fromJSON(one));
  return total;
}
