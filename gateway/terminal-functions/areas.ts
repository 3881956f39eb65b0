/**
 * Circles, rectangles, polygons and routes that people set in a terminal, and the list of them (reference 5.6). The
 * circles of queued orders are set by the rules of dispatch (fences.ts) and have ids of their own.
 */
import { z } from 'zod';
import { EncodeError, msToTime, type Edition } from '../../protocol/index.js';
import { PEOPLES_AREA_IDS } from '../../dispatch/domain/model.js';
import { message, terminalFunction, type TerminalFunction } from './function.js';

/** Attribute bits of areas and routes. */
const BITS = {
  timeRange: 1 << 0,
  speedLimit: 1 << 1,
  enterDriver: 1 << 2,
  enterPlatform: 1 << 3,
  leaveDriver: 1 << 4,
  leavePlatform: 1 << 5,
  south: 1 << 6,
  west: 1 << 7,
  forbidDoors: 1 << 8,
} as const;
/** Attribute bits of a segment of a route. */
const SEGMENT = { drivingTime: 1, speedLimit: 2, south: 4, west: 8 } as const;
const ALARMS = ['enterDriver', 'enterPlatform', 'leaveDriver', 'leavePlatform'] as const;
/** Beside what is there; an area with the same id is replaced. */
const APPEND = 1;
const NO_DATE = '000000';

const id = z.int().min(1).max(PEOPLES_AREA_IDS).meta({ description: 'Of your choice; one that is there is replaced' });
const place = z.strictObject({ lat: z.number().min(-90).max(90), lon: z.number().min(-180).max(180) });
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/, { error: () => 'expected a time as 08:30:00' });
const moment = z.iso.datetime({ offset: true }).transform((words) => Date.parse(words));
const kmh = z.int().min(1).max(1_000);

const speed = z.strictObject({
  topKmh: kmh,
  forS: z.int().min(0).max(255).optional().meta({ description: 'Seconds above it that count; default 10' }),
  nightTopKmh: kmh.optional().meta({ description: '2019; default: as by day' }),
});
const window = z.union([
  z.strictObject({ dailyFrom: clock, dailyTo: clock }).meta({ description: 'Every day, by the time of GMT+8' }),
  z.strictObject({ from: moment, to: moment }),
]);
const common = {
  id,
  name: z.string().max(60).optional().meta({ description: '2019' }),
  alarms: z.array(z.enum(ALARMS)).optional().meta({ description: 'Default enterPlatform, leavePlatform' }),
  window: window.optional().meta({ description: 'When it holds; default always' }),
};
const area = {
  ...common,
  speed: speed.optional(),
  forbidDoors: z.boolean().optional().meta({ description: 'Doors must stay shut inside; since 2013' }),
};

type Window = z.output<typeof window>;
type Speed = z.output<typeof speed>;
interface Common {
  name?: string | undefined;
  alarms?: readonly (typeof ALARMS)[number][] | undefined;
  window?: Window | undefined;
}
interface Area extends Common {
  speed?: Speed | undefined;
  forbidDoors?: boolean | undefined;
}

interface Places {
  lat: number;
  lon: number;
}

/** One hemisphere bit serves the whole area: it may not lie over the equator or the meridian. */
function hemispheres(points: readonly Places[]): number {
  const both = (values: number[]): boolean => values.some((one) => one < 0) && values.some((one) => one > 0);
  const lats = points.map(({ lat }) => lat);
  const lons = points.map(({ lon }) => lon);
  if (both(lats) || both(lons)) {
    throw new EncodeError('', 'an area of JT/T 808 lies on one side of the equator and of the prime meridian');
  }
  return (lats.some((lat) => lat < 0) ? BITS.south : 0) | (lons.some((lon) => lon < 0) ? BITS.west : 0);
}

const e6 = (degrees: number): number => Math.round(Math.abs(degrees) * 1e6);

function times(window: Window | undefined): { startTime?: string; endTime?: string } {
  if (window === undefined) return {};
  if ('from' in window) return { startTime: msToTime(window.from), endTime: msToTime(window.to) };
  const digits = (time: string): string => NO_DATE + time.replaceAll(':', '');
  return { startTime: digits(window.dailyFrom), endTime: digits(window.dailyTo) };
}

function commonBits({ alarms = ['enterPlatform', 'leavePlatform'], window }: Common): number {
  return alarms.reduce((bits, one) => bits | BITS[one], window === undefined ? 0 : BITS.timeRange);
}

/** Attributes and what stands around the shape of an area. */
function around(of: Area, points: readonly Places[], edition: Edition) {
  if (of.forbidDoors && edition === 2011) throw new EncodeError('forbidDoors', 'the 2011 edition does not have it');
  const attributes =
    commonBits(of) |
    (of.speed === undefined ? 0 : BITS.speedLimit) |
    (of.forbidDoors ? BITS.forbidDoors : 0) |
    hemispheres(points);
  return { attributes, ...times(of.window), ...limits(of.speed), name: of.name ?? '' };
}

function limits(of: Speed | undefined) {
  if (of === undefined) return {};
  return { topSpeedKmh: of.topKmh, overspeedS: of.forS ?? 10, nightTopSpeedKmh: of.nightTopKmh ?? of.topKmh };
}

const circleSet = terminalFunction({
  name: 'circle-set',
  title: 'Set a circle in the terminal',
  since: 2011,
  arguments: z.strictObject({ ...area, centre: place, radiusM: z.int().min(1).max(1_000_000) }),
  render: ({ centre, radiusM, ...of }, edition) => [
    message('setCircles', edition, {
      setting: APPEND,
      areas: [
        {
          id: of.id,
          latitudeE6: e6(centre.lat),
          longitudeE6: e6(centre.lon),
          radiusM,
          ...around(of, [centre], edition),
        },
      ],
    }),
  ],
});

const rectangleSet = terminalFunction({
  name: 'rectangle-set',
  title: 'Set a rectangle in the terminal',
  since: 2011,
  arguments: z.strictObject({ ...area, upperLeft: place, lowerRight: place }),
  render({ upperLeft, lowerRight, ...of }, edition) {
    if (upperLeft.lat <= lowerRight.lat) throw new EncodeError('upperLeft.lat', 'expected more than lowerRight.lat');
    if (upperLeft.lon >= lowerRight.lon) throw new EncodeError('upperLeft.lon', 'expected less than lowerRight.lon');
    const corners = {
      upperLatitudeE6: e6(upperLeft.lat),
      leftLongitudeE6: e6(upperLeft.lon),
      lowerLatitudeE6: e6(lowerRight.lat),
      rightLongitudeE6: e6(lowerRight.lon),
    };
    const areas = [{ id: of.id, ...corners, ...around(of, [upperLeft, lowerRight], edition) }];
    return [message('setRectangles', edition, { setting: APPEND, areas })];
  },
});

const polygonSet = terminalFunction({
  name: 'polygon-set',
  title: 'Set a polygon in the terminal',
  since: 2011,
  arguments: z.strictObject({ ...area, points: z.array(place).min(3).max(200) }),
  render: ({ points, ...of }, edition) => [
    message('setPolygon', edition, {
      id: of.id,
      points: points.map(({ lat, lon }) => ({ latitudeE6: e6(lat), longitudeE6: e6(lon) })),
      ...around(of, points, edition),
    }),
  ],
});

const seconds = z.int().min(0).max(0xffff);
const routePoint = place.extend({
  widthM: z.int().min(1).max(255).meta({ description: 'Width of the segment that begins here' }),
  tooLongS: seconds.optional().meta({ description: 'Driving the segment longer than this is an alarm' }),
  tooShortS: seconds.optional().meta({ description: 'Driving it faster is one too; since 2013' }),
  speed: speed.optional(),
});

/** Its segments are numbered as their points are, from 1. */
function segment(point: z.output<typeof routePoint>, at: number, edition: Edition) {
  const { lat, lon, widthM, tooLongS, tooShortS } = point;
  const timed = tooLongS !== undefined || tooShortS !== undefined;
  if (edition === 2011 && tooShortS !== undefined) {
    throw new EncodeError(`points[${at}].tooShortS`, 'the 2011 edition does not have it');
  }
  const attributes =
    (timed ? SEGMENT.drivingTime : 0) |
    (point.speed === undefined ? 0 : SEGMENT.speedLimit) |
    (lat < 0 ? SEGMENT.south : 0) |
    (lon < 0 ? SEGMENT.west : 0);
  const driving = timed
    ? { drivingTimeS: tooLongS ?? 0xffff, tooLongS: tooLongS ?? 0xffff, tooShortS: tooShortS ?? 0 }
    : {};
  const where = { latitudeE6: e6(lat), longitudeE6: e6(lon), widthM, attributes };
  return { pointId: at + 1, segmentId: at + 1, ...where, ...driving, ...limits(point.speed) };
}

const routeSet = terminalFunction({
  name: 'route-set',
  title: 'Set a route in the terminal',
  since: 2011,
  arguments: z.strictObject({ ...common, points: z.array(routePoint).min(2).max(200) }),
  render: ({ points, ...of }, edition) => [
    message('setRoute', edition, {
      id: of.id,
      attributes: commonBits(of),
      ...times(of.window),
      points: points.map((point, i) => segment(point, i, edition)),
      name: of.name ?? '',
    }),
  ],
});

const ids = z.array(id).min(1).max(125);

/** All circles cannot be removed at once: those of queued orders are among them. */
const circleRemove = terminalFunction({
  name: 'circle-remove',
  title: 'Remove circles that people have set',
  since: 2011,
  arguments: z.strictObject({ ids }),
  render: ({ ids: those }, edition) => [message('deleteCircles', edition, { ids: those })],
});

const removals = (
  [
    ['rectangle', 'rectangles', 'deleteRectangles'],
    ['polygon', 'polygons', 'deletePolygons'],
    ['route', 'routes', 'deleteRoutes'],
  ] as const
).map(([shape, many, name]) =>
  terminalFunction({
    name: `${shape}-remove`,
    title: `Remove ${many}: those named, or all`,
    since: 2011,
    arguments: z.union([z.strictObject({ ids }), z.strictObject({ all: z.literal(true) })]),
    render: (of, edition) => [message(name, edition, { ids: 'all' in of ? [] : of.ids })],
  }),
);

const KINDS = { circle: 1, rectangle: 2, polygon: 3, route: 4 } as const;

const query = terminalFunction({
  name: 'areas-query',
  title: 'Ask which areas or routes the terminal holds',
  since: 2019,
  arguments: z.strictObject({
    kind: z.enum(Object.keys(KINDS) as [keyof typeof KINDS]),
    ids: z.array(z.int().min(1).max(0xffff_ffff)).min(1).max(125).optional().meta({ description: 'Default all' }),
  }),
  render: ({ kind, ids: those = [] }, edition) => [message('queryAreas', edition, { kind: KINDS[kind], ids: those })],
});

export const areaFunctions: readonly TerminalFunction[] = [
  circleSet,
  circleRemove,
  rectangleSet,
  polygonSet,
  routeSet,
  ...removals,
  query,
];
