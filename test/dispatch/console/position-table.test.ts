import { describe, expect, it } from 'vitest';
import {
  COLUMNS,
  MAX_ROWS,
  PositionTable,
  type PositionRow,
} from '../../../dispatch/console/src/state/position-table.js';

const row = (id: string, receivedAt: number, lat = 30): PositionRow => [
  id,
  lat,
  120,
  90,
  36.5,
  receivedAt - 5,
  receivedAt,
];

describe('the table of positions', () => {
  it('gives each vehicle a row for good, and the newest position in it', () => {
    const table = new PositionTable();
    expect(table.take([row('a', 10), row('b', 10)])).toBe(true);
    expect(table.snapshot(1)).toEqual({
      epoch: 1,
      added: ['a', 'b'],
      values: Float64Array.from([30, 120, 90, 36.5, 5, 10, 30, 120, 90, 36.5, 5, 10]),
    });
    table.take([row('c', 11), row('a', 12, 31)]);
    const { added, values } = table.snapshot(1);
    expect(added).toEqual(['c']);
    expect([...values.subarray(0, COLUMNS)]).toEqual([31, 120, 90, 36.5, 7, 12]);
  });

  it('keeps a newer position when an older one comes late, and says that nothing changed', () => {
    const table = new PositionTable();
    table.take([row('a', 10, 31)]);
    expect(table.take([row('a', 9, 30)])).toBe(false);
    expect(table.snapshot(1).values[0]).toBe(31);
  });

  it('grows, but not for ever', () => {
    const table = new PositionTable();
    table.take(Array.from({ length: MAX_ROWS + 5 }, (_, i) => row(`v${i}`, 10)));
    const { added, values } = table.snapshot(1);
    expect(added.length).toBe(MAX_ROWS);
    expect(values.length).toBe(MAX_ROWS * COLUMNS);
    expect(values[(MAX_ROWS - 1) * COLUMNS + 5]).toBe(10);
  });

  it('forgets everybody for the next who signs in', () => {
    const table = new PositionTable();
    table.take([row('a', 10)]);
    table.clear();
    expect(table.snapshot(2)).toEqual({ epoch: 2, added: [], values: new Float64Array(0) });
    table.take([row('b', 1)]);
    expect(table.snapshot(2).added).toEqual(['b']);
  });
});
