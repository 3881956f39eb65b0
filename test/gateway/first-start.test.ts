/** The first start makes an administrator and shows the password once: when everything else has started. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadConfig } from '../../gateway/config/load.js';
import { createLog } from '../../gateway/log.js';
import { startGateway, type Gateway } from '../../gateway/main.js';

let directory: string;
let taken: Server;
/** What was written for a person to read. */
let written: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'linecrew-first-'));
  taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((piece) => {
    written += String(piece);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  taken.close();
  rmSync(directory, { recursive: true, force: true });
});

function start(ports: Record<string, string> = {}): Promise<Gateway> {
  const flags = {
    store: `lmdb:${directory}`, httpPort: '0', tcpPort: '0', tcpHost: '127.0.0.1', mqttPort: '0', mqttHost: '127.0.0.1', ...ports,
  };
  return startGateway(loadConfig({ flags, env: {} }).config, { log: createLog('silent') });
} // prettier-ignore

it.each(['httpPort', 'tcpPort', 'mqttPort'])('shows no password where %s is taken, and one that works when it starts', async (key) => {
  await expect(start({ [key]: String((taken.address() as AddressInfo).port) })).rejects.toThrow(/_PORT=\d+/);
  expect(written).toBe('');
  const gateway = await start();
  const [, password] = /First administrator \(shown once\): name admin, password (\S{12,})\n/.exec(written)!;
  const answer = await fetch(`${gateway.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', password }),
  });
  expect(answer.ok, await answer.text()).toBe(true);
  await gateway.stop();
  written = '';
  await (await start()).stop();
  expect(written).toBe('');
}); // prettier-ignore
