/** Events of the log, alerts and cards, as they are shown. */
import { z } from 'zod';
import { timeOut, words } from './common.js';

export const event = z
  .looseObject({
    position: z.int(),
    type: z.string(),
    orderId: z.string().optional(),
    leg: z.int().optional(),
    vehicleId: z.string().optional(),
    centreId: z.string().optional(),
    source: z.string(),
    by: z.string(),
    deviceAt: timeOut.optional(),
    receivedAt: timeOut,
    committedAt: timeOut,
    data: z.looseObject({}),
  })
  .meta({ id: 'Event' });

export const alert = z
  .object({
    id: z.string(),
    version: z.int(),
    kind: z.string(),
    orderId: z.string().optional(),
    leg: z.int().optional(),
    vehicleId: z.string().optional(),
    centreId: z.string().optional(),
    told: z.array(z.looseObject({ level: z.string() })),
    message: z.string(),
    values: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .optional()
      .meta({ description: 'What the message says, by name: for clients that say it in another language' }),
    severity: z.enum(['info', 'warning', 'breach', 'sos']),
    raisedAt: timeOut,
    acknowledged: z.array(z.object({ by: z.string(), at: timeOut })),
    endedAt: timeOut.optional(),
    endedBecause: z.string().optional(),
  })
  .meta({ id: 'Alert' });

export const card = z
  .object({
    id: z.string(),
    version: z.int(),
    kind: z.enum(['conflict', 'attention', 'proposal', 'quarantine', 'swapped', 'contested']),
    code: z.string(),
    message: z.string(),
    orderId: z.string().optional(),
    leg: z.int().optional(),
    vehicleId: z.string().optional(),
    centreId: z.string().optional(),
    at: timeOut,
    choices: z.array(z.string()),
    data: z.looseObject({}),
    bytesHex: z.string().optional(),
    frame: z.looseObject({}).optional(),
    resolved: z.object({ at: timeOut, by: z.string(), choice: z.string() }).optional(),
  })
  .meta({ id: 'Card' });
export const resolveIn = z.strictObject({ choice: z.string().min(1).max(60), note: words.optional() });
