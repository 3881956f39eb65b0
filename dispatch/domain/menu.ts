/**
 * The event list of a `menu` terminal (0x8301): which steps it offers, what each event id means, how a line reads
 * (contract.md, "What the driver sees on a `menu` terminal"; architecture.md, "Terminals"). A 0x0301 carries an id and
 * nothing else, so an id keeps its meaning until a list without it was confirmed and it has rested.
 */
import { legKey } from './outbox.js';
import type { LegState, MenuEvent, Vehicle } from './model.js';

export type MenuStep = MenuEvent['step'];

/** One line of the list before it has an id. Duty lines name no order. */
export interface MenuLine {
  orderId?: string;
  leg?: number;
  step: MenuStep;
}

/** A leg as the list sees it, in queue order. */
export interface ListedLeg {
  orderId: string;
  leg: number;
  state: LegState;
}

const STEPS_BY_STATE: Partial<Record<LegState, readonly MenuStep[]>> = {
  queued: ['accept', 'refuse'],
  sent: ['accept', 'refuse'],
  delivered: ['accept', 'refuse'],
  read: ['accept', 'refuse'],
  accepted: ['depart', 'refuse'],
  suspended: ['depart'],
  enRoute: ['arrive'],
  onSite: ['done'],
  working: ['done'],
};

const DUTY_LINES: readonly MenuLine[] = [{ step: 'break' }, { step: 'standby' }];

/** Below this many events the duty lines give way to the orders. */
const LEAST_EVENTS_WITH_DUTY = 6;

/** The steps that are possible now for a leg; while the crew is on site nobody can depart for another (domain.md). */
export function possibleSteps(state: LegState, crewOnSite: boolean): readonly MenuStep[] {
  const steps = STEPS_BY_STATE[state] ?? [];
  return crewOnSite ? steps.filter((step) => step !== 'depart') : steps;
}

/**
 * The lines of the list in queue order, duty lines last, at most `maxEvents`. A leg is listed with all its steps or
 * waits; legs under way are placed first, whatever their place in the queue, because the crew needs their next step.
 */
export function menuLines(legs: readonly ListedLeg[], maxEvents: number): MenuLine[] {
  const duty = maxEvents >= LEAST_EVENTS_WITH_DUTY ? DUTY_LINES : [];
  const onSite = legs.some(isOnSite);
  const linesOf = new Map<ListedLeg, MenuLine[]>();
  let room = Math.min(maxEvents, 255) - duty.length;
  for (const leg of underWayFirst(legs)) {
    const lines = possibleSteps(leg.state, onSite).map((step) => ({ orderId: leg.orderId, leg: leg.leg, step }));
    if (lines.length > room) continue;
    room -= lines.length;
    linesOf.set(leg, lines);
  }
  return [...legs.flatMap((leg) => linesOf.get(leg) ?? []), ...duty];
}

/** The legs that a terminal with room for `maxLegs` shows, in queue order; those under way always have a place. */
export function legsThatFit<L extends ListedLeg>(legs: readonly L[], maxLegs: number): L[] {
  const chosen = new Set(underWayFirst(legs).slice(0, maxLegs));
  return legs.filter((leg) => chosen.has(leg));
}

function underWayFirst<L extends ListedLeg>(legs: readonly L[]): L[] {
  return [...legs.filter(isUnderWay), ...legs.filter((leg) => !isUnderWay(leg))];
}
function isOnSite(leg: ListedLeg): boolean {
  return leg.state === 'onSite' || leg.state === 'working';
}
function isUnderWay(leg: ListedLeg): boolean {
  return leg.state === 'enRoute' || isOnSite(leg);
}

/** Meaning as a key: one id for one (leg, step), or for one duty step. */
function meaning(line: MenuLine): string {
  return line.orderId === undefined ? line.step : `${legKey(line.orderId, line.leg!)}/${line.step}`;
}

export interface AssignedList {
  /** Ids of the lines that got one, in order. */
  ids: number[];
  /** Rows of the table that are new, or were at rest and come back into use. */
  allocated: MenuEvent[];
}

/**
 * Gives every line its event id. A line that had one gets it again; a new one gets an id that was never used, then the
 * one that rested longest. Where none is free the line waits: an id is never given a second meaning before its
 * `restMs` (ms) since a confirmed list without it are over.
 */
export function assignIds(
  table: readonly MenuEvent[],
  lines: readonly MenuLine[],
  revision: number,
  now: number,
  restMs: number,
): AssignedList {
  const byMeaning = new Map(table.map((event) => [meaning(event), event]));
  const byId = new Map(table.map((event) => [event.id, event]));
  const wanted = new Set(lines.map(meaning));
  const ids: number[] = [];
  const allocated: MenuEvent[] = [];
  for (const line of lines) {
    const known = byMeaning.get(meaning(line));
    const id = known?.id ?? freeId(byId, wanted, now, restMs);
    if (id === undefined) continue;
    ids.push(id);
    if (known && known.retiredAt === undefined) continue;
    const row = known ? { ...known, retiredAt: undefined } : { id, ...line, firstRevision: revision };
    byId.set(id, row);
    allocated.push(row);
  }
  return { ids, allocated };
}

function freeId(byId: Map<number, MenuEvent>, wanted: Set<string>, now: number, restMs: number): number | undefined {
  for (let id = 1; id <= 255; id++) if (!byId.has(id)) return id;
  let longest: MenuEvent | undefined;
  for (const event of byId.values()) {
    if (event.retiredAt === undefined || event.retiredAt + restMs > now || wanted.has(meaning(event))) continue;
    if (longest === undefined || event.retiredAt < longest.retiredAt!) longest = event;
  }
  return longest?.id;
}

/** The table after a list was confirmed: whatever is on no list that is confirmed or on its way begins its rest. */
export function retireAbsent(table: readonly MenuEvent[], listed: ReadonlySet<number>, now: number): MenuEvent[] {
  return table.map((event) =>
    event.retiredAt !== undefined || listed.has(event.id) ? event : { ...event, retiredAt: now },
  );
}

// ---- what the driver reads ----

const STEP_WORDS: Record<Vehicle['language'], Record<MenuStep, string>> = {
  'zh-CN': { accept: '接单', depart: '出发', arrive: '到达', done: '完成', refuse: '拒绝', break: '暂离', standby: '待命' },
  en: { accept: 'accept', depart: 'depart', arrive: 'arrive', done: 'done', refuse: 'refuse', break: 'break', standby: 'standby' },
}; // prettier-ignore

/**
 * Labels of the orders of one queue by number: the last four digits; where two agree, with the day in front
 * (`21-0012`), then with the month, then the whole number.
 */
export function orderLabels(numbers: readonly string[]): Map<string, string> {
  const forms = [lastFour, withDay, withMonth, (number: string) => number];
  const labels = new Map<string, string>();
  for (const number of numbers) {
    const form = forms.find((candidate) => numbers.every((n) => n === number || candidate(n) !== candidate(number)));
    labels.set(number, (form ?? forms.at(-1)!)(number));
  }
  return labels;
}
function lastFour(number: string): string {
  return number.slice(-4);
}
function withDay(number: string): string {
  return `${number.slice(6, 8)}-${number.slice(9)}`;
}
function withMonth(number: string): string {
  return `${number.slice(4, 8)}-${number.slice(9)}`;
}

/** A line as shown: `{label} {step}`, a duty line is the step alone. */
export function lineText(step: MenuStep, label: string | undefined, language: Vehicle['language']): string {
  const word = STEP_WORDS[language][step];
  return label === undefined ? word : `${label} ${word}`;
}

/** Text that tells the driver that an order was recalled (JT/T 808 cannot withdraw a text). */
export function recalledText(number: string, language: Vehicle['language']): string {
  return language === 'en' ? `${number} recalled` : `${number} 已撤回`;
}

/** Text of an urge: the customer called again. */
export function urgeText(number: string, note: string | undefined, language: Vehicle['language']): string {
  const words = language === 'en' ? `${number} urgent: customer called again` : `${number} 催办：客户再次来电`;
  return note ? `${words} ${note}` : words;
}

/** Reminder that an order waits to be accepted. */
export function remindText(number: string, language: Vehicle['language']): string {
  return language === 'en' ? `${number} please accept` : `${number} 请接单`;
}
