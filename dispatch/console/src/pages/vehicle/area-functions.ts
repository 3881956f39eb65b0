/** Areas and routes in a terminal: set, removed, listed. Places are entered as on a map's label: latitude, longitude. */
import {
  check,
  choice,
  lines,
  number,
  optionalNumber,
  text,
  type Argument,
  type Fields,
  type FunctionLook,
} from './function-look.js';

const MAX_ID = 0xffff;
const id = number('id', 'arg.areaId', 1, MAX_ID);
const around: readonly Argument[] = [
  text('name', 'arg.areaName'),
  check('tellPlatform', 'arg.tellPlatform', true),
  check('tellDriver', 'arg.tellDriver'),
  { name: 'dailyFrom', kind: 'clock', label: 'arg.dailyFrom' },
  { name: 'dailyTo', kind: 'clock', label: 'arg.dailyTo' },
  optionalNumber('topKmh', 'arg.topKmh', 1, 1_000),
  optionalNumber('forS', 'arg.overspeedS', 0, 255),
];

const numbersIn = (entered = ''): number[] => entered.split(/[,，;；\s]+/).filter(Boolean).map(Number); // prettier-ignore

interface Place {
  lat?: number;
  lon?: number;
}
/** What is missing or no number, the server names. */
function placeIn(entered: unknown): Place {
  const [lat, lon] = numbersIn(entered as string | undefined);
  return { ...(lat === undefined ? {} : { lat }), ...(lon === undefined ? {} : { lon }) };
}
const placesIn = (entered: unknown): Place[] => ((entered ?? []) as string[]).map(placeIn);

const speedOf = ({ topKmh, forS }: Fields): Record<string, unknown> =>
  topKmh === undefined ? {} : { speed: { topKmh, ...(forS === undefined ? {} : { forS }) } };

/** What stands around every shape. */
function commonOf({ id: areaId, name, tellPlatform, tellDriver, dailyFrom, dailyTo }: Fields): Record<string, unknown> {
  const alarms = [
    ...(tellPlatform ? ['enterPlatform', 'leavePlatform'] : []),
    ...(tellDriver ? ['enterDriver', 'leaveDriver'] : []),
  ];
  const always = dailyFrom === undefined && dailyTo === undefined;
  return {
    id: areaId,
    ...(name === undefined ? {} : { name }),
    alarms,
    ...(always ? {} : { window: { dailyFrom, dailyTo } }),
  };
}

/** Circles only by their numbers: those of queued orders stand beside them. */
const removal = (shape: 'circle' | 'rectangle' | 'polygon' | 'route'): FunctionLook => ({
  name: `${shape}-remove`,
  icon: 'close',
  rare: true,
  arguments:
    shape === 'circle' ? [text('ids', 'arg.ids', 'required')] : [text('ids', 'arg.ids'), check('all', 'arg.allAreas')],
  given: ({ ids, all }) => (all ? { all: true } : { ids: numbersIn(ids as string | undefined) }),
});

export const AREA_FUNCTIONS: readonly FunctionLook[] = [
  {
    name: 'circle-set',
    icon: 'target',
    rare: true,
    arguments: [
      id,
      text('centre', 'arg.centre', 'required'),
      number('radiusM', 'arg.radiusM', 1, 1_000_000, 200),
      ...around,
    ],
    given: (fields) => ({
      ...commonOf(fields),
      ...speedOf(fields),
      centre: placeIn(fields.centre),
      radiusM: fields.radiusM,
    }),
  },
  {
    name: 'rectangle-set',
    icon: 'fit',
    rare: true,
    arguments: [
      id,
      text('upperLeft', 'arg.upperLeft', 'required'),
      text('lowerRight', 'arg.lowerRight', 'required'),
      ...around,
    ],
    given: (fields) => ({
      ...commonOf(fields),
      ...speedOf(fields),
      upperLeft: placeIn(fields.upperLeft),
      lowerRight: placeIn(fields.lowerRight),
    }),
  },
  {
    name: 'polygon-set',
    icon: 'map',
    rare: true,
    arguments: [id, lines('points', 'arg.points', 'required'), ...around],
    given: (fields) => ({ ...commonOf(fields), ...speedOf(fields), points: placesIn(fields.points) }),
  },
  {
    name: 'route-set',
    icon: 'right',
    rare: true,
    arguments: [
      id,
      lines('points', 'arg.points', 'required'),
      number('widthM', 'arg.widthM', 1, 255, 50),
      optionalNumber('tooLongS', 'arg.tooLongS', 0, 65_535),
      ...around,
    ],
    given(fields) {
      const { widthM, tooLongS } = fields;
      const each = { widthM, ...(tooLongS === undefined ? {} : { tooLongS }), ...speedOf(fields) };
      return { ...commonOf(fields), points: placesIn(fields.points).map((place) => ({ ...place, ...each })) };
    },
  },
  removal('circle'),
  removal('rectangle'),
  removal('polygon'),
  removal('route'),
  {
    name: 'areas-query',
    icon: 'list',
    rare: true,
    arguments: [choice('kind', 'arg.areaKind', 'areaKind', ['circle', 'rectangle', 'polygon', 'route'])],
  },
];
