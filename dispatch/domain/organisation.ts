/** Vehicles, terminals' papers, repair centres, units and rules: what the organisation enters. */
import { createHash } from 'node:crypto';
import type { CommandOf, Deciders, Reducers } from './tables.js';
import { folding } from './tables.js';
import type { ProfileName, RepairCentre, Rules, Terminal, TerminalOptions, Unit, Vehicle } from './model.js';
import { DEFAULT_TERMINAL_OPTIONS } from './profiles.js';
import { vehicleNamed } from './queue.js';
import { joinTrade, leaveTrade, tradeKey } from './trade-group.js';
import { Refusal, type Tx } from './tx.js';

/** The repair centre that every store has. */
export const FIRST_CENTRE = 'centre-1';
/** The one document of rules. */
export const RULES_ID = 'rules';

export const organisationReducers: Reducers = {
  'vehicle.created': folding<{ vehicle: Vehicle }>((docs, { data: { vehicle } }) => {
    docs.put('vehicle', vehicle.id, vehicle);
    joinTrade(docs, vehicle);
  }),
  'vehicle.edited': folding<{ changes: Partial<Vehicle> }>((docs, { vehicleId, data }) => {
    const before = docs.get('vehicle', vehicleId!)!;
    const after = { ...before, ...data.changes };
    docs.put('vehicle', before.id, after);
    if (tradeKey(before) !== tradeKey(after)) {
      leaveTrade(docs, before);
      joinTrade(docs, after);
    }
  }),
  'vehicle.deleted': folding<unknown>((docs, { vehicleId }) => {
    leaveTrade(docs, docs.get('vehicle', vehicleId!)!);
    docs.remove('vehicle', vehicleId!);
  }),
  'terminal.created': folding<{ terminal: Terminal }>((docs, { data }) =>
    docs.put('terminal', data.terminal.phone, data.terminal),
  ),
  'terminal.edited': folding<{ phone: string; changes: Partial<Terminal>; unstated?: boolean }>((docs, { data }) => {
    const { statedProfile, ...terminal } = docs.get('terminal', data.phone)!;
    const stated = data.unstated || statedProfile === undefined ? {} : { statedProfile };
    docs.put('terminal', data.phone, { ...terminal, ...stated, ...data.changes });
  }),
  'terminal.deleted': folding<{ phone: string }>((docs, { data }) => docs.remove('terminal', data.phone)),
  'centre.changed': folding<{ centre: RepairCentre }>((docs, { data }) =>
    docs.put('centre', data.centre.id, data.centre),
  ),
  'unit.changed': folding<{ unit: Unit }>((docs, { data }) => docs.put('unit', data.unit.id, data.unit)),
  'rules.changed': folding<Rules>((docs, { data }) => docs.put('rules', RULES_ID, { value: data.value })),
};

export const organisationDeciders: Deciders = {
  'vehicle.create': (tx, command) => createVehicle(tx, command),
  'vehicle.edit': (tx, { vehicleId, changes }) => {
    const { terminal, ...own } = changes;
    const vehicle = vehicleNamed(tx, vehicleId);
    if (own.repairCentreId !== undefined) centreNamed(tx, own.repairCentreId);
    checkTrade(tx, own.trade);
    if (own.unitId !== undefined) unitNamed(tx, own.unitId);
    if (tradeOrCentreChanges(vehicle, own) && vehicle.duty.state === 'onBreak') {
      throw new Refusal('onBreak', `the crew of ${vehicleId} is on break; end it before moving the crew`);
    }
    const all: Partial<Vehicle> = { ...own };
    if (terminal?.phone !== undefined) all.terminal = { phone: phoneKey(terminal.phone) };
    if (Object.keys(all).length > 0) {
      tx.emit({ type: 'vehicle.edited', vehicleId, centreId: vehicle.repairCentreId, data: { changes: all } });
    }
    if (terminal) editTerminal(tx, vehicle, terminal);
    return { vehicleId };
  },
  'vehicle.delete': (tx, { vehicleId }) => {
    const vehicle = vehicleNamed(tx, vehicleId);
    if (vehicle.queue.entries.length > 0) {
      throw new Refusal('openLegs', `${vehicleId} still has ${vehicle.queue.entries.length} orders`, 409, {
        legs: vehicle.queue.entries,
      });
    }
    if (tx.get('terminal', vehicle.terminal.phone)) {
      tx.emit({ type: 'terminal.deleted', vehicleId, data: { phone: vehicle.terminal.phone } });
    }
    tx.emit({ type: 'vehicle.deleted', vehicleId, centreId: vehicle.repairCentreId, data: {} });
    return { vehicleId };
  },
  'centre.put': (tx, { centre }) => {
    const before = tx.get('centre', centre.id) ?? emptyCentre(centre.id);
    tx.emit({ type: 'centre.changed', centreId: centre.id, data: { centre: { ...before, ...centre } } });
    return { centreId: centre.id };
  },
  'unit.put': (tx, { unit }) => {
    const before = tx.get('unit', unit.id) ?? { id: unit.id, kind: '', managers: [] };
    if (unit.repairCentreId !== undefined) centreNamed(tx, unit.repairCentreId);
    tx.emit({ type: 'unit.changed', data: { unit: { ...before, ...unit } } });
    return { unitId: unit.id };
  },
  'rules.put': (tx, { value }) => {
    tx.get('rules', RULES_ID);
    checkCentresOf(tx, value);
    tx.emit({ type: 'rules.changed', data: { value } });
    return { rules: RULES_ID };
  },
};

/** A rule that sends orders to a centre which does not exist would be found by the first order only. */
function checkCentresOf(tx: Tx, value: Record<string, unknown>): void {
  const rules = (value['routing'] ?? []) as readonly { name: string; repairCentreId?: string }[];
  rules.forEach(({ name, repairCentreId }, i) => {
    if (repairCentreId === undefined || repairCentreId === FIRST_CENTRE || tx.get('centre', repairCentreId)) return;
    throw new Refusal('unknownCentre', `rule "${name}" sends to ${repairCentreId}, which does not exist`, 422, {
      pointer: `#/routing/${i}/repairCentreId`,
    });
  });
}

function emptyCentre(id: string): RepairCentre {
  return { id, name: id, siteClasses: ['town', 'country', 'remote'], limits: {}, automaticMode: false };
}

/** The centre, made on first use where it is the one that every store has; an unknown id is the input's fault (422). */
export function centreNamed(tx: Tx, id: string): Readonly<RepairCentre> {
  const centre = tx.get('centre', id);
  if (centre) return centre;
  if (id !== FIRST_CENTRE) throw new Refusal('unknownCentre', `there is no repair centre ${id}`, 422);
  tx.emit({ type: 'centre.changed', centreId: id, data: { centre: emptyCentre(id) } });
  return tx.get('centre', id)!;
}

function unitNamed(tx: Tx, id: string): void {
  if (!tx.get('unit', id)) throw new Refusal('unknownUnit', `there is no unit ${id}`, 422);
}

/** Trades that can do this kind of fault: `trades` of the rules; where they say nothing, all. */
export function tradesFor(tx: Tx, category: string): string[] {
  const trades = tx.get('rules', RULES_ID)?.value['trades'] as Record<string, string[]> | undefined;
  const own = trades?.[category] ?? [];
  return own.length > 0 ? own : tx.settings.trades;
}

function checkTrade(tx: Tx, trade: string | undefined): void {
  if (trade === undefined || tx.settings.trades.includes(trade)) return;
  throw new Refusal('unknownTrade', `trade is ${trade}; expected one of ${tx.settings.trades.join(', ')}`, 422);
}

function tradeOrCentreChanges(vehicle: Readonly<Vehicle>, changes: Partial<Vehicle>): boolean {
  return tradeKey(vehicle) !== tradeKey({ ...vehicle, ...changes });
}

/** Number of a terminal as a key: digits without leading zeros. */
export function phoneKey(phone: string): string {
  if (!/^\d{1,20}$/.test(phone))
    throw new Refusal('badPhone', `terminal.phone is ${phone}; expected up to 20 digits`, 422);
  return phone.replace(/^0+(?=\d)/, '');
}

/** Makes a vehicle with its terminal; also for terminals that come by themselves under open enrolment. */
export function createVehicle(tx: Tx, command: Omit<CommandOf<'vehicle.create'>, 'type'>): { vehicleId: string } {
  const { terminal, crew, ...given } = command;
  const phone = phoneKey(terminal.phone);
  const id = given.id ?? tx.newId();
  if (tx.get('vehicle', id)) throw new Refusal('vehicleExists', `there is a vehicle ${id} already`);
  checkFreePhone(tx, phone);
  centreNamed(tx, given.repairCentreId);
  checkTrade(tx, given.trade);
  if (given.unitId !== undefined) unitNamed(tx, given.unitId);
  const vehicle: Vehicle = {
    id,
    plate: given.plate,
    terminal: { phone },
    repairCentreId: given.repairCentreId,
    trade: given.trade,
    crew: { name: crew.name, members: crew.members, managers: crew.managers ?? [] },
    sharesOffice: given.sharesOffice ?? false,
    language: given.language ?? tx.settings.language,
    duty: { state: 'standby', since: tx.now },
    queue: { revision: 0, confirmedRevision: 0, entries: [] },
    link: { state: 'never', since: tx.now },
    createdAt: tx.now,
    ...(given.unitId === undefined ? {} : { unitId: given.unitId }),
    ...(given.toBeConfirmed ? { toBeConfirmed: true } : {}),
  };
  tx.emit({ type: 'vehicle.created', vehicleId: id, centreId: vehicle.repairCentreId, data: { vehicle } });
  tx.emit({ type: 'terminal.created', vehicleId: id, data: { terminal: newTerminal(tx, id, phone, terminal) } });
  return { vehicleId: id };
}

function checkFreePhone(tx: Tx, phone: string): void {
  const other = tx.get('terminal', phone);
  if (other)
    throw new Refusal('phoneTaken', `terminal ${phone} belongs to vehicle ${other.vehicleId}`, 409, {
      vehicleId: other.vehicleId,
    });
}

interface TerminalPapers {
  profile?: ProfileName | null;
  secret?: string;
  options?: Partial<TerminalOptions>;
}

function newTerminal(tx: Tx, vehicleId: string, phone: string, papers: TerminalPapers): Terminal {
  const stated = papers.profile ?? undefined;
  return {
    phone,
    vehicleId,
    ...(stated === undefined ? {} : { statedProfile: stated }),
    // Until it registers: what every JT/T 808 terminal with a screen can show.
    profile: stated ?? 'text',
    codes: [],
    ...secretOf(tx, papers.secret),
    options: { ...DEFAULT_TERMINAL_OPTIONS, ...papers.options },
  };
}

/** Long random secrets (16 characters or more) need no slow hash; the secret itself is never in the log. */
export function secretOf(tx: Tx, secret: string | undefined): Pick<Terminal, 'secret'> {
  if (secret === undefined) return {};
  return { secret: { sha256: createHash('sha256').update(secret).digest('hex'), setAt: tx.now } };
}

function editTerminal(tx: Tx, vehicle: Readonly<Vehicle>, papers: TerminalPapers & { phone?: string }): void {
  const before = tx.get('terminal', vehicle.terminal.phone);
  const phone = papers.phone === undefined ? vehicle.terminal.phone : phoneKey(papers.phone);
  const ref = { vehicleId: vehicle.id, centreId: vehicle.repairCentreId };
  if (phone !== vehicle.terminal.phone || !before) {
    checkFreePhone(tx, phone);
    if (before) tx.emit({ type: 'terminal.deleted', ...ref, data: { phone: before.phone } });
    const kept = { profile: before?.statedProfile ?? null, options: before?.options ?? {} };
    const terminal = newTerminal(tx, vehicle.id, phone, { ...kept, ...papers });
    tx.emit({ type: 'terminal.created', ...ref, data: { terminal } });
    return;
  }
  const changes: Partial<Terminal> = { ...secretOf(tx, papers.secret) };
  if (papers.profile) Object.assign(changes, { statedProfile: papers.profile, profile: papers.profile });
  if (papers.options) changes.options = { ...before.options, ...papers.options };
  tx.emit({
    type: 'terminal.edited',
    ...ref,
    data: { phone, changes, ...(papers.profile === null ? { unstated: true } : {}) },
  });
}
