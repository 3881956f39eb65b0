/** Circles in the terminal (reference 5.6): set and removed by the rules of dispatch, not by people. */
import { z } from 'zod';
import { message, terminalFunction, type TerminalFunction } from './function.js';

const areaId = z.int().min(1).max(0xffff_ffff);

/** Tell the platform when the vehicle enters, and when it leaves; hemispheres. */
const entered = 1 << 3;
const left = 1 << 5;
const south = 1 << 6;
const west = 1 << 7;
/** Beside the circles that are there; one with the same id is replaced. */
const append = 1;

const set = terminalFunction({
  name: 'fence-set',
  title: 'Set a circle',
  since: 2011,
  arguments: z.strictObject({
    id: areaId,
    lat: z.number().min(-90).max(90),
    lon: z.number().min(-180).max(180),
    radiusM: z.number().positive(),
    name: z.string().max(60),
  }),
  render({ id, lat, lon, radiusM, name }, edition) {
    const circle = {
      id,
      attributes: entered | left | (lat < 0 ? south : 0) | (lon < 0 ? west : 0),
      latitudeE6: Math.round(Math.abs(lat) * 1e6),
      longitudeE6: Math.round(Math.abs(lon) * 1e6),
      radiusM: Math.round(radiusM),
      name,
    };
    return [message('setCircles', edition, { setting: append, areas: [circle] })];
  },
});

const remove = terminalFunction({
  name: 'fence-remove',
  title: 'Remove circles',
  since: 2011,
  // None would mean all of them, others' too.
  arguments: z.strictObject({ ids: z.array(areaId).min(1).max(125) }),
  render: ({ ids }, edition) => [message('deleteCircles', edition, { ids })],
});

export const fenceFunctions: readonly TerminalFunction[] = [set, remove];
