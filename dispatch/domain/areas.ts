/**
 * Areas and routes that people have set in a vehicle's terminal, as its receipts say (JT/T 808 reference 5.6). The
 * circles of queued orders are kept with the outbox (fences.ts).
 */
import type { Outbox, TerminalArea, TerminalCommandItem } from './model.js';
import type { Documents } from './tables.js';

/** Areas kept of one terminal: few boxes hold more; the ones set first make room. */
export const AREAS_KEPT = 100;

/** Functions after which a terminal holds other areas. */
const CHANGES = /^(?:(?:circle|rectangle|polygon|route)-(?:set|remove)|factory-reset)$/;

interface Place {
  lat: number;
  lon: number;
}
/** Arguments of the functions, which were checked before they were queued (gateway/terminal-functions/areas.ts). */
interface Given {
  id: number;
  ids?: number[];
  all?: true;
  name?: string;
  centre: Place;
  radiusM: number;
  upperLeft: Place;
  lowerRight: Place;
  points: (Place & { widthM: number })[];
}
const place = ({ lat, lon }: Place): Place => ({ lat, lon });

function shapeOf(name: string, given: Given): Pick<TerminalArea, 'shape' | 'points' | 'radiusM' | 'widthM'> | undefined {
  switch (name) {
    case 'circle-set':
      return { shape: 'circle', points: [place(given.centre)], radiusM: given.radiusM };
    case 'rectangle-set': {
      const { upperLeft: a, lowerRight: b } = given;
      const corners = [place(a), { lat: a.lat, lon: b.lon }, place(b), { lat: b.lat, lon: a.lon }];
      return { shape: 'rectangle', points: corners };
    }
    case 'polygon-set':
      return { shape: 'polygon', points: given.points.map(place) };
    case 'route-set':
      return { shape: 'route', points: given.points.map(place), widthM: Math.max(...given.points.map((one) => one.widthM)) };
    default:
      return undefined;
  }
} // prettier-ignore

/** What the terminal holds after it has receipted a function; the same list where the function is about nothing of it. */
export function areasAfter(
  areas: readonly TerminalArea[],
  { name, arguments: args }: TerminalCommandItem,
  at: number,
): readonly TerminalArea[] {
  if (name === 'factory-reset') return areas.length > 0 ? [] : areas;
  const given = args as Given;
  const removed = /^(circle|rectangle|polygon|route)-remove$/.exec(name)?.[1];
  if (removed) return areas.filter(({ shape, id }) => shape !== removed || !(given.all ?? given.ids?.includes(id)));
  const shape = shapeOf(name, given);
  if (!shape) return areas;
  const others = areas.filter((one) => one.shape !== shape.shape || one.id !== given.id);
  const area = { id: given.id, ...(given.name ? { name: given.name } : {}), ...shape, setAt: at };
  return [...others, area].slice(-AREAS_KEPT);
}

/** Folds a receipt. Another terminal holds nothing of what the one before it held. */
export function keepAreas(docs: Documents, { vehicleId, terminal }: Outbox, item: TerminalCommandItem, at: number): void {
  if (!CHANGES.test(item.name)) return;
  const device = deviceOf(terminal);
  const before = docs.get('areas', vehicleId);
  const held = before?.device === device ? before.items : [];
  const items = areasAfter(held, item, at);
  if (items !== held) docs.put('areas', vehicleId, { vehicleId, device, items: [...items] });
} // prettier-ignore

/** `{phone}/{terminalId}`: which terminal the areas are in. */
export const deviceOf = (terminal: Outbox['terminal']): string =>
  `${terminal?.phone ?? ''}/${terminal?.terminalId ?? ''}`;
