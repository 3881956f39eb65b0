/**
 * Faults of the machine under a gateway at work: a full disk, a read-only one, one that gives errors or hangs, a clock
 * that jumps. Terminals and a call centre keep on; in the end, after a SIGKILL, everything that was confirmed must be
 * there once. The faults are made below the program: between its store and the disk (`faults.c`), so nothing of the
 * program is another than in operation.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { constants as system } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../support/system.js';
import { GatewayProcess } from './gateway-process.js';
import { CallCentre, compare, totalOf, WitnessTerminal, type Found } from './witnesses.js';

export interface Fault {
  name: string;
  words: string;
  /** errno of every write and flush of the store. */
  error?: number;
  /** Nothing is free, which shows a moment before writes fail: other programs fill a disk in small pieces. */
  full?: boolean;
  /** Writes and flushes hang while it lasts. */
  stalled?: boolean;
  /** The machine's clock is off by so much, ms. */
  clockMs?: number;
}

const HOUR_MS = 3_600_000;
const { ENOSPC, EROFS, EIO } = system.errno;
export const FAULTS: readonly Fault[] = [
  { name: 'full', words: 'the disk is full (ENOSPC)', error: ENOSPC, full: true },
  { name: 'readOnly', words: 'the disk is read-only (EROFS)', error: EROFS },
  { name: 'errors', words: 'the disk gives errors (EIO)', error: EIO },
  { name: 'stall', words: 'the disk hangs', stalled: true },
  { name: 'forward', words: 'the clock jumps an hour forward', clockMs: HOUR_MS },
  { name: 'back', words: 'the clock jumps an hour back', clockMs: -HOUR_MS },
];

export interface FaultRow {
  fault: string;
  words: string;
  /** Messages confirmed while it lasted. */
  confirmedDuring: number;
  /** Whether `/readyz` said no while it lasted, and what. */
  ready: boolean;
  reasons: string[];
  /** How often the process ended and was started again. */
  restarts: number;
  /** From its end to the next confirmed message and to the next confirmed order, ms. */
  messageAfterMs: number;
  orderAfterMs: number;
}

export interface FaultFigures extends Found {
  rows: FaultRow[];
}

export interface FaultOptions {
  faults: readonly Fault[];
  terminals: number;
  /** How long each fault lasts, ms. */
  lastsMs: number;
  /** Of the store. */
  directory: string;
  say?: (words: string) => void;
}

const DAY_MS = 86_400_000;
/** A terminal sends again what was not confirmed in this time, ms. */
const RESEND_MS = 1_000;
const RECOVERY_MS = 60_000;
/** A full disk shows so long before the first write fails, ms. */
const NOTICE_MS = 100;
const CONTROL_BYTES = 24;

/** What `faults.c` reads. */
class Machine {
  readonly env: Record<string, string>;
  readonly #control: string;

  constructor(directory: string) {
    const compiler = findProgram('cc') ?? findProgram('gcc');
    if (!compiler) throw new Error('this needs a C compiler: apt-get install gcc');
    const library = join(directory, 'faults.so');
    const source = fileURLToPath(new URL('./faults.c', import.meta.url));
    execFileSync(compiler, ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl']);
    this.#control = join(directory, 'faults');
    this.set({});
    this.env = { LD_PRELOAD: library, DISK_CONTROL: this.#control };
  }

  set({ error = 0, full = false, stalled = false, clockMs = 0 }: Partial<Fault>): void {
    const bytes = Buffer.alloc(CONTROL_BYTES);
    bytes.writeInt32LE(error, 0);
    bytes.writeInt32LE(stalled ? 1 : 0, 4);
    bytes.writeBigInt64LE(BigInt(clockMs), 8);
    bytes.writeInt32LE(full ? 1 : 0, 16);
    // Into the same file, never shorter: the gateway has it mapped.
    const file = openSync(this.#control, constants.O_RDWR | constants.O_CREAT);
    writeSync(file, bytes, 0, CONTROL_BYTES, 0);
    closeSync(file);
  }
}

/** Runs everything; rejects when the gateway does not recover, not when something was lost. */
export async function runFaults({
  faults,
  terminals,
  lastsMs,
  directory,
  say = () => {},
}: FaultOptions): Promise<FaultFigures> {
  const machine = new Machine(directory);
  const store = join(directory, 'store');
  const beginning = Math.floor(Date.now() / 1000) * 1000 - 4 * DAY_MS;
  const fleet = Array.from(
    { length: terminals },
    (_, i) => new WitnessTerminal(`138${String(i).padStart(8, '0')}`, beginning, RESEND_MS),
  );
  const centre = new CallCentre();
  let over = false;
  const gateway = new Supervised(store, machine.env);
  await gateway.start();
  try {
    for (const { phone } of fleet) await gateway.process.addVehicle(phone, phone);
    const working = fleet.map(async (one) => {
      // A connection that the gateway ended is made anew.
      while (!over || one.open > 0) await one.run(gateway.process.ports.tcp, () => over).catch(() => pause(100));
    });
    working.push(centre.run({ request: (...args) => gateway.process.request(...args) }, () => over));
    const rows: FaultRow[] = [];
    for (const fault of faults) {
      await afterNow('work before a fault', () => totalOf(fleet));
      rows.push(await suffer(fault, { machine, gateway, fleet, centre, lastsMs }));
      const { ready, confirmedDuring, messageAfterMs } = rows.at(-1)!;
      say(
        `${fault.words}: ready ${ready}, ${confirmedDuring} confirmed meanwhile, the next ${Math.round(messageAfterMs)} ms after it`,
      );
    }
    over = true;
    await Promise.all(working);
    await gateway.process.kill();
    await gateway.start();
    return { rows, ...(await compare(gateway.process, fleet, centre, beginning)) };
  } finally {
    over = true;
    machine.set({});
    await gateway.stop();
  }
}

/** Starts the gateway again when it ended by itself, as systemd or a container's supervisor does. */
class Supervised {
  process!: GatewayProcess;
  restarts = 0;
  #stopping = false;

  constructor(
    private readonly store: string,
    private readonly env: Record<string, string>,
  ) {}

  async start(): Promise<void> {
    this.process = await GatewayProcess.start(this.store, { env: this.env });
    this.process.child.once('exit', (_code, signal) => {
      // Killed by the run itself.
      if (!this.#stopping && signal !== 'SIGKILL') void this.#again();
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.process.stop();
  }

  async #again(): Promise<void> {
    this.restarts++;
    // It does not start while its disk is broken.
    while (!this.#stopping)
      if (
        await this.start().then(
          () => true,
          () => pause(200),
        )
      )
        return;
  }
}

interface Suffering {
  machine: Machine;
  gateway: Supervised;
  fleet: readonly WitnessTerminal[];
  centre: CallCentre;
  lastsMs: number;
}

async function suffer(fault: Fault, { machine, gateway, fleet, centre, lastsMs }: Suffering): Promise<FaultRow> {
  const restartsBefore = gateway.restarts;
  if (fault.full) {
    machine.set({ full: true });
    await pause(NOTICE_MS);
  }
  machine.set(fault);
  // What was on its way to the disk at the moment of the fault may still have reached it.
  await pause(lastsMs / 4);
  const before = totalOf(fleet);
  await pause((lastsMs * 3) / 4);
  const { ready, reasons } = await readiness(gateway);
  const confirmedDuring = totalOf(fleet) - before;
  machine.set({});
  const [messageAfterMs, orderAfterMs] = await Promise.all([
    afterNow('a message', () => totalOf(fleet)),
    afterNow('an order', () => centre.confirmed.size),
  ]);
  for (const end = Date.now() + RECOVERY_MS; !(await readiness(gateway)).ready; await pause(50)) {
    if (Date.now() > end) throw new Error(`the gateway is not ready ${RECOVERY_MS / 1000} s after: ${fault.words}`);
  }
  const restarts = gateway.restarts - restartsBefore;
  return {
    fault: fault.name,
    words: fault.words,
    confirmedDuring,
    ready,
    reasons,
    restarts,
    messageAfterMs,
    orderAfterMs,
  };
}

async function readiness({ process }: Supervised): Promise<{ ready: boolean; reasons: string[] }> {
  const reply = await fetch(`http://127.0.0.1:${process.ports.http}/readyz`).catch(() => undefined);
  if (reply === undefined) return { ready: false, reasons: ['no process'] };
  const { reasons = [] } = (await reply.json()) as { reasons?: string[] };
  return { ready: reply.status === 200, reasons };
}

/** Until the count grows, ms. */
async function afterNow(what: string, count: () => number): Promise<number> {
  const startedAt = performance.now();
  for (const before = count(); count() === before; await pause(10)) {
    if (performance.now() - startedAt > RECOVERY_MS)
      throw new Error(`${what} was not confirmed within ${RECOVERY_MS / 1000} s`);
  }
  return performance.now() - startedAt;
}
