/** Vehicles with their terminal and crew, queues, tracks, deliveries. */
import { z } from 'zod';
import { DELIVERY_KINDS, DIALECT_NAMES, LEG_STATES } from '../../domain/model.js';
import { id, latitude, longitude, manager, name, person, terminalPhone, timeIn, timeOut } from './common.js';

const profile = z.enum(['smart', 'menu', 'text', 'tracker', 'mqtt']);
const language = z.enum(['zh-CN', 'en']);
const optionsIn = z
  .strictObject({
    maxEvents: z.int().min(1).max(255),
    maxTextBytes: z.int().min(32).max(1_024),
    listUpdate: z.enum(['replace', 'deleteAndAppend']),
    maxLegs: z.int().min(1).max(255),
    withdrawn: z.boolean().meta({ description: 'Speaks 2019 and still has questions and event lists' }),
    fences: z.boolean().meta({ description: 'Takes a circle (0x8600) for every queued order' }),
    dialect: z.enum(DIALECT_NAMES).meta({ description: 'Vendor dialect; by default the registration tells' }),
    maker: z.string().max(40),
    model: z.string().max(40),
  })
  .partial();
const secret = z.string().min(16).max(256).meta({ description: 'Password of an MQTT terminal, 16 characters or more' });
const plate = z.string().trim().min(1).max(20).meta({ example: '京A10008' });
const members = z.array(person).max(30);
const managers = z.array(manager).max(10);

export const vehicleCreate = z.strictObject({
  id: id.optional(),
  plate,
  terminal: z.strictObject({
    phone: terminalPhone,
    profile: profile.optional(),
    secret: secret.optional(),
    options: optionsIn.optional(),
  }),
  repairCentreId: id,
  trade: name,
  crew: z.strictObject({ name, members, managers: managers.optional() }),
  unitId: id.optional(),
  sharesOffice: z.boolean().optional(),
  language: language.optional(),
});
export const vehicleEdit = z.strictObject({
  plate: plate.optional(),
  terminal: z
    .strictObject({ phone: terminalPhone, profile: profile.nullable(), secret, options: optionsIn })
    .partial()
    .optional(),
  repairCentreId: id.optional(),
  trade: name.optional(),
  crew: z.strictObject({ name, members, managers: managers.optional() }).optional(),
  unitId: id.optional(),
  sharesOffice: z.boolean().optional(),
  language: language.optional(),
  toBeConfirmed: z.literal(false).optional().meta({ description: 'Confirms a vehicle that came by itself' }),
});

export const positionJson = z
  .object({
    deviceAt: timeOut,
    receivedAt: timeOut,
    lat: latitude,
    lon: longitude,
    altitudeM: z.number(),
    speedKmh: z.number(),
    headingDeg: z.number(),
    alarm: z.int(),
    status: z.int(),
    mileageKm: z.number().optional(),
  })
  .meta({ id: 'Position' });

export const vehicle = z
  .object({
    id: z.string(),
    version: z.int(),
    plate: z.string(),
    terminal: z.looseObject({ phone: z.string() }),
    repairCentreId: z.string(),
    unitId: z.string().optional(),
    trade: z.string(),
    crew: z.looseObject({ name: z.string(), members: z.array(z.looseObject({ name: z.string() })) }),
    sharesOffice: z.boolean(),
    language,
    toBeConfirmed: z.boolean().optional(),
    duty: z.object({
      state: z.enum(['offDuty', 'standby', 'onBreak']),
      shown: z.enum(['offDuty', 'standby', 'onBreak', 'tasked', 'enRoute', 'onSite', 'unreachable']),
      since: timeOut,
      until: timeOut.optional(),
      reason: z.string().optional(),
    }),
    connection: z.looseObject({
      state: z.enum(['up', 'down', 'never']),
      since: timeOut,
      lastContactAt: timeOut.optional(),
    }),
    queue: z.object({
      revision: z.int(),
      confirmedRevision: z.int(),
      confirmedAt: timeOut.optional(),
      orderIds: z.array(z.string()).meta({ description: 'Orders of the queue, first to last' }),
    }),
    queueLength: z.int(),
    undelivered: z.int().meta({ description: 'Queued legs that the terminal has not receipted' }),
    lastPosition: positionJson.nullable(),
    alarms: z
      .array(z.object({ bit: z.int(), name: z.string(), since: timeOut }))
      .meta({ description: 'Alarms of the terminal that are on now' }),
    attributes: z.record(z.string(), z.object({ value: z.unknown(), at: timeOut })).meta({
      description: 'Last values beside positions: battery, voltages, temperatures, … (docs/decode-format.md)',
    }),
    createdAt: timeOut,
  })
  .meta({ id: 'Vehicle' });

export const queue = z
  .object({
    revision: z.int(),
    confirmedRevision: z.int(),
    confirmedAt: timeOut.optional(),
    legs: z.array(
      z.object({
        orderId: z.string(),
        number: z.string(),
        leg: z.int(),
        state: z.enum(LEG_STATES),
        position: z.int().meta({ description: 'Place in the queue, from 1' }),
        priority: z.enum(['normal', 'urgent']),
        address: z.string(),
        deadlineAt: timeOut.optional(),
        held: z.boolean().meta({ description: 'The terminal has receipted this content' }),
      }),
    ),
  })
  .meta({ id: 'Queue' });
export const queuePut = z.strictObject({
  revision: z.int().min(0).meta({ description: 'Revision that the order was made for; another one is 409' }),
  orderIds: z.array(id).max(200),
});

export const messageIn = z.strictObject({ text: z.string().trim().min(1).max(1_000), urgent: z.boolean().optional() });
export const dutyIn = z.strictObject({
  to: z.enum(['standby', 'onBreak', 'offDuty']),
  reason: z.string().trim().min(1).max(200).optional(),
  until: timeIn.optional(),
  confirm: z.boolean().optional(),
});

export const delivery = z
  .looseObject({
    id: z.string(),
    kind: z.enum(DELIVERY_KINDS),
    state: z.enum(['queued', 'inFlight', 'unanswered', 'receipted', 'refused', 'expired', 'voided']),
    orderId: z.string().optional(),
    leg: z.int().optional(),
    text: z.string().optional(),
    command: z.looseObject({ name: z.string() }).optional(),
    answer: z.looseObject({}).optional().meta({ description: 'What the terminal or the driver answered' }),
    expiresAt: timeOut.optional(),
    createdAt: timeOut,
    createdBy: z.string(),
    attempts: z.array(z.looseObject({ at: timeOut })),
    progress: z
      .object({ done: z.int(), of: z.int() })
      .optional()
      .meta({ description: 'Of an upgrade: parts that have gone out; where the terminal confirms each, have arrived' }),
    nextAt: timeOut.optional(),
    endedAt: timeOut.optional(),
    result: z.string().optional(),
  })
  .meta({ id: 'Delivery' });
