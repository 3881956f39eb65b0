import { expect, it } from 'vitest';
import { fixesOf } from '../../../dispatch/console/src/api/track.js';

it('draws nothing to 0°, 0°: what is no fix is left out of a track', () => {
  const line = (lat: number, status: number): string => JSON.stringify({ lat, lon: lat && 121, status });
  const track = [line(31, 0b11), line(0, 0b01), line(32, 0b10), ''].join('\n');
  expect(fixesOf(track).map(({ lat }) => lat)).toEqual([31, 32]);
  expect(fixesOf(undefined)).toEqual([]);
});
