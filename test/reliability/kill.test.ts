import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runKills } from './kills.js';

/** More of them with `LINECREW_KILLS=200`, or `npm run kill -- --times 200`. */
const times = Number(process.env['LINECREW_KILLS'] ?? 10);
const directory = mkdtempSync(join(tmpdir(), 'linecrew-kill-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it(
  `shows everything that it confirmed, once, after ${times} kills at random instants under load`,
  { timeout: 60_000 + times * 20_000 },
  async () => {
    const figures = await runKills({ times, terminals: 10, directory, random: Math.random });
    expect(figures).toMatchObject({ missing: [], doubled: [] });
    // A run in which little was confirmed would prove little.
    expect(figures.positions).toBeGreaterThan(times * 10);
    expect(figures.reports).toBeGreaterThan(times);
    expect(figures.orders).toBeGreaterThanOrEqual(times / 2);
  },
);
