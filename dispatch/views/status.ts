/** What a customer sees of an order: how far it is. No name, number, address, crew or vehicle. */
import { openLegs } from '../domain/leg-states.js';
import type { Order } from '../domain/model.js';
import { timePointsOf } from '../domain/time-points.js';
import { iso, isoOrUndefined } from './json.js';

export const PROGRESS = [
  'received', 'handedOn', 'assigned', 'accepted', 'onTheWay', 'onSite', 'waiting', 'repaired', 'closed', 'withdrawn',
] as const; // prettier-ignore
export type CustomerProgress = (typeof PROGRESS)[number];

/** An ended order is shown for so long. */
export const SHOWN_AFTER_END_MS = 7 * 86_400_000;

export interface CustomerStatus extends Record<string, unknown> {
  number: string;
  progress: CustomerProgress;
  receivedAt: string;
  expectedAt?: string;
  arrivedAt?: string;
  repairedAt?: string;
}

/** Undefined where the link shows nothing any more. `main` is the main order of a merged one. */
export function customerStatus(order: Order, main: Order | undefined, now: number): CustomerStatus | undefined {
  const cycle = order.cycles.at(-1)!;
  if (cycle.endedAt !== undefined && now - cycle.endedAt > SHOWN_AFTER_END_MS) return undefined;
  const holder = order.stage === 'merged' && main ? main : order;
  const { H, I } = timePointsOf(holder);
  const progress = progressOf(holder);
  const expected = holder.eta && H === undefined && progress !== 'withdrawn' ? minute(holder.eta.at) : undefined;
  return {
    number: order.number,
    progress,
    receivedAt: iso(order.createdAt),
    expectedAt: isoOrUndefined(expected),
    arrivedAt: isoOrUndefined(H?.at),
    repairedAt: isoOrUndefined(I?.at),
  };
}

function progressOf(order: Order): CustomerProgress {
  switch (order.stage) {
    case 'received':
    case 'waiting':
    case 'repaired':
    case 'closed':
    case 'withdrawn':
      return order.stage;
    case 'recorded':
      return 'repaired';
    case 'dispatched':
      return legProgress(order);
    default:
      return 'handedOn';
  }
}

function legProgress(order: Order): CustomerProgress {
  const leg = openLegs(order).find((one) => one.leg === order.cycles.at(-1)!.effectiveLeg);
  switch (leg?.state) {
    case 'accepted':
    case 'suspended':
      return 'accepted';
    case 'enRoute':
      return 'onTheWay';
    case 'onSite':
    case 'working':
      return 'onSite';
    default:
      return leg ? 'assigned' : 'handedOn';
  }
}

const minute = (at: number): number => Math.ceil(at / 60_000) * 60_000;

const WORDS: Record<'zh-CN' | 'en', Record<CustomerProgress | 'title' | 'receivedAt' | 'expectedAt' | 'arrivedAt' | 'repairedAt', string>> = {
  'zh-CN': {
    title: '报修进度', received: '已受理', handedOn: '已转报修中心', assigned: '已派抢修班组', accepted: '班组已接单',
    onTheWay: '班组正在途中', onSite: '班组已到现场', waiting: '等待处理', repaired: '已修复', closed: '已办结', withdrawn: '已撤销',
    receivedAt: '受理时间', expectedAt: '预计到达', arrivedAt: '到达时间', repairedAt: '修复时间',
  },
  en: {
    title: 'Your report', received: 'received', handedOn: 'with the repair centre', assigned: 'given to a crew',
    accepted: 'accepted by the crew', onTheWay: 'the crew is on its way', onSite: 'the crew is on site', waiting: 'waiting',
    repaired: 'repaired', closed: 'closed', withdrawn: 'withdrawn',
    receivedAt: 'Received', expectedAt: 'Expected', arrivedAt: 'On site', repairedAt: 'Repaired',
  },
}; // prettier-ignore

/** The status as a page without script; renews itself every minute. */
export function statusPage(status: CustomerStatus, language: 'zh-CN' | 'en', timeZone: string): string {
  const words = WORDS[language];
  const time = new Intl.DateTimeFormat(language, { timeZone, dateStyle: 'medium', timeStyle: 'short' });
  const rows = (['receivedAt', 'expectedAt', 'arrivedAt', 'repairedAt'] as const).flatMap((key) => {
    const at = status[key];
    return at === undefined ? [] : [`<dt>${words[key]}</dt><dd>${time.format(Date.parse(at))}</dd>`];
  });
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="60"><meta name="robots" content="noindex"><title>${words.title} ${status.number}</title>
<link rel="stylesheet" href="/api/docs.css"></head>
<body><main><h1>${words.title} ${status.number}</h1><p><strong>${words[status.progress]}</strong></p><dl>${rows.join('')}</dl></main></body></html>
`;
}
