/** Alarms of a vehicle's terminal: those that are on, then earlier ones from the newest. */
import { z } from 'zod';
import type { AlarmEnded } from '../../domain/alarms.js';
import type { StoredEvent } from '../../domain/events.js';
import type { DispatchPort } from '../../ports.js';
import { iso } from '../../views/json.js';
import { route, type Route } from '../http/route.js';
import { byId, DEFAULT_PAGE, pageOf, pageQuery, position, timeOut } from '../schemas/common.js';
import type { RouteDeps } from './deps.js';

/** Events of the vehicle read at once, and looked at for one page: most are about its orders and deliveries. */
const READ_AT_ONCE = 500;
const MAX_LOOKED_AT = 20_000;

const alarm = z
  .object({
    bit: z.int().meta({ description: 'In the alarm word of JT/T 808' }),
    name: z.string(),
    since: timeOut,
    endedAt: timeOut.optional().meta({ description: 'Absent while it is on' }),
    alertId: z.string().optional().meta({ description: 'SOS: the alert that told people' }),
  })
  .meta({ id: 'Alarm' });
type AlarmJson = z.input<typeof alarm>;

export function vehicleAlarmRoutes({ dispatch }: RouteDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/vehicles/{id}/alarms',
      tag: 'Vehicles',
      right: 'vehicle.alarms',
      params: byId,
      summary: 'Alarms of the terminal: first those that are on, then those that have ended, the last ended first',
      description: 'All that are on stand on the first page, whatever its `limit`.',
      query: z.strictObject({ limit: pageQuery.limit, after: position.optional() }),
      responses: { 200: { description: 'A page of alarms', schema: pageOf(alarm) } },
      async handler({ guard, params, query }) {
        await guard.read('vehicle.alarms', 'vehicle', params.id);
        const on = query.after === undefined ? await alarmsOn(dispatch, params.id) : [];
        const wanted = query.limit ?? DEFAULT_PAGE;
        const ended = await alarmsEnded(dispatch, params.id, query.after, Math.max(0, wanted - on.length));
        return { items: [...on, ...ended.items], ...(ended.next === undefined ? {} : { next: ended.next }) };
      },
    }),
  ];
}

/** At most the 32 bits of the alarm word. */
async function alarmsOn(dispatch: DispatchPort, vehicleId: string): Promise<AlarmJson[]> {
  const doc = (await dispatch.get('alarms', vehicleId))?.value;
  return Object.values(doc?.active ?? {})
    .sort((a, b) => b.since - a.since)
    .map(({ bit, name, since }) => {
      const alertId = bit === 0 ? doc?.sosAlertId : undefined;
      return { bit, name, since: iso(since), ...(alertId === undefined ? {} : { alertId }) };
    });
}

/** Those that ended before a position of the log. */
async function alarmsEnded(
  dispatch: DispatchPort,
  vehicleId: string,
  before: number | undefined,
  wanted: number,
): Promise<{ items: AlarmJson[]; next?: string }> {
  const items: AlarmJson[] = [];
  let from = before;
  for (let looked = 0; looked < MAX_LOOKED_AT; looked += READ_AT_ONCE) {
    const events = await dispatch.eventsBefore(from, READ_AT_ONCE, `vehicle:${vehicleId}`);
    for (const event of events) {
      if (event.type === 'alarm.ended') {
        // `next` is a position behind the first event that is left for the next page.
        if (items.length >= wanted) return { items, next: String(event.position + 1) };
        items.push(endedAlarm(event));
      }
      from = event.position;
    }
    if (events.length < READ_AT_ONCE) return { items };
  }
  return { items, next: String(from) };
}

function endedAlarm({ data, deviceAt, committedAt }: StoredEvent): AlarmJson {
  const { bit, name, since, alertId } = data as AlarmEnded;
  const endedAt = iso(deviceAt ?? committedAt);
  return { bit, name, since: iso(since), endedAt, ...(alertId === undefined ? {} : { alertId }) };
}
