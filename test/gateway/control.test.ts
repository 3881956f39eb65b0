import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { callGateway, controlPath, NotRunning, serveControl } from '../../gateway/control.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'linecrew-control-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('carries a call and its answer, and refusals with their code', async () => {
  const control = await serveControl(folder, {
    add: async ({ a, b }) => Number(a) + Number(b),
    refuse: async () => {
      throw Object.assign(new Error('no such user'), { code: 'unknownUser' });
    },
  });
  try {
    expect(await callGateway(folder, 'add', { a: 2, b: 3 })).toBe(5);
    await expect(callGateway(folder, 'refuse')).rejects.toMatchObject({ code: 'unknownUser', message: 'no such user' });
    await expect(callGateway(folder, 'constructor')).rejects.toMatchObject({ code: 'unknownMethod' });
    // Only the owner of the store may speak to it.
    expect(statSync(controlPath(folder)).mode & 0o077).toBe(0);
  } finally {
    await control.close();
  }
});

it('tells that no gateway runs, also where a killed one left its socket', async () => {
  await expect(callGateway(folder, 'ping')).rejects.toBeInstanceOf(NotRunning);
  writeFileSync(controlPath(folder), '');
  await expect(callGateway(folder, 'ping')).rejects.toBeInstanceOf(NotRunning);
  const control = await serveControl(folder, { ping: async () => 'here' });
  expect(await callGateway(folder, 'ping')).toBe('here');
  await control.close();
  await expect(callGateway(folder, 'ping')).rejects.toBeInstanceOf(NotRunning);
});

it('works in a directory whose name is too long for a socket', async () => {
  const deep = join(folder, 'x'.repeat(120));
  const { mkdirSync } = await import('node:fs');
  mkdirSync(deep);
  const control = await serveControl(deep, { ping: async () => 'here' });
  expect(await callGateway(deep, 'ping')).toBe('here');
  await control.close();
});
