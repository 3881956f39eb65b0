/**
 * Which vehicle for this order (domain.md, "Recommendation"): ranked by trade, availability, arrival after what is
 * queued, and queue length, each with its reasons in words, the refused ones too. The dispatcher decides.
 */
import type { Eta } from './eta.js';
import type { DispatchSettings } from './settings.js';
import type { Order, ShownDuty } from './model.js';

/** What is known of one vehicle when the question is asked. */
export interface CandidateFacts {
  vehicleId: string;
  plate: string;
  crewName: string;
  trade: string;
  repairCentreId: string;
  duty: ShownDuty;
  /** Age of the last contact, ms; undefined where there was none. */
  contactAgeMs?: number;
  queueLength: number;
  /** Undefined where no position is known. */
  eta?: Eta;
  /** Already has an open leg of this order. */
  hasOrder: boolean;
}

export interface Reason {
  /** Stable: for the console's own words. */
  code: string;
  text: string;
}

export interface Candidate extends CandidateFacts {
  /** 1 is the best; refused ones have none. */
  rank?: number;
  /** Why it cannot take the order; absent for those that can. */
  refused?: Reason;
  reasons: Reason[];
  /** Would the promise be kept? Undefined where no forecast is possible. */
  inTime?: boolean;
}

export interface CandidateQuestion {
  order: Pick<Order, 'repairCentreId' | 'fault'>;
  /** Trades that can do this fault; empty = any. */
  trades: readonly string[];
  /** End of the promise, ms UTC. */
  deadlineAt?: number;
  now: number;
}

type Words = Record<'zh-CN' | 'en', (value: string | number) => string>;
const WORDS = {
  trade: { 'zh-CN': (v) => `专业对口：${v}`, en: (v) => `right trade: ${v}` },
  anyTrade: {
    'zh-CN': (v) => `专业：${v}（该故障类别未限定专业）`,
    en: (v) => `trade: ${v} (no rule names one for this fault)`,
  },
  otherTrade: { 'zh-CN': (v) => `专业不同：${v}`, en: (v) => `another trade: ${v}` },
  free: { 'zh-CN': () => '待命，无任务', en: () => 'on standby, nothing queued' },
  queued: { 'zh-CN': (v) => `前面还有 ${v} 单`, en: (v) => `${v} ${v === 1 ? 'order' : 'orders'} before it` },
  unqueued: { 'zh-CN': () => '无任务', en: () => 'nothing queued' },
  eta: { 'zh-CN': (v) => `预计 ${v} 分钟到达`, en: (v) => `there in ${v} min` },
  inTime: { 'zh-CN': (v) => `承诺时限内，余 ${v} 分钟`, en: (v) => `within the promise, ${v} min to spare` },
  late: { 'zh-CN': (v) => `超出承诺时限 ${v} 分钟`, en: (v) => `${v} min past the promise` },
  noPosition: { 'zh-CN': () => '位置未知', en: () => 'position unknown' },
  stale: { 'zh-CN': (v) => `${v} 分钟无联系`, en: (v) => `no contact for ${v} min` },
  onBreak: { 'zh-CN': () => '暂离', en: () => 'on break' },
  offDuty: { 'zh-CN': () => '未值班', en: () => 'off duty' },
  otherCentre: { 'zh-CN': (v) => `属于 ${v}`, en: (v) => `belongs to ${v}` },
  queueFull: { 'zh-CN': (v) => `队列已满（${v} 单）`, en: (v) => `queue full (${v} orders)` },
  hasOrder: { 'zh-CN': () => '已派给该车', en: () => 'already has this order' },
} satisfies Record<string, Words>;

/** The usual trades as people call them; a trade of the operator's own is shown as configured. */
const TRADE_NAMES: Record<'zh-CN' | 'en', Partial<Record<string, string>>> = {
  'zh-CN': { lowVoltage: '低压', '10kV': '10kV', metering: '计量', cable: '电缆' },
  en: { lowVoltage: 'low voltage', '10kV': '10 kV', metering: 'metering', cable: 'cable' },
};

/** Contact older than this is worth a word. */
const STALE_MS = 5 * 60_000;

export function rankCandidates(
  question: CandidateQuestion,
  vehicles: readonly CandidateFacts[],
  settings: Pick<DispatchSettings, 'language' | 'queueLimit'>,
): Candidate[] {
  const say = (code: keyof typeof WORDS, value: string | number = ''): Reason => ({
    code,
    text: WORDS[code][settings.language](TRADE_NAMES[settings.language][value] ?? value),
  });
  const judged = vehicles.map((facts) => judge(question, facts, settings.queueLimit, say));
  const able = judged.filter((one) => !one.refused).sort(compare(question));
  able.forEach((one, i) => (one.rank = i + 1));
  return [...able, ...judged.filter((one) => one.refused)];
}

type Say = (code: keyof typeof WORDS, value?: string | number) => Reason;

function judge(question: CandidateQuestion, facts: CandidateFacts, queueLimit: number, say: Say): Candidate {
  const refused = refusal(question, facts, queueLimit, say);
  const reasons = [
    say(question.trades.length === 0 ? 'anyTrade' : fits(question, facts) ? 'trade' : 'otherTrade', facts.trade),
    facts.queueLength > 0 ? say('queued', facts.queueLength) : say(facts.duty === 'standby' ? 'free' : 'unqueued'),
  ];
  if (facts.contactAgeMs !== undefined && facts.contactAgeMs > STALE_MS)
    reasons.push(say('stale', minutes(facts.contactAgeMs)));
  if (!facts.eta) return { ...facts, ...(refused && { refused }), reasons: [...reasons, say('noPosition')] };
  reasons.push(say('eta', minutes(facts.eta.at - question.now)));
  if (question.deadlineAt === undefined) return { ...facts, ...(refused && { refused }), reasons };
  const spareMs = question.deadlineAt - facts.eta.at;
  reasons.push(spareMs >= 0 ? say('inTime', minutes(spareMs)) : say('late', minutes(-spareMs)));
  return { ...facts, ...(refused && { refused }), reasons, inTime: spareMs >= 0 };
}

function refusal(question: CandidateQuestion, facts: CandidateFacts, queueLimit: number, say: Say): Reason | undefined {
  if (facts.hasOrder) return say('hasOrder');
  if (question.order.repairCentreId && facts.repairCentreId !== question.order.repairCentreId) {
    return say('otherCentre', facts.repairCentreId);
  }
  if (facts.duty === 'offDuty') return say('offDuty');
  if (facts.duty === 'onBreak') return say('onBreak');
  if (facts.queueLength >= queueLimit) return say('queueFull', facts.queueLength);
  return undefined;
}

const fits = (question: CandidateQuestion, facts: CandidateFacts): boolean =>
  question.trades.length === 0 || question.trades.includes(facts.trade);

const minutes = (ms: number): number => Math.max(0, Math.round(ms / 60_000));

/** Trade, then reachable, then arrival, then queue length; the id last, so that equal ones keep one order. */
function compare(question: CandidateQuestion): (a: Candidate, b: Candidate) => number {
  return (a, b) =>
    Number(fits(question, b)) - Number(fits(question, a)) ||
    Number(a.duty === 'unreachable') - Number(b.duty === 'unreachable') ||
    arrival(a) - arrival(b) ||
    a.queueLength - b.queueLength ||
    a.vehicleId.localeCompare(b.vehicleId);
}

/** Unknown arrival comes after every known one; a large number, because infinities do not subtract. */
const arrival = (one: Candidate): number => one.eta?.at ?? Number.MAX_SAFE_INTEGER;
