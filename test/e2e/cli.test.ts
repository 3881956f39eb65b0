/** The one binary, as people and their scripts call it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { makeCertificates } from '../gateway/support/certificates.js';

const certificates = makeCertificates();
const CLI = [...['--import', 'tsx'], fileURLToPath(new URL('../../gateway/cli.ts', import.meta.url))];
const TOKEN = 'token-of-the-command-line-test';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'linecrew-cli-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cleanEnv = (env: Record<string, string>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('LINECREW_'))),
  ...env,
});

function run(
  args: string[],
  env: Record<string, string> = {},
  input = '',
): { status: number | null; stdout: string; stderr: string } {
  const done = spawnSync(process.execPath, [...CLI, ...args], { env: cleanEnv(env), input, encoding: 'utf8' });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

interface Served {
  child: ChildProcess;
  ready: { http: number; tcp: number; mqtt: number };
  stopped: Promise<number | null>;
}

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

/** @param user under whose id the gateway runs; this process's own unless stated */
async function serve(store: string, user?: { id: number; tmp: string }): Promise<Served> {
  const child = spawn(process.execPath, [...CLI, 'serve', '--http-port', '0', '--tcp-port', '0', '--mqtt-port', '0'], {
    env: cleanEnv({
      LINECREW_STORE: `lmdb:${store}`,
      LINECREW_API_TOKEN: TOKEN,
      LINECREW_ADMIN_PASSWORD: 'a-long-password',
      ...(user && { TMPDIR: user.tmp }),
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user && { uid: user.id, gid: user.id }),
  });
  children.push(child);
  const stopped = new Promise<number | null>((done) => child.once('exit', done));
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as { msg: string } & Served['ready'];
    if (entry.msg === 'ready') {
      child.stdout.resume();
      return { child, ready: entry, stopped };
    }
  }
  throw new Error(`the gateway ended before it was ready: ${complaints}`);
}

const api = (served: Served, path: string, body?: unknown): Promise<Response> =>
  fetch(`http://127.0.0.1:${served.ready.http}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const VEHICLE = {
  id: 'v1', plate: '京A10001', terminal: { phone: '13900000001', profile: 'smart' }, repairCentreId: 'centre-1',
  trade: 'lowVoltage', crew: { name: 'Crew 1', members: [{ name: 'Li' }] }, sharesOffice: true,
}; // prettier-ignore

describe('exit status', () => {
  it('is 0 for help and success, 2 for bad usage, 1 for a failure', () => {
    expect(run(['--help']).status).toBe(0);
    expect(run(['serve', '--help']).status).toBe(0);
    expect(run(['config', '--check']).status).toBe(0);
    expect(run(['nonsense']).status).toBe(2);
    expect(run(['serve', '--no-such-flag']).status).toBe(2);
    const wrong = run(['config', '--check'], { LINECREW_HTTP_PORT: 'web' });
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('LINECREW_HTTP_PORT: "web" — expected a whole number from 0 to 65535');
    expect(run(['decode', '7e00ff7e']).status).toBe(1);
  }, 120_000);
});

describe('what the configuration names', () => {
  const DEAF = { LINECREW_HTTP_PORT: '0', LINECREW_TCP_PORT: '0', LINECREW_MQTT_PORT: 'off' };

  it('is looked at before anything is opened: certificates and keys, and the store’s URL', () => {
    const store = join(folder, 'never');
    const cert = join(folder, 'cert.pem');
    const key = join(folder, 'key.pem');
    writeFileSync(cert, certificates.server.cert);
    writeFileSync(key, certificates.client.key);
    const own = { ...DEAF, LINECREW_STORE: `lmdb:${store}` };
    const foreign = { ...own, LINECREW_TLS_CERT: cert, LINECREW_TLS_KEY: key };
    for (const command of [['serve'], ['config', '--check'], ['doctor']]) {
      const { status, stdout, stderr } = run(command, foreign);
      expect(status, command[0]).toBe(2);
      expect(stdout + stderr).toContain(`LINECREW_TLS_KEY: "${key}" — expected the key of the certificate in LINECREW_TLS_CERT`);
    } // prettier-ignore
    const absent = run(['serve'], { ...own, LINECREW_HTTP_TLS_CERT: key, LINECREW_HTTP_TLS_KEY: `${key}.none` });
    expect(absent.status).toBe(2);
    expect(absent.stderr).toMatch(/LINECREW_HTTP_TLS_CERT: .* — expected a file with a certificate \(PEM\)/);
    expect(absent.stderr).toMatch(/LINECREW_HTTP_TLS_KEY: .* — expected a file with a private key .*ENOENT/);
    const url = run(['serve'], { ...DEAF, LINECREW_STORE: 'sqlite:x' });
    expect([url.status, url.stderr]).toEqual([2, expect.stringContaining('LINECREW_STORE: "sqlite:x" — ')]);
    expect(existsSync(store)).toBe(false);
  }, 120_000);

  it('a port that is taken is named with its setting', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      const env = {
        ...DEAF, LINECREW_STORE: `lmdb:${join(folder, 'deaf')}`, LINECREW_TCP_PORT: String(port), LINECREW_TCP_HOST: '127.0.0.1',
      }; // prettier-ignore
      const child = spawn(process.execPath, [...CLI, 'serve'], {
        env: cleanEnv(env),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      children.push(child);
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      expect((await once(child, 'close'))[0]).toBe(1);
      expect(stderr).toContain(`LINECREW_TCP_PORT=${port}, LINECREW_TCP_HOST=127.0.0.1: another program listens`);
    } finally {
      other.close();
    }
  }, 60_000);

  it('doctor makes no store where there is none', () => {
    const store = join(folder, 'absent');
    const { status, stdout } = run(['doctor'], { LINECREW_STORE: `lmdb:${store}` });
    expect([status, stdout]).toEqual([1, expect.stringContaining(`there is no store at ${store}`)]);
    expect(existsSync(store)).toBe(false);
  }, 60_000);
});

it('an idle gateway that is told to stop does not wait for anything', async () => {
  const served = await serve(join(folder, 'idle'));
  const since = performance.now();
  served.child.kill('SIGTERM');
  expect(await served.stopped).toBe(0);
  expect(performance.now() - since).toBeLessThan(4_000);
}, 60_000);

it('config shows every setting with its variable, and no secret', () => {
  const { stdout } = run(['config', '--json'], {
    LINECREW_API_TOKEN: 'geheim',
    LINECREW_STORE: 'redis://u:geheim@h:1',
  });
  const rows = JSON.parse(stdout) as { env: string; value: unknown; default: unknown; meaning: string }[];
  expect(stdout).not.toContain('geheim');
  expect(rows.find((row) => row.env === 'LINECREW_TCP_PORT')).toMatchObject({ default: 7808, value: 7808 });
  for (const row of rows) expect(row.meaning.length).toBeGreaterThan(5);
}, 60_000);

it('shows no token in its help', () => {
  const { status, stdout } = run(['terminal', '--help'], { LINECREW_API_TOKEN: 'a-secret-token' });
  expect(status).toBe(0);
  expect(stdout).toContain('LINECREW_API_TOKEN');
  expect(stdout).not.toContain('a-secret-token');
});

it('serves, says ready with the ports taken, is asked through its socket, is backed up while it runs, and stops gracefully', async () => {
  const store = join(folder, 'store');
  const copy = join(folder, 'copy');
  const served = await serve(store);
  const env = { LINECREW_STORE: `lmdb:${store}` };
  expect(served.ready).toMatchObject({ http: expect.any(Number), tcp: expect.any(Number), mqtt: expect.any(Number) });
  expect((await api(served, '/vehicles', VEHICLE)).status).toBe(201);
  const health = await fetch(`http://127.0.0.1:${served.ready.http}/healthz`);
  expect(await health.json()).toMatchObject({ status: 'ok', clockRate: 1 });

  const added = run(['user', 'add', 'wang', '--role', 'dispatcher', '--json'], env, 'another-long-password\n');
  expect(added).toMatchObject({ status: 0 });
  expect(run(['user', 'add', 'wang', '--role', 'dispatcher'], env, 'another-long-password\n').status).toBe(1);
  expect(run(['user', 'list'], env).stdout).toContain('wang');
  expect(run(['backup', copy], env).status).toBe(0);
  const refused = run(['restore', copy], env);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('a gateway runs on');
  expect(run(['doctor'], env)).toMatchObject({ status: 0 });

  served.child.kill('SIGTERM');
  expect(await served.stopped).toBe(0);

  const other = join(folder, 'restored');
  expect(run(['restore', copy], { LINECREW_STORE: `lmdb:${other}` }).status).toBe(0);
  const again = await serve(other);
  expect(await (await api(again, '/vehicles/v1')).json()).toMatchObject({ id: 'v1', plate: '京A10001' });
  expect(run(['user', 'list'], { LINECREW_STORE: `lmdb:${other}` }).stdout).toContain('wang');
  again.child.kill('SIGTERM');
  expect(await again.stopped).toBe(0);
}, 180_000);

it.runIf(process.getuid?.() === 0)(
  'backs up a gateway that may write nowhere but into its own folder, as the superuser’s, and drops what was left over',
  async () => {
    const USER = 12_345;
    const open = mkdtempSync(join(tmpdir(), 'linecrew-other-'));
    try {
      chmodSync(open, 0o711);
      const [store, tmp, copy] = [join(open, 'store'), join(open, 'tmp'), join(folder, 'taken', 'copy')];
      for (const own of [store, tmp]) {
        mkdirSync(own);
        chownSync(own, USER, USER);
      }
      mkdirSync(join(store, 'backup-left'));
      const served = await serve(store, { id: USER, tmp });
      expect((await api(served, '/vehicles', VEHICLE)).status).toBe(201);
      expect(run(['backup', copy], { LINECREW_STORE: `lmdb:${store}` })).toMatchObject({ status: 0, stderr: '' });
      expect(readdirSync(store).filter((name) => name.startsWith('backup-'))).toEqual([]);
      const copied = readdirSync(copy, { recursive: true, encoding: 'utf8' });
      expect(copied).toContain('data.mdb');
      expect(copied.map((name) => statSync(join(copy, name)).uid)).toEqual(copied.map(() => 0));
      served.child.kill('SIGTERM');
      expect(await served.stopped).toBe(0);
      const other = join(folder, 'from-other');
      expect(run(['restore', copy], { LINECREW_STORE: `lmdb:${other}` }).status).toBe(0);
      const again = await serve(other);
      expect((await api(again, '/vehicles/v1')).status).toBe(200);
      again.child.kill('SIGTERM');
      expect(await again.stopped).toBe(0);
    } finally {
      rmSync(open, { recursive: true, force: true });
    }
  },
  180_000,
);
