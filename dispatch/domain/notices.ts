/** Short texts to the crew that follow from the rules, in the vehicle's language. */
import { queueItem } from './delivery-items.js';
import type { Hooks } from './tables.js';
import type { Tx } from './tx.js';

const TEXTS = {
  notValid: {
    'zh-CN': (number: string) => `${number} 已撤回，操作无效`,
    en: (number: string) => `${number} is not valid any more`,
  },
  breakFree: { 'zh-CN': () => '现在可以暂离', en: () => 'you may take your break now' },
  otherOnBreak: {
    'zh-CN': (crew: string) => `${crew} 正在暂离，请等候`,
    en: (crew: string) => `${crew} is on break, please wait`,
  },
  nobodyLeft: { 'zh-CN': () => '暂离需调度员确认', en: () => 'the dispatcher must confirm your break' },
  openLegs: { 'zh-CN': () => '仍有未完成工单，不能下班', en: () => 'orders are open, you cannot go off duty' },
  underWay: { 'zh-CN': () => '有工单在途或在现场，不能暂离', en: () => 'an order is under way, no break now' },
  refused: { 'zh-CN': () => '申请未通过', en: () => 'refused' },
} as const;

const DUTY_TEXTS = ['otherOnBreak', 'nobodyLeft', 'openLegs', 'underWay'] as const;
const isDutyText = (code: string): code is (typeof DUTY_TEXTS)[number] =>
  (DUTY_TEXTS as readonly string[]).includes(code);

export const noticeHooks: Hooks = {
  'leg.notValid': (tx, { orderId, leg, vehicleId }) => {
    notice(tx, vehicleId!, 'notValid', tx.get('order', orderId!)?.number ?? '', { orderId: orderId!, leg: leg! });
  },
  'duty.breakFree': (tx, { vehicleId }) => notice(tx, vehicleId!, 'breakFree', ''),
  'duty.refused': (tx, { vehicleId, data }) => {
    const { code, details } = data as { code: string; details: { crew?: string } };
    notice(tx, vehicleId!, isDutyText(code) ? code : 'refused', details.crew ?? '');
  },
};

function notice(
  tx: Tx,
  vehicleId: string,
  text: keyof typeof TEXTS,
  word: string,
  ref: { orderId?: string; leg?: number } = {},
): void {
  const vehicle = tx.get('vehicle', vehicleId);
  if (vehicle) queueItem(tx, vehicleId, 'notice', { text: TEXTS[text][vehicle.language](word), ...ref });
}
