import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Lock {
  packages: Record<
    string,
    { version: string; dev?: boolean; integrity?: string; dependencies?: Record<string, string> }
  >;
}
interface Sbom {
  bomFormat: string;
  specVersion: string;
  components: { 'bom-ref': string; name: string; version: string; hashes?: { alg: string; content: string }[] }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

const root = new URL('../../', import.meta.url);
const run = async (...args: string[]): Promise<Sbom> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fileURLToPath(new URL('scripts/sbom.mjs', root)), ...args],
    { maxBuffer: 32 << 20 },
  );
  return JSON.parse(stdout) as Sbom;
};

it('lists what a running Linecrew needs, from the lock file, with digests', async () => {
  const lock = JSON.parse(await readFile(new URL('package-lock.json', root), 'utf8')) as Lock;
  const sbom = await run();
  expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
  const listed = new Set(sbom.components.map(({ name, version }) => `${name}@${version}`));
  const needed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  const names = needed.map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`);
  expect(listed).toEqual(new Set(names));
  const lmdb = sbom.components.find(({ name }) => name === 'lmdb')!;
  const digest = lock.packages['node_modules/lmdb']!.integrity!.replace('sha512-', '');
  expect(lmdb.hashes).toEqual([{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }]);
});

it('says what depends on what: everything is reached from the product', async () => {
  const sbom = await run();
  const edges = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const reached = new Set<string>();
  const visit = (ref: string): void => {
    if (reached.has(ref)) return;
    reached.add(ref);
    for (const next of edges.get(ref) ?? []) visit(next);
  };
  const lock = JSON.parse(await readFile(new URL('package-lock.json', root), 'utf8')) as Lock;
  visit(`pkg:npm/linecrew@${lock.packages['']!.version}`);
  const lost = sbom.components.map((one) => one['bom-ref']).filter((ref) => !reached.has(ref));
  expect(lost).toEqual([]);
});

it('lists the tools of development only when asked', async () => {
  const [some, all] = await Promise.all([run(), run('--all')]);
  expect(some.components.some(({ name }) => name === 'vitest')).toBe(false);
  expect(all.components.some(({ name }) => name === 'vitest')).toBe(true);
});
