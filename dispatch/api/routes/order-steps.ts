/** The steps of an order (domain.md): each is one command, with the same fields and the same answer. */
import { z } from 'zod';
import type { OrderCommand } from '../../domain/commands.js';
import { etagOf } from '../http/etag.js';
import { Answer, route, type Route } from '../http/route.js';
import { byId, id, words } from '../schemas/common.js';
import { order, recordIn, step, stepFields } from '../schemas/order.js';
import type { RouteDeps } from './deps.js';
import { showOrder } from './orders.js';

type StepType = Exclude<OrderCommand['type'], 'order.create' | 'order.edit' | 'order.reachedCentre'>;
type Step = readonly [path: string, type: StepType, summary: string, body?: z.ZodType];

const withFields = (more: z.core.$ZodLooseShape): z.ZodType => z.strictObject({ ...stepFields, ...more });

/** Path → command. The body is the common one unless the row says more. */
const STEPS: readonly Step[] = [
  [
    'issue',
    'order.issue',
    'Send it to a repair centre (B); without one, by the rules of who repairs what',
    withFields({ repairCentreId: id.optional() }).prefault({}),
  ],
  ['receive', 'order.receive', 'A person accepts it for the repair centre'],
  ['return', 'order.return', 'The repair centre sends it back, with a reason'],
  [
    'assign',
    'order.assign',
    'Put it into a vehicle’s queue (D)',
    withFields({ vehicleId: id, position: z.int().min(1).max(1_000).optional() }),
  ],
  ['accept', 'order.accept', 'The crew accepts (F), or did so by phone'],
  ['reject', 'order.reject', 'The crew refuses, with a reason'],
  ['recall', 'order.recall', 'Take it back from the vehicle; ends when the terminal confirms the removal'],
  ['confirm-recall', 'order.confirmRecall', 'The crew said by phone that it is gone from the terminal'],
  ['reassign', 'order.reassign', 'Recall it and give it to another vehicle', withFields({ vehicleId: id })],
  ['suspend', 'order.suspend', 'Put the leg aside for something more urgent'],
  ['resume', 'order.resume', 'Go on with a suspended leg'],
  ['wait', 'order.wait', 'It waits: no crew free, parts, customer, permission'],
  ['urge', 'order.urge', 'The customer called again'],
  ['merge', 'order.merge', 'Make it a part of another order of the same outage', withFields({ into: id })],
  ['unmerge', 'order.unmerge', 'Undo the merge'],
  ['withdraw', 'order.withdraw', 'Cancel it before repair, with a reason'],
  ['depart', 'order.depart', 'The crew is on its way (G)'],
  ['arrive', 'order.arrive', 'The crew is on site (H)'],
  ['work', 'order.work', 'The crew works'],
  ['complete', 'order.complete', 'The fault is dealt with (I): the order is repaired, the leg leaves the queue'],
  ['record', 'order.record', 'File the fault record (J)', withFields({ record: recordIn.optional() }).prefault({})],
  [
    'callback',
    'order.callback',
    'What the customer said when called back',
    withFields({
      result: z.enum(['satisfied', 'unsatisfied', 'stillDark', 'noAnswer', 'notWanted']),
      words: words.optional(),
    }),
  ],
  ['reopen', 'order.reopen', 'Still dark: begin a new cycle'],
  ['shown', 'order.shown', 'The crew’s page showed the order (E)'],
  ['told-by-phone', 'order.toldByPhone', 'The crew was told by phone (E and F of a tracker)'],
];

export function orderStepRoutes(deps: RouteDeps): Route[] {
  return STEPS.map(([path, type, summary, body = step]) =>
    route({
      method: 'POST',
      path: `/orders/{id}/${path}`,
      tag: 'Steps of an order',
      right: type,
      summary,
      description:
        'A step that the rules refuse is 409 with a code and the reason in words; several open legs without `leg` are `legNeeded`.',
      params: byId,
      body,
      responses: { 200: { description: 'The order after the step', schema: order } },
      async handler({ guard, params, body: fields, options }) {
        const command = { ...(fields as object), type, orderId: params.id } as OrderCommand & { orderId: string };
        const { result } = await guard.step(command, options({ kind: 'order', id: params.id }));
        const { json, version } = await showOrder(deps, guard, params.id);
        return new Answer(200, { ...json, result }, { etag: etagOf(version) });
      },
    }),
  );
}
