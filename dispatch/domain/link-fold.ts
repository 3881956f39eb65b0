/** How terminals and links change: one reducer for each event. The rules that emit them are in link.ts. */
import type { Terminal, TerminalIdentity, Vehicle } from './model.js';
import type { DomainEvent } from './events.js';
import { profileOfEdition } from './profiles.js';
import { folding, type Reducer, type Reducers } from './tables.js';

type Edition = 2011 | 2013 | 2019;
interface OfTerminal {
  phone: string;
}
export interface Registered extends OfTerminal {
  identity: TerminalIdentity;
  edition: Edition;
  codeSha256: string;
}
export interface Authenticated extends OfTerminal {
  codeSha256: string;
  edition: Edition;
}
export interface SwapWanted extends OfTerminal {
  identity: TerminalIdentity;
  address: string;
}
export interface Rotated extends OfTerminal {
  /** The new one, of a terminal that had one. */
  secret?: Terminal['secret'];
}
export interface Blocked extends OfTerminal {
  reason: string;
}
export interface TakenOver extends OfTerminal {
  from: string;
  by: string;
  /** Times of the take-overs that count, newest last. */
  takeOvers: number[];
}
export interface Contested extends OfTerminal {
  addresses: string[];
}
export interface ClockMeasured extends OfTerminal {
  ms: number;
}
export interface LinkUp extends OfTerminal {
  address: string;
  transport: 'tcp' | 'tls' | 'mqtt';
  node?: string;
  fence?: number;
}
export interface LinkDown extends OfTerminal {
  reason: string;
}

/** Codes that are valid at once: the newest two that were not used yet (an answer may be lost) and the one in use. */
const CODES_KEPT = 3;

export const linkReducers: Reducers = {
  'terminal.registered': onTerminal<Registered>((terminal, { data, committedAt }) => ({
    ...terminal,
    identity: data.identity,
    edition: data.edition,
    profile: terminal.statedProfile ?? profileOfEdition(data.edition),
    codes: withCode(terminal.codes, data.codeSha256, committedAt),
    swapped: undefined,
  })),
  'terminal.authenticated': onTerminal<Authenticated>((terminal, { data, committedAt }) => ({
    ...terminal,
    edition: data.edition,
    profile:
      terminal.statedProfile ?? (terminal.edition === undefined ? profileOfEdition(data.edition) : terminal.profile),
    codes: afterUse(terminal.codes, data.codeSha256, committedAt),
  })),
  'terminal.swapWanted': onTerminal<SwapWanted>((terminal, { data, committedAt }) => ({
    ...terminal,
    swapped: { identity: data.identity, at: committedAt, address: data.address },
  })),
  // The new box has no code yet: it gets one at its next registration, the old one's die.
  'terminal.swapAccepted': onTerminal((terminal) => ({
    ...terminal,
    identity: terminal.swapped?.identity ?? terminal.identity,
    swapped: undefined,
    codes: [],
  })),
  'terminal.swapDeclined': onTerminal((terminal) => ({ ...terminal, swapped: undefined })),
  'terminal.blocked': onTerminal<Blocked>((terminal, { data, by, committedAt }) => ({
    ...terminal,
    blocked: { at: committedAt, by, reason: data.reason },
  })),
  'terminal.rotated': onTerminal<Rotated>((terminal, { data, committedAt }) => ({
    ...terminal,
    codes: [],
    ...(data.secret ? { secret: data.secret } : {}),
    rotatedAt: committedAt,
  })),
  'terminal.unblocked': onTerminal((terminal) => ({ ...terminal, blocked: undefined })),
  'terminal.contested': onTerminal<Contested>((terminal, { data, committedAt }) => ({
    ...terminal,
    contested: { at: committedAt, addresses: data.addresses },
  })),
  'terminal.contestDecided': onTerminal((terminal) => ({ ...terminal, contested: undefined, takeOvers: [] })),
  'terminal.clockMeasured': onTerminal<ClockMeasured>((terminal, { data, committedAt }) => ({
    ...terminal,
    clockOffset: { ms: data.ms, measuredAt: committedAt },
  })),
  'link.takenOver': onTerminal<TakenOver>((terminal, { data }) => ({ ...terminal, takeOvers: data.takeOvers })),
  'link.up': folding<LinkUp>((docs, { vehicleId, data, committedAt }) => {
    const { phone, address, transport, node, fence } = data;
    const vehicle = docs.get('vehicle', vehicleId!);
    const link = { state: 'up' as const, since: committedAt, node, address, fence };
    if (vehicle) docs.put('vehicle', vehicle.id, { ...vehicle, link });
    const terminal = docs.get('terminal', phone);
    const profile = terminal && profileOfLink(terminal, transport);
    if (terminal && profile !== terminal.profile) docs.put('terminal', phone, { ...terminal, profile: profile! });
  }),
  'link.down': onVehicle<LinkDown>((vehicle, { committedAt }) => {
    const { address, fence } = vehicle.link;
    return { ...vehicle, link: { state: 'down', since: committedAt, address, fence } };
  }),
};

function onTerminal<Data extends OfTerminal = OfTerminal>(
  fold: (terminal: Readonly<Terminal>, event: DomainEvent<string, Data>) => Terminal,
): Reducer {
  return folding<Data>((docs, event) => {
    const terminal = docs.get('terminal', event.data.phone);
    if (terminal) docs.put('terminal', terminal.phone, fold(terminal, event));
  });
}

/** Who comes over MQTT speaks terminal.proto, unless somebody stated a profile. */
function profileOfLink(terminal: Readonly<Terminal>, transport: LinkUp['transport']): Terminal['profile'] {
  if (terminal.statedProfile) return terminal.statedProfile;
  if (transport === 'mqtt') return 'mqtt';
  return terminal.profile === 'mqtt' ? profileOfEdition(terminal.edition ?? 2013) : terminal.profile;
}

function onVehicle<Data>(fold: (vehicle: Readonly<Vehicle>, event: DomainEvent<string, Data>) => Vehicle): Reducer {
  return folding<Data>((docs, event) => {
    const vehicle = docs.get('vehicle', event.vehicleId!);
    if (vehicle) docs.put('vehicle', vehicle.id, fold(vehicle, event));
  });
}

type Codes = Terminal['codes'];

/** The code in use stays valid until a newer one was used; of those never used the newest are kept. */
function withCode(codes: Codes, sha256: string, issuedAt: number): Codes {
  const used = codes.filter((code) => code.usedAt !== undefined).slice(-1);
  const unused = codes.filter((code) => code.usedAt === undefined).slice(1 - (CODES_KEPT - used.length));
  return [...used, ...unused, { sha256, issuedAt }].slice(-CODES_KEPT);
}

/** The code that was used, and those issued after it. */
function afterUse(codes: Codes, sha256: string, usedAt: number): Codes {
  const at = codes.findIndex((code) => code.sha256 === sha256);
  return at < 0 ? codes : codes.slice(at).map((code, i) => (i === 0 ? { ...code, usedAt } : code));
}
