import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { FAULTS, runFaults } from './faulting.js';

const directory = mkdtempSync(join(tmpdir(), 'linecrew-faults-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it(
  'confirms nothing that it cannot keep while disk and clock go wrong, goes on by itself, and loses nothing',
  { timeout: 300_000 },
  async () => {
    const figures = await runFaults({ faults: FAULTS, terminals: 10, lastsMs: 4_000, directory });
    expect(figures).toMatchObject({ missing: [], doubled: [] });
    expect(figures.rows).toHaveLength(FAULTS.length);
    for (const { fault, ready, reasons, restarts, confirmedDuring } of figures.rows) {
      if (fault === 'forward' || fault === 'back') expect({ fault, reasons }).toEqual({ fault, reasons: [] });
      else {
        expect({ fault, ready, confirmedDuring }).toEqual({ fault, ready: false, confirmedDuring: 0 });
        expect(reasons.join()).toMatch(/nothing is confirmed|no process/);
      }
      // A write that fails inside LMDB without a warning may end the process (docs/reliability.md): started again, it
      // goes on.
      if (fault !== 'readOnly' && fault !== 'errors') expect({ fault, restarts }).toEqual({ fault, restarts: 0 });
    }
    // A run in which little was confirmed would prove little.
    expect(figures.positions).toBeGreaterThan(500);
    expect(figures.orders).toBeGreaterThan(10);
    expect(figures.withdrawn).toBeGreaterThan(2);
  },
);
