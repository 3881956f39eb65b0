import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOOTSTRAP, startApi, type Api, type Json } from './support.js';

const GUIDE = new URL('../../../docs/api.md', import.meta.url);

describe('docs/api.md', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it('holds commands that work as they stand, from the first to the last', async () => {
    const blocks = [...(await readFile(GUIDE, 'utf8')).matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]!);
    expect(blocks.length).toBeGreaterThan(5);
    // One shell for all of them: later commands use what earlier ones set.
    const script = ['set -euo pipefail', ...blocks].join('\n');
    const env = { PATH: process.env['PATH'], URL: api.url, TOKEN: BOOTSTRAP };
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env, maxBuffer: 16 << 20 });
    expect(stdout).toMatch(/\nid: \d+\ndata: \{"position":/);
    const { items } = (await api.get('/orders')).json as { items: Json[] };
    expect(items).toHaveLength(1);
    expect(items[0].stage).toBe('closed');
    expect(Object.keys(items[0].timePoints).sort().join('')).toBe('ABCDEFGHIJ');
    expect((await api.get('/webhooks')).json.items).toHaveLength(1);
    expect((await api.get('/tokens')).json.items).toHaveLength(1);
  });

  it('names every report, role and code of a stream’s end that there is', async () => {
    const text = await readFile(GUIDE, 'utf8');
    for (const word of [
      'segments',
      'capacity',
      'deliveries',
      'administrator',
      'agent',
      'supervisor',
      'dispatcher',
      'crew',
      'integrator',
      'tooSlow',
      'signedOut',
      'stopping',
    ]) {
      expect(text).toContain(`\`${word}\``);
    }
  });
});
