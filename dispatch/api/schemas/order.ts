/** Orders: what is sent to make and move them, and how they are shown (contract.md, "Order JSON"). */
import { z } from 'zod';
import { LEG_STATES, POINTS, RANKS } from '../../domain/model.js';
import { event } from './event.js';
import { id, latitude, longitude, name, phone, stage, timeIn, timeOut, words } from './common.js';

export const voltage = z.enum(['low', '10kV', 'other']);
export const priority = z.enum(['normal', 'urgent']);
export const siteClass = z.enum(['town', 'country', 'remote']);
const arrivalMode = z.enum(['manual', 'timed', 'automatic']);
const address = z.string().trim().min(1).max(300);
const description = z.string().trim().max(2_000);
const area = z.string().trim().min(1).max(60);

const customerIn = z.strictObject({ name, phone });
const siteIn = z.strictObject({
  lat: latitude,
  lon: longitude,
  address,
  siteClass: siteClass.optional(),
  arrivalMode: arrivalMode.optional(),
});
const faultIn = z.strictObject({ category: z.string().min(1).max(40), voltage, description });

export const orderCreate = z.strictObject({
  customer: customerIn,
  site: siteIn,
  fault: faultIn,
  area: area.optional(),
  priority: priority.optional(),
  callEndedAt: timeIn.optional(),
  confirm: z.boolean().optional().meta({ description: 'Expressly confirmed: the call ended long ago' }),
});
export const orderEdit = z.strictObject({
  customer: customerIn.optional(),
  site: siteIn.partial().optional(),
  fault: faultIn.optional(),
  area: area.optional(),
  priority: priority.optional(),
});

/** What every step of an order takes. */
export const stepFields = {
  leg: z.int().min(1).max(10_000).optional().meta({ description: 'Defaults to the only open leg' }),
  at: timeIn.optional().meta({ description: 'When it happened: between D and now; default now' }),
  reason: z.string().trim().min(1).max(200).optional(),
  note: words.optional(),
  confirm: z.boolean().optional().meta({ description: 'Expressly confirmed, where the rules ask for it' }),
};
export const step = z.strictObject(stepFields).prefault({});
/** A fault record as the crew files it; which fields are required depends on the kind of fault. */
export const recordIn = z.strictObject({
  cause: words.optional(),
  done: words.optional(),
  equipment: words.optional(),
  materials: words.optional(),
  powerRestoredAt: timeIn.optional(),
  photos: z.array(id).max(50).optional(),
  extra: z.record(z.string().max(60), words).optional(),
});

const actOf = z.object({ at: timeOut, by: z.string(), note: z.string().optional() });
const stamp = z
  .object({
    at: timeOut,
    source: z.string(),
    rank: z.enum(RANKS),
    by: z.string(),
    deviceAt: timeOut.optional(),
    receivedAt: timeOut.optional(),
    committedAt: timeOut,
    flags: z.array(z.string()),
    rawAt: timeOut
      .optional()
      .meta({ description: 'The claim’s own time, where the stamp was moved to keep the points in order' }),
  })
  .meta({ id: 'TimePoint' });
export const timePoints = z.partialRecord(z.enum(POINTS), stamp);
export const segment = z
  .object({
    name: z.string(),
    limitMs: z.number(),
    state: z.enum(['notStarted', 'running', 'met', 'breached', 'unknown']),
    elapsedMs: z.number().nullable(),
    remainingMs: z.number().nullable(),
    responsible: z.string(),
  })
  .meta({ id: 'Segment' });
const leg = z
  .object({
    leg: z.int(),
    vehicleId: z.string(),
    cycle: z.int(),
    issue: z.int(),
    state: z.enum(LEG_STATES),
    before: z.enum(LEG_STATES).optional(),
    effective: z.boolean(),
    open: z.boolean(),
    timePoints,
    createdAt: timeOut,
    endedAt: timeOut.optional(),
    reason: z.string().optional(),
    recall: z.looseObject({ at: timeOut, by: z.string(), reason: z.string().optional() }).optional(),
    toldByPhone: z.boolean().optional(),
  })
  .meta({ id: 'Leg' });
const cycle = z.looseObject({
  cycle: z.int(),
  startedAt: timeOut,
  endedAt: timeOut.optional(),
  timePoints,
  segments: z.array(segment),
  issues: z.array(z.looseObject({ centreId: z.string(), at: timeOut })),
  effectiveLeg: z.int().optional(),
  record: z.looseObject({}).optional(),
  callBacks: z.array(z.looseObject({ at: timeOut, by: z.string(), result: z.string() })),
});

export const orderSummary = z
  .object({
    id: z.string(),
    number: z.string(),
    version: z.int(),
    stage,
    cycle: z.int(),
    priority,
    customer: z.object({ name: z.string(), phone: z.string() }),
    site: z.object({ lat: latitude, lon: longitude, address: z.string(), siteClass, arrivalMode }),
    fault: z.object({ category: z.string(), voltage, description: z.string() }),
    area: z.string().optional(),
    repairCentreId: z.string().optional(),
    unitKind: z.string().optional(),
    createdAt: timeOut,
    createdBy: z.string(),
    receivedBy: z.object({ name: z.string(), at: timeOut }).optional(),
    reason: z.object({ code: z.string(), note: z.string().optional(), at: timeOut, by: z.string() }).optional(),
    mergedInto: z.string().optional(),
    subs: z.array(z.string()),
    urges: z.array(actOf),
    eta: z.looseObject({ at: timeOut, madeAt: timeOut, vehicleId: z.string() }).optional(),
    deadlineAt: timeOut.optional().meta({ description: 'End of the promise AH' }),
    timePoints,
    segments: z.array(segment),
    legs: z.array(leg),
    allowed: z
      .array(z.string())
      .optional()
      .meta({ description: 'Steps (`POST /orders/{id}/…`; `edit` is PATCH) that the rules would take from you now' }),
    recordFields: z.array(z.string()).optional().meta({
      description:
        'Fields that the fault record needs by the kind of fault; others than `record`’s own go into `extra`',
    }),
    record: z.looseObject({}).optional(),
    callBacks: z.array(z.looseObject({ at: timeOut, by: z.string(), result: z.string() })),
  })
  .meta({ id: 'OrderSummary' });
export const order = orderSummary
  .extend({
    cycles: z.array(cycle),
    events: z.array(event).optional(),
  })
  .meta({ id: 'Order' });

export const candidate = z
  .looseObject({
    vehicleId: z.string(),
    plate: z.string(),
    suitable: z.boolean(),
    rank: z.int().optional(),
    reasons: z.array(z.string()),
  })
  .meta({ id: 'Candidate' });
