/**
 * Steps of an order as buttons. Which of them are possible the server says (`allowed`); here is only how each looks
 * and what it asks the person for.
 */
import { post, Problem } from '../api/client.js';
import type { OrderJson } from '../api/types.js';
import { t, tValue, type Key } from '../i18n/index.js';
import type { IconName } from '../ui/icons.js';
import { ask } from '../ui/dialog.js';
import { say, sayProblem } from '../ui/toast.js';
import { centres, refreshOrders, refreshVehicles, takeOrder } from './live.js';

export interface StepLook {
  name: string;
  icon: IconName;
  /** Asks for a reason in words. */
  reason?: 'required' | 'optional';
  /** Asks which of these reason codes. */
  codes?: readonly string[];
  danger?: boolean;
  /** Done in a form of its own. */
  form?: 'record' | 'callback' | 'merge' | 'assign' | 'reassign' | 'edit' | 'status-link';
}

/** In the order in which they are offered: what moves the order forward comes first. */
export const STEPS: readonly StepLook[] = [
  { name: 'issue', icon: 'right' },
  { name: 'receive', icon: 'check' },
  { name: 'assign', icon: 'truck', form: 'assign' },
  { name: 'record', icon: 'list', form: 'record' },
  { name: 'callback', icon: 'call', form: 'callback' },
  { name: 'resume', icon: 'play' },
  { name: 'confirm-recall', icon: 'phone' },
  { name: 'urge', icon: 'bell', reason: 'optional' },
  { name: 'reassign', icon: 'truck', form: 'reassign' },
  { name: 'recall', icon: 'undo', reason: 'required', danger: true },
  { name: 'edit', icon: 'pen', form: 'edit' },
  { name: 'told-by-phone', icon: 'phone' },
  { name: 'accept', icon: 'phone' },
  { name: 'depart', icon: 'phone' },
  { name: 'arrive', icon: 'phone' },
  { name: 'complete', icon: 'phone' },
  { name: 'merge', icon: 'merge', form: 'merge' },
  { name: 'unmerge', icon: 'undo' },
  { name: 'suspend', icon: 'pause', reason: 'optional' },
  { name: 'wait', icon: 'clock', codes: ['noCrew', 'parts', 'customer', 'permission'] },
  { name: 'return', icon: 'left', codes: ['wrongUnit', 'dataMissing', 'other'], danger: true },
  { name: 'reject', icon: 'close', reason: 'required', danger: true },
  { name: 'status-link', icon: 'link', form: 'status-link' },
  { name: 'withdraw', icon: 'close', reason: 'required', danger: true },
  { name: 'reopen', icon: 'undo', reason: 'optional' },
];

/** Steps that have a plain opposite, offered as undo where the server still allows it. */
const UNDO: Record<string, string> = { merge: 'unmerge', suspend: 'resume', assign: 'recall' };

export const stepLabel = (name: string): string => t(`step.${name}` as Key);

/** Steps that are the next thing to do where they are possible at all; the others are offered, not urged. */
const NEXT = new Set(['issue', 'receive', 'assign', 'record', 'callback', 'resume', 'confirm-recall']);

/** What the server would take now. Nobody hears of an order on a bare tracker unless somebody phones: that comes first. */
export function possibleSteps(order: OrderJson, onTracker: boolean): { step: StepLook; next: boolean }[] {
  const steps = STEPS.filter((step) => order.allowed?.includes(step.name));
  const first = onTracker && order.legs.at(-1)?.toldByPhone !== true ? 'told-by-phone' : undefined;
  steps.sort((a, b) => Number(b.name === first) - Number(a.name === first));
  return steps.map((step, index) => ({ step, next: index === 0 && (NEXT.has(step.name) || step.name === first) }));
}

export interface StepBody {
  leg?: number;
  reason?: string;
  note?: string;
  at?: string;
  confirm?: boolean;
  [more: string]: unknown;
}

/** Whether a refusal can be overcome by confirming expressly. */
const asksToConfirm = (problem: Problem): boolean => {
  const details = problem.details.details as { choices?: string[] } | undefined;
  return problem.status === 409 && Array.isArray(details?.choices);
};

/** Steps about a leg name it where the order has several: one is being recalled, another is effective. */
const ABOUT_A_LEG = new Set(
  'accept reject recall reassign suspend depart arrive work complete told-by-phone'.split(' '),
);

function withLeg(order: OrderJson, step: string, body: StepBody): StepBody {
  if (body.leg !== undefined || !ABOUT_A_LEG.has(step) || order.legs.filter((leg) => leg.open).length < 2) return body;
  const effective = order.legs.findLast((leg) => leg.open && leg.state !== 'recalling');
  return effective ? { ...body, leg: effective.leg } : body;
}

async function send(order: OrderJson, step: string, given: StepBody): Promise<void> {
  const orderId = order.id;
  const body = withLeg(order, step, given);
  const answer = await post<OrderJson | undefined>(`/orders/${encodeURIComponent(orderId)}/${step}`, body);
  if (answer && typeof answer === 'object' && 'stage' in answer && answer.id === orderId) takeOrder(answer);
  else await refreshOrders([orderId]);
}

/**
 * Asks for what a refused step lacks: an express confirmation, or the repair centre where no rule names one.
 * @returns the body to try again with; undefined when the person gave up, `hopeless` when nothing can be added
 */
async function askForMore(
  order: OrderJson,
  step: string,
  body: StepBody,
  problem: Problem,
): Promise<StepBody | undefined | 'hopeless'> {
  if (problem.code === 'noRule' && body.repairCentreId === undefined && centres.value.length > 0) {
    const answer = await ask({
      title: `${stepLabel(step)} · ${order.number}`,
      text: t('problem.noRule'),
      options: centres.value.map(({ id, name }) => ({ value: id, label: name })),
      confirm: stepLabel(step),
    });
    return answer && { ...body, repairCentreId: answer.option };
  }
  if (body.confirm || !asksToConfirm(problem)) return 'hopeless';
  const sure = await ask({ title: stepLabel(step), text: problem.message, confirm: t('do.confirm'), danger: true });
  return sure && { ...body, confirm: true };
}

/** Takes one step, asking for more where the rules want it. True when it was done. */
export async function takeStep(order: OrderJson, step: string, body: StepBody = {}): Promise<boolean> {
  try {
    await send(order, step, body);
  } catch (error) {
    const more = error instanceof Problem ? await askForMore(order, step, body, error) : 'hopeless';
    if (more !== 'hopeless') return more ? takeStep(order, step, more) : false;
    sayProblem(error);
    return false;
  }
  const opposite = UNDO[step];
  const undo = opposite
    ? () => void takeStep(order, opposite, opposite === 'recall' ? { reason: t('undo.reason') } : {})
    : undefined;
  say(t('step.done', { step: stepLabel(step), number: order.number }), undo);
  const vehicleId = body.vehicleId;
  if (typeof vehicleId === 'string') void refreshVehicles([vehicleId]).catch(() => undefined);
  return true;
}

/** Asks for what the step needs and takes it. Forms of their own are opened by the caller. */
export async function runStep(order: OrderJson, step: StepLook, leg?: number): Promise<void> {
  const body: StepBody = leg === undefined ? {} : { leg };
  if (step.reason === 'required' || step.codes) {
    const answer = await ask({
      title: `${stepLabel(step.name)} · ${order.number}`,
      field: step.codes ? t('step.note') : t('step.reason'),
      required: step.reason === 'required',
      ...(step.codes ? { options: step.codes.map((value) => ({ value, label: tValue('reason', value) })) } : {}),
      confirm: stepLabel(step.name),
      ...(step.danger ? { danger: true } : {}),
    });
    if (!answer) return;
    if (step.codes) Object.assign(body, { reason: answer.option, ...(answer.text ? { note: answer.text } : {}) });
    else body.reason = answer.text;
  }
  await takeStep(order, step.name, body);
}
