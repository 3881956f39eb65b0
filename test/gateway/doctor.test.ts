import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../gateway/config/load.js';
import { checkAccess, checkCertificates, checkSpace, checkStore } from '../../gateway/doctor/checks.js';
import { memoryStore } from '../../dispatch/store/memory.js';

const NOW = Date.parse('2026-03-02T01:00:00.000Z');
const DAY = 86_400_000;

describe('linecrew doctor', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'linecrew-doctor-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const configWith = (env: Record<string, string>) => loadConfig({ env }).config;

  it('says what a confirmation is worth, that the log is whole, and how far readers are', async () => {
    const store = memoryStore();
    const event = {
      type: 'x',
      source: 'api' as const,
      by: 'test',
      receivedAt: NOW - DAY,
      committedAt: NOW - DAY,
      data: {},
    };
    for (let i = 0; i < 3; i++) await store.commit({ events: [event] });
    await store.appendIngest('node-1', new Uint8Array([1]));
    const findings = await checkStore(store, NOW);
    expect(findings.filter((one) => one.level === 'failure')).toEqual([]);
    const words = findings.map((one) => one.words).join('\n');
    expect(words).toContain('3 events; the last 3 are complete');
    expect(words).toContain('node node-1: 1 groups logged, 1 not applied yet');
    await store.close();
  });

  it('finds a clock that went back behind the newest event', async () => {
    const store = memoryStore();
    await store.commit({
      events: [{ type: 'x', source: 'api', by: 'test', receivedAt: NOW, committedAt: NOW, data: {} }],
    });
    expect(await checkStore(store, NOW - DAY)).toContainEqual(
      expect.objectContaining({ level: 'failure', about: 'clock' }),
    );
    await store.close();
  });

  it('finds a store that does not commit', async () => {
    const store = memoryStore();
    await store.close();
    expect(await checkStore(store, NOW)).toMatchObject([{ level: 'failure', about: 'store' }]);
  });

  it('finds certificates that expire, have expired, or are none', () => {
    const cert = join(folder, 'cert.pem');
    const key = join(folder, 'key.pem');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '40',
        '-subj',
        '/CN=gateway.test',
      ],
      { stdio: 'ignore' },
    );
    const config = configWith({ LINECREW_TLS_CERT: cert, LINECREW_TLS_KEY: key });
    const at = (days: number) => checkCertificates(config, Date.now() + days * DAY).map((one) => one.level);
    expect([at(0), at(20), at(50)]).toEqual([['ok'], ['warning'], ['failure']]);
    expect(checkCertificates(configWith({ LINECREW_TLS_CERT: key, LINECREW_TLS_KEY: key }), NOW)).toMatchObject([
      { level: 'failure' },
    ]);
  });

  it('warns when others on the machine can read the store', () => {
    const config = configWith({ LINECREW_STORE: `lmdb:${folder}` });
    const file = join(folder, 'data.mdb');
    writeFileSync(file, '');
    const levelWith = (directory: number, data: number): string | undefined => {
      chmodSync(folder, directory);
      chmodSync(file, data);
      return checkAccess(config)[0]?.level;
    };
    expect(levelWith(0o700, 0o644)).toBe('ok');
    expect(levelWith(0o755, 0o600)).toBe('ok');
    expect(levelWith(0o755, 0o644)).toBe('warning');
    expect(levelWith(0o750, 0o640)).toBe('warning');
    expect(levelWith(0o750, 0o604)).toBe('ok');
  });

  it('tells the free space of the store', () => {
    expect(checkSpace(configWith({ LINECREW_STORE: `lmdb:${folder}` }))[0]?.words).toContain('GiB free');
    expect(checkSpace(configWith({ LINECREW_STORE: `lmdb:${join(folder, 'none')}` }))).toEqual([]);
  });
});
