/** Reports: segments, capacity, deliveries; JSON, or CSV for a spreadsheet. */
import { z } from 'zod';
import { csv } from '../../csv.js';
import type { StoredEvent } from '../../domain/events.js';
import type { Order, Vehicle } from '../../domain/model.js';
import { timeKey } from '../../indexes.js';
import { CAPACITY_COLUMNS, capacityRows, capacitySummary } from '../../reporting/capacity.js';
import { DUTY_COLUMNS, dutySummary, DutyTally, type DutyRow } from '../../reporting/duty.js';
import { DELIVERY_COLUMNS, deliverySummary, DeliveryTally, periodOf } from '../../reporting/deliveries.js';
import {
  GROUPINGS, groupedSummary, SEGMENT_COLUMNS, segmentCells, segmentRow, segmentSummary,
} from '../../reporting/segments.js'; // prettier-ignore
import type { DispatchPort } from '../../ports.js';
import type { Guard } from '../guard.js';
import { Problem } from '../http/problem.js';
import { Answer, route, type Context, type Route } from '../http/route.js';
import { fromTo, id, timeOut } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

const TAG = 'Reports';
const query = z.strictObject({
  ...fromTo,
  centre: id.optional(),
  format: z.enum(['json', 'csv']).optional().meta({ description: '`csv`, or `Accept: text/csv`, for a spreadsheet' }),
});
const row = z.looseObject({});
const report = z.object({
  from: timeOut,
  to: timeOut,
  truncated: z.boolean(),
  summary: z.array(row),
  items: z.array(row),
});
const responses = {
  200: {
    description: 'Summary and rows; `truncated` where the period holds more than one report takes',
    schema: report,
    mediaTypes: ['text/csv'],
  },
};

/** What all reports have in common. */
const shared = {
  method: 'GET',
  tag: TAG,
  right: 'report.read',
  responses,
  produces: ['application/json', 'text/csv'],
  audit: true,
} as const;

const WEEK_MS = 7 * 86_400_000;
/** Orders of one report: about a month of a large city; 40 MB while it is made. */
const MAX_ORDERS = 20_000;
/** Events looked at for the deliveries of one report. */
const MAX_EVENTS = 1_000_000;
/** The event loop is let go in between, so that a report does not hold up terminals. */
const BREATHE_EVERY = 500;

type ReportContext = Context<undefined, z.output<typeof query>, undefined>;
/** One report: rows, and the same rows as cells of a spreadsheet where they differ. */
interface Table {
  truncated: boolean;
  summary: object[];
  items: readonly Record<string, unknown>[];
  columns: readonly string[];
  cells?: readonly Record<string, unknown>[];
}
interface Period {
  from: number;
  to: number;
}

export function reportRoutes({ dispatch }: RouteDeps): Route[] {
  const periodAsked = ({ query: asked }: ReportContext): Period => {
    const to = asked.to ?? dispatch.clock.now() + 1;
    const from = asked.from ?? to - WEEK_MS;
    if (from < to) return { from, to };
    throw new Problem('invalidParameter', 'the period is empty: `from` is not before `to`', {
      errors: [{ parameter: 'from', detail: 'is not before to' }],
    });
  };

  const answer = (
    context: ReportContext,
    name: string,
    period: Period,
    { truncated, summary, items, columns, cells = items }: Table,
  ): Answer => {
    const { format } = context.query;
    const asCsv = format === 'csv' || (format === undefined && context.mediaType === 'text/csv');
    if (!asCsv) return new Answer(200, { ...periodOf(period.from, period.to), truncated, summary, items });
    const days = [period.from, period.to].map((at) => new Date(at).toISOString().slice(0, 10)).join('_');
    const headers = {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${name}_${days}.csv"`,
    };
    return new Answer(200, csv(columns, cells), headers);
  };

  return [
    route({
      ...shared,
      path: '/reports/segments',
      query: query.extend({
        by: z
          .enum(GROUPINGS)
          .optional()
          .meta({ description: 'Splits the summary: `group` names the centre, vehicle, local hour or segment' }),
      }),
      summary: 'Where the minutes went: every segment of every order and cycle, medians, breaches, proposed limits',
      async handler(context) {
        const period = periodAsked(context);
        const { orders, truncated } = await ordersIn(dispatch, context.guard, period, context.query.centre);
        const mains = await mainsOf(dispatch, orders);
        const now = dispatch.clock.now();
        const items = orders.flatMap((order) =>
          order.cycles.map((cycle) =>
            segmentRow(order, cycle, now, dispatch.settings, mains.get(order.mergedInto ?? '')),
          ),
        );
        const { by } = context.query;
        const summary = by ? groupedSummary(items, by, dispatch.settings.timeZone) : segmentSummary(items);
        const cells = items.map(segmentCells);
        return answer(context, 'segments', period, { truncated, summary, items, columns: SEGMENT_COLUMNS, cells });
      },
    }),
    route({
      ...shared,
      path: '/reports/capacity',
      query,
      summary: 'Orders that found no crew of their trade on standby, by half-hour and weekday',
      async handler(context) {
        const period = periodAsked(context);
        const { orders, truncated } = await ordersIn(dispatch, context.guard, period, context.query.centre);
        const items = orders.flatMap((order) => capacityRows(order, dispatch.settings.timeZone));
        const summary = capacitySummary(items);
        return answer(context, 'capacity', period, { truncated, summary, items, columns: CAPACITY_COLUMNS });
      },
    }),
    route({
      ...shared,
      path: '/reports/deliveries',
      query,
      summary: 'What was sent to terminals, how often, and how long until the receipt',
      async handler(context) {
        const period = periodAsked(context);
        const tally = new DeliveryTally();
        const complete = await deliveriesIn(dispatch, context.guard, period, context.query.centre, tally);
        const items = tally.rows();
        const truncated = !complete || tally.truncated;
        const summary = deliverySummary(items);
        return answer(context, 'deliveries', period, { truncated, summary, items, columns: DELIVERY_COLUMNS });
      },
    }),
    route({
      ...shared,
      path: '/reports/duty',
      query,
      summary: 'How crews spent the time: on call, on the way, on site, on break, off duty',
      async handler(context) {
        const period = periodAsked(context);
        const { rows: items, truncated } = await dutyIn(dispatch, context.guard, period, context.query.centre);
        return answer(context, 'duty', period, {
          truncated,
          summary: dutySummary(items),
          items,
          columns: DUTY_COLUMNS,
        });
      },
    }),
  ];
}

async function ordersIn(
  dispatch: DispatchPort,
  guard: Guard,
  { from, to }: Period,
  centre: string | undefined,
): Promise<{ orders: Order[]; truncated: boolean }> {
  const lead = centre === undefined ? '' : `${centre}/`;
  const scan = {
    index: centre === undefined ? 'orders' : 'orders.centre',
    from: lead + timeKey(from),
    to: lead + timeKey(to),
  };
  const orders: Order[] = [];
  let after: string | undefined;
  do {
    const page = await dispatch.scan({ ...scan, limit: BREATHE_EVERY, ...(after === undefined ? {} : { after }) });
    for (const { value } of page.items) if (guard.seesOrder('report.read', value as Order)) orders.push(value as Order);
    after = page.next;
    await breathe();
  } while (after !== undefined && orders.length < MAX_ORDERS);
  return { orders: orders.slice(0, MAX_ORDERS), truncated: after !== undefined };
}

async function mainsOf(dispatch: DispatchPort, orders: readonly Order[]): Promise<Map<string, Order>> {
  const ids = [...new Set(orders.flatMap((order) => order.mergedInto ?? []))];
  const found = await dispatch.getMany('order', ids);
  return new Map(found.flatMap((one) => (one ? [[one.value.id, one.value] as const] : [])));
}

/** Orders of one vehicle that are looked at for one report, newest first. */
const ORDERS_PER_VEHICLE = 1_000;

async function dutyIn(
  dispatch: DispatchPort,
  guard: Guard,
  period: Period,
  centre: string | undefined,
): Promise<{ rows: DutyRow[]; truncated: boolean }> {
  const tally = new DutyTally(period);
  const complete = await eventsFrom(dispatch, period.from, (event) => {
    if (event.type.startsWith('duty.')) tally.take(event);
    return true;
  });
  const until = Math.min(period.to, dispatch.clock.now());
  const rows: DutyRow[] = [];
  for (let after: string | undefined; ;) {
    const page = await dispatch.scan({
      index: 'vehicles',
      limit: BREATHE_EVERY,
      ...(after === undefined ? {} : { after }),
    });
    for (const { id, value } of page.items) {
      const vehicle = value as Vehicle;
      if ((centre !== undefined && vehicle.repairCentreId !== centre) || !guard.seesVehicle('report.read', vehicle))
        continue;
      const orders = await dispatch.scan({
        index: 'orders.vehicle', from: `${id}/`, to: `${id}0`, reverse: true, limit: ORDERS_PER_VEHICLE,
      }); // prettier-ignore
      rows.push(tally.row(vehicle, orders.items.map((doc) => doc.value as Order), until)); // prettier-ignore
    }
    await breathe();
    if (page.next === undefined) return { rows, truncated: !complete };
    after = page.next;
  }
}

/** False where the period holds more events than are looked at. */
async function deliveriesIn(
  dispatch: DispatchPort,
  guard: Guard,
  { from, to }: Period,
  centre: string | undefined,
  tally: DeliveryTally,
): Promise<boolean> {
  const centreOf = new Map<string, string | undefined>();
  const isOf = async (vehicleId: string | undefined): Promise<boolean> => {
    if (vehicleId === undefined) return false;
    if (!centreOf.has(vehicleId))
      centreOf.set(vehicleId, (await dispatch.get('vehicle', vehicleId))?.value.repairCentreId);
    const centreId = centreOf.get(vehicleId);
    return (
      (centre === undefined || centreId === centre) && guard.sees('report.read', { centreId, vehicleIds: [vehicleId] })
    );
  };
  return eventsFrom(dispatch, from, async (event) => {
    if (event.committedAt >= to) return false;
    if (event.type.startsWith('delivery.') && (await isOf(event.vehicleId))) tally.take(event);
    return true;
  });
}

/** Every event committed from `from` on, until `each` gives false. False where there are more than are looked at. */
async function eventsFrom(
  dispatch: DispatchPort,
  from: number,
  each: (event: StoredEvent) => boolean | Promise<boolean>,
): Promise<boolean> {
  let after = await positionBefore(dispatch, from);
  for (let looked = 0; looked < MAX_EVENTS;) {
    const events = await dispatch.eventsAfter(after, BREATHE_EVERY);
    for (const event of events) if (!(await each(event))) return true;
    const last = events.at(-1);
    if (!last) return true;
    after = last.position;
    looked += events.length;
    await breathe();
  }
  return false;
}

/** Position of the last event committed before `at`: the log is in order of commits, so halving finds it. */
async function positionBefore(dispatch: DispatchPort, at: number): Promise<number> {
  let low = 0;
  let high = await dispatch.store.lastPosition();
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [event] = await dispatch.eventsAfter(middle, 1);
    if (event && event.committedAt < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

const breathe = (): Promise<void> => new Promise((go) => setImmediate(go));
