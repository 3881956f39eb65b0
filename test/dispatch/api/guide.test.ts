import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Service } from '../../e2e/support.js';

const GUIDE = new URL('../../../docs/api.md', import.meta.url);

describe('docs/api.md', () => {
  const token = 'a-token-for-whoever-reads-the-guide';
  let service: Service;
  beforeAll(async () => {
    service = await new Service({ apiToken: token }).start();
  });
  afterAll(() => service.stop());

  /** Items of a list, as somebody sees it after the guide's last command. */
  async function items(path: string): Promise<Record<string, unknown>[]> {
    const response = await fetch(`${service.gateway.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } }); // prettier-ignore
    return ((await response.json()) as { items: Record<string, unknown>[] }).items;
  }

  it('holds commands that work as they stand, from the first to the last', async () => {
    const blocks = [...(await readFile(GUIDE, 'utf8')).matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]!);
    expect(blocks.length).toBeGreaterThan(5);
    // One shell for all of them: later commands use what earlier ones set.
    const script = ['set -euo pipefail', ...blocks].join('\n');
    const env = { PATH: process.env['PATH'], URL: service.gateway.url, TOKEN: token };
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env, maxBuffer: 16 << 20 });
    expect(stdout).toMatch(/\nid: \d+\ndata: \{"position":/);
    const [order, ...others] = await items('/orders');
    expect(others).toEqual([]);
    expect(order).toMatchObject({ stage: 'closed' });
    expect(
      Object.keys(order!['timePoints'] as object)
        .sort()
        .join(''),
    ).toBe('ABCDEFGHIJ');
    expect(await items('/webhooks')).toHaveLength(1);
    expect(await items('/tokens')).toHaveLength(1);
    const asked = (await items('/vehicles/truck-1/deliveries')).filter(({ kind }) => kind === 'command');
    expect(
      asked.map(({ command }) => (command as { name: string }).name),
      'functions of the terminal',
    ).toEqual(['position', 'parameters-set', 'upgrade']);
    await service.checkReplay();
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
