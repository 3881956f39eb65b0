/**
 * Who a terminal is and whether it is there (architecture.md, "Who a terminal is"; domain.md, "two connections for one
 * terminal"). Its number names it, its registration binds maker, model and terminal id, a secret proves it.
 */
import { raiseAlert } from './alerts.js';
import { raiseCard } from './cards.js';
import type { CommandOf, Deciders, Result } from './tables.js';
import type { Authenticated, Contested, LinkUp, Registered, Rotated, SwapWanted, TakenOver } from './link-fold.js';
import type { Terminal, TerminalIdentity } from './model.js';
import { Refusal, type Tx } from './tx.js';
import { enrol } from './enrolment.js';
import { secretOf } from './organisation.js';

/** Three take-overs within this time (ms), and orders go to neither until a person decides. */
export const CONTEST_WINDOW_MS = 600_000;
export const CONTEST_TAKE_OVERS = 3;
/** A measured clock offset is written again when it moved by this much, ms: jitter of the radio is not news. */
const CLOCK_STEP_MS = 5_000;

/** What `link.register` gives: the result of 0x8100 (0, or 4: not in the database) and why. */
export interface RegistrationResult extends Result {
  result: 0 | 4;
  reason?: 'unknownTerminal' | 'blocked' | 'otherIdentity';
  vehicleId?: string;
}

export const linkDeciders: Deciders = {
  'link.register': register,
  'link.authenticated': (tx, { phone, codeSha256, edition }) => {
    const terminal = known(tx, phone);
    const code = terminal.codes.find(({ sha256 }) => sha256 === codeSha256);
    if (!code) throw new Refusal('codeReplaced', `terminal ${phone} used a code that is not valid any more`);
    const newest = terminal.codes.length === 1 && code.usedAt !== undefined;
    if (!newest || terminal.edition !== edition) {
      const data: Authenticated = { phone, codeSha256, edition };
      tx.emit({ type: 'terminal.authenticated', vehicleId: terminal.vehicleId, data });
    }
    return { vehicleId: terminal.vehicleId };
  },
  'link.up': (tx, { vehicleId, phone, address, transport, node, fence }) => {
    const terminal = known(tx, phone);
    const { link } = vehicleOf(tx, vehicleId);
    if (terminal.vehicleId !== vehicleId) {
      throw new Refusal(
        'vehicleChanged',
        `terminal ${phone} belongs to vehicle ${terminal.vehicleId}, not ${vehicleId}`,
      );
    }
    if (isOlder(fence, link.fence)) return {};
    const data: LinkUp = { phone, address, transport, node, fence };
    tx.emit({ type: 'link.up', vehicleId, data });
    return {};
  },
  'link.down': (tx, { vehicleId, phone, reason, fence }) => {
    const vehicle = tx.get('vehicle', vehicleId);
    if (!vehicle || vehicle.link.state !== 'up' || isOlder(fence, vehicle.link.fence)) return {};
    tx.emit({ type: 'link.down', vehicleId, data: { phone, reason } });
    return {};
  },
  'link.takenOver': takenOver,
  'link.clockOffset': clockOffset,
  'terminal.block': (tx, { phone, reason }) => {
    const terminal = known(tx, phone);
    if (!terminal.blocked) emitFor(tx, terminal, 'terminal.blocked', { phone, reason });
    return { phone };
  },
  'terminal.unblock': (tx, { phone }) => {
    const terminal = known(tx, phone);
    if (terminal.blocked) emitFor(tx, terminal, 'terminal.unblocked', { phone });
    return { phone };
  },
  'terminal.rotate': (tx, { phone, secret }) => {
    const terminal = known(tx, phone);
    // The identity stays bound: only the same device gets the next code.
    const data: Rotated = { phone, ...(terminal.secret ? secretOf(tx, secret) : {}) };
    emitFor(tx, terminal, 'terminal.rotated', data);
    return { phone };
  },
  'terminal.acceptSwap': (tx, { phone }) => {
    const terminal = known(tx, phone);
    if (!terminal.swapped) throw new Refusal('noSwap', `no other device has registered as ${phone}`);
    emitFor(tx, terminal, 'terminal.swapAccepted', { phone });
    return { phone, vehicleId: terminal.vehicleId };
  },
};

function known(tx: Tx, phone: string): Readonly<Terminal> {
  const terminal = tx.get('terminal', phone);
  if (!terminal) throw new Refusal('unknownTerminal', `no vehicle has a terminal with the number ${phone}`, 404);
  return terminal;
}

function vehicleOf(tx: Tx, vehicleId: string) {
  const vehicle = tx.get('vehicle', vehicleId);
  if (!vehicle) throw new Refusal('unknownVehicle', `there is no vehicle ${vehicleId}`, 404);
  return vehicle;
}

function emitFor(tx: Tx, terminal: Readonly<Terminal>, type: string, data: unknown): void {
  tx.emit({ type, vehicleId: terminal.vehicleId, data });
}

/** True when what is said belongs to a session that another has replaced. */
function isOlder(fence: number | undefined, current: number | undefined): boolean {
  return fence !== undefined && current !== undefined && fence < current;
}

// ---- registration ----

function register(tx: Tx, command: CommandOf<'link.register'>): RegistrationResult {
  const { phone, identity, edition, codeSha256, enrolment } = command;
  let terminal = tx.get('terminal', phone);
  if (!terminal && enrolment === 'open') {
    enrol(tx, command);
    terminal = tx.get('terminal', phone);
  }
  if (!terminal) return { result: 4, reason: 'unknownTerminal' };
  if (terminal.blocked) return { result: 4, reason: 'blocked' };
  if (terminal.identity && !sameIdentity(terminal.identity, identity)) {
    wantSwap(tx, terminal, command);
    return { result: 4, reason: 'otherIdentity' };
  }
  const data: Registered = { phone, identity, edition, codeSha256 };
  emitFor(tx, terminal, 'terminal.registered', data);
  return { result: 0, vehicleId: terminal.vehicleId };
}

export function sameIdentity(a: TerminalIdentity, b: TerminalIdentity): boolean {
  return a.maker === b.maker && a.model === b.model && a.terminalId === b.terminalId;
}

/** Shown once for each device that asks; a box that registers every minute is not news every minute. */
function wantSwap(
  tx: Tx,
  terminal: Readonly<Terminal>,
  { phone, identity, address }: CommandOf<'link.register'>,
): void {
  if (terminal.swapped && sameIdentity(terminal.swapped.identity, identity)) return;
  const data: SwapWanted = { phone, identity, address };
  emitFor(tx, terminal, 'terminal.swapWanted', data);
  raiseCard(tx, {
    id: `swapped:${phone}:${identity.terminalId}`,
    kind: 'swapped',
    code: 'otherIdentity',
    message: `another device (${identity.maker} ${identity.model} ${identity.terminalId}) registered as terminal ${phone}`,
    vehicleId: terminal.vehicleId,
    choices: ['accept', 'decline'],
    data: { phone, identity, known: terminal.identity, address },
  });
}

// ---- two devices, one number ----

function takenOver(tx: Tx, { vehicleId, phone, from, by }: CommandOf<'link.takenOver'>): Result {
  const terminal = known(tx, phone);
  const recent = (terminal.takeOvers ?? []).filter((at) => at > tx.now - CONTEST_WINDOW_MS);
  const takeOvers = [...recent, tx.now].slice(-CONTEST_TAKE_OVERS);
  const data: TakenOver = { phone, from, by, takeOvers };
  tx.emit({ type: 'link.takenOver', vehicleId, data });
  raiseAlert(tx, {
    id: `takenOver:${phone}:${tx.now}`,
    kind: 'takenOver',
    told: [{ level: 'repairCentre' }],
    message: `terminal ${phone} was taken over from ${from} by ${by} while both were heard`,
    values: { phone, from, by },
    severity: 'warning',
    vehicleId,
  });
  if (takeOvers.length >= CONTEST_TAKE_OVERS && !terminal.contested) contest(tx, terminal, [from, by]);
  return { vehicleId };
}

function contest(tx: Tx, terminal: Readonly<Terminal>, addresses: string[]): void {
  const { phone, vehicleId } = terminal;
  const data: Contested = { phone, addresses };
  emitFor(tx, terminal, 'terminal.contested', data);
  raiseCard(tx, {
    id: `contested:${phone}`,
    kind: 'contested',
    code: 'contested',
    message: `two devices fight for terminal ${phone}: no orders go out until somebody decides`,
    vehicleId,
    choices: ['keepNewest', 'block'],
    data: { phone, addresses },
  });
}

// ---- its clock ----

/** Terminal clock minus gateway clock, as measured; a small change is no news. */
export function clockOffset(tx: Tx, { phone, ms }: Pick<CommandOf<'link.clockOffset'>, 'phone' | 'ms'>): Result {
  const terminal = known(tx, phone);
  const before = terminal.clockOffset?.ms;
  if (before !== undefined && Math.abs(before - ms) < CLOCK_STEP_MS) return {};
  emitFor(tx, terminal, 'terminal.clockMeasured', { phone, ms });
  if (Math.abs(ms) > tx.settings.clockOffsetNoteMs) {
    raiseCard(tx, {
      id: `clock:${phone}`,
      kind: 'attention',
      code: 'clockOffset',
      message: `the clock of terminal ${phone} is off by ${Math.round(ms / 1000)} s: needs maintenance`,
      vehicleId: terminal.vehicleId,
      choices: ['seen'],
      data: { phone, ms },
    });
  }
  return {};
}

/** What a person's answer to a card of this subject does: cards `swapped` and `contested`. */
export function resolveLinkCard(tx: Tx, code: string, choice: string, phone: string): void {
  const terminal = tx.get('terminal', phone);
  if (!terminal) return;
  if (code === 'otherIdentity' && terminal.swapped) {
    emitFor(tx, terminal, choice === 'accept' ? 'terminal.swapAccepted' : 'terminal.swapDeclined', { phone });
  }
  if (code === 'contested') {
    if (terminal.contested) emitFor(tx, terminal, 'terminal.contestDecided', { phone });
    if (choice === 'block' && !terminal.blocked) {
      emitFor(tx, terminal, 'terminal.blocked', { phone, reason: 'two devices fought for it' });
    }
  }
}
