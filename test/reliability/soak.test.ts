import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { soak, trends, type Sample } from './soaking.js';

const directory = mkdtempSync(join(tmpdir(), 'linecrew-soak-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('stays flat under a steady load', { timeout: 120_000 }, async () => {
  const { samples, lost, unanswered } = await soak({
    seconds: 24, terminals: 50, intervalMs: 200, sampleSeconds: 1, directory,
  }); // prettier-ignore
  expect(samples).toHaveLength(24);
  expect(trends(samples).filter(({ ok }) => !ok)).toEqual([]);
  expect({ lost, unanswered }).toEqual({ lost: 0, unanswered: 0 });
});

it('would see a leak, and does not take the pages of the store for one', () => {
  const leaking = (grow: Partial<Record<keyof Sample, number>>): Sample[] =>
    Array.from({ length: 24 }, (_, i) => ({
      seconds: i,
      rssMb: 200 + i * 50,
      ownMb: 120 + i * (grow.ownMb ?? 0),
      heapMb: 40 + i * (grow.heapMb ?? 0),
      handles: 60 + i * (grow.handles ?? 0),
      p50Ms: 2,
      p99Ms: 10 * (grow.p99Ms ?? 1) ** i,
      confirmed: 250,
    }));
  const grown = (samples: Sample[]): string[] => trends(samples).flatMap(({ ok, what }) => (ok ? [] : [what]));
  expect(grown(leaking({}))).toEqual([]);
  expect(grown(leaking({ ownMb: 20 }))).toEqual(['ownMb']);
  expect(grown(leaking({ heapMb: 5 }))).toEqual(['heapMb']);
  expect(grown(leaking({ handles: 2 }))).toEqual(['handles']);
  expect(grown(leaking({ p99Ms: 1.5 }))).toEqual(['p99Ms']);
});
