import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../protocol/index.js';
import { fuzz } from '../../scripts/fuzz-protocol.js';

const folders = ['../fixtures/frames/', '../../../shared/frames/']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .filter((folder) => existsSync(folder));
const frames = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(`${folder}${name}`, 'utf8').trim().split('\n'))
    .map((line) => fromHex((JSON.parse(line) as { hex: string }).hex)),
);

describe('mutated frames', () => {
  // The long run is scripts/fuzz.mjs; docs/reliability.md has its figures.
  it('are read or refused, never more', () => {
    const result = fuzz(frames, 20260314, (inputs) => inputs >= 3000);
    expect(result.inputs).toBe(3000);
    // A hang would show long before this; one input costs milliseconds at most.
    expect(result.slowestCpuMs).toBeLessThan(2000);
    // Both ways must have been reached, or the mutations prove nothing.
    expect(result.frames).toBeGreaterThan(300);
    expect(result.refused).toBeGreaterThan(300);
  });
});
