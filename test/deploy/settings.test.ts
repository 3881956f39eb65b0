import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openStore } from '../../dispatch/store/open.js';
import { loadConfig } from '../../gateway/config/load.js';
import { RedisServer } from '../support/redis.js';
import { findProgram } from '../support/system.js';
import { compose, composeEnvironment, deployed } from './files.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { bin, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  bin: { linecrew: string };
  dependencies: Record<string, string>;
};

it('the compose file configures two gateways that differ in their name alone', () => {
  const configs = ['gateway-1', 'gateway-2'].map((name) => {
    const { config, warnings } = loadConfig({ env: composeEnvironment(name) });
    expect(warnings).toEqual([]);
    return config;
  });
  expect(configs.map(({ nodeId }) => nodeId)).toEqual(['gateway-1', 'gateway-2']);
  expect({ ...configs[0]!, nodeId: '' }).toEqual({ ...configs[1]!, nodeId: '' });
});

it('all that the compose file names is there', () => {
  const { services, volumes } = compose();
  for (const [name, service] of Object.entries(services)) {
    expect([service.image, service.build].filter(Boolean), name).toHaveLength(1);
    if (service.build) expect(existsSync(join(root, 'deploy', service.build.context, service.build.dockerfile))).toBe(true);
    for (const other of service.depends_on ?? []) expect(Object.keys(services), name).toContain(other);
    for (const volume of service.volumes ?? []) {
      const [from = '', to] = volume.split(':');
      expect(to, volume).toMatch(/^\//);
      if (from.startsWith('.')) expect(existsSync(join(root, 'deploy', from)), volume).toBe(true);
      else expect(Object.keys(volumes), volume).toContain(from);
    }
  }
  // A gateway is killed only after the time in which it drains.
  for (const name of ['gateway-1', 'gateway-2']) {
    expect(parseInt(services[name]!.stop_grace_period!)).toBeGreaterThan(25);
    expect(deployed('haproxy.cfg')).toContain(`server ${name} ${name}:7808 `);
    expect(deployed('haproxy.cfg')).toContain(`server ${name} ${name}:8080 `);
  }
}); // prettier-ignore

it('Redis as the compose file starts it gives what a confirmation promises', async () => {
  const [program, ...args] = compose().services['redis']!.command!;
  expect(program).toBe('redis-server');
  const pairs = args.flatMap((arg, i) => (i % 2 === 0 ? [[arg.replace(/^--/, ''), args[i + 1]!]] : []));
  const server = await RedisServer.start(Object.fromEntries(pairs) as Record<string, string>);
  try {
    const store = await openStore(server.url);
    expect(await store.durability()).toMatchObject({ level: 'crash', warnings: [] });
    await store.close();
  } finally {
    await server.stop();
  }
});

it.each(['Containerfile', 'linecrew.service'])('%s sets only what there is', (name) => {
  const env = Object.fromEntries(
    [...deployed(name).matchAll(/(LINECREW_\w+)=(\S+)/g)].map(([, key, value]) => [key!, value!]),
  );
  expect(Object.keys(env)).toContain('LINECREW_STORE');
  expect(loadConfig({ env: { ...env, LINECREW_TRUST_PROXY: 'true' } }).warnings).toEqual([]);
});

it('the container starts the program of the package', () => {
  const [, entry] = /^ENTRYPOINT (\[.*\])$/m.exec(deployed('Containerfile'))!;
  expect(JSON.parse(entry!)).toEqual(['node', bin.linecrew]);
  const [, user] = /^USER (.*)$/m.exec(deployed('Containerfile'))!;
  expect(user).toBe('node');
});

it('what the program imports is there without the development packages', () => {
  const sources = ['protocol', 'dispatch', 'gateway', 'simulator'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const server = sources.filter((file) => file.endsWith('.ts') && !file.startsWith(join('dispatch', 'console')));
  expect(server.length).toBeGreaterThan(100);
  const imported = new Set<string>();
  for (const file of server) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, name] of text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([\w@][\w@./:-]*)'/gms)) {
      if (name) imported.add(name.startsWith('@') ? name.split('/', 2).join('/') : name.split('/', 1)[0]!);
    }
  }
  const foreign = [...imported].filter((name) => !name.startsWith('node:') && !builtinModules.includes(name));
  expect(foreign).toContain('fastify');
  expect(foreign.filter((name) => !(name in dependencies))).toEqual([]);
}); // prettier-ignore

it('the unit is one that systemd takes', (ctx) => {
  const analyze = findProgram('systemd-analyze');
  if (!analyze) {
    process.stderr.write('skipped: there is no systemd-analyze\n');
    return ctx.skip('there is no systemd-analyze');
  }
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-unit-'));
  try {
    const unit = join(directory, 'linecrew.service');
    writeFileSync(unit, deployed('linecrew.service').replace('/usr/bin/linecrew', process.execPath));
    const { status, stderr } = spawnSync(analyze, ['verify', '--man=no', unit], { encoding: 'utf8' });
    // A key that it does not know is no failure: it says so and goes on without.
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}); // prettier-ignore
