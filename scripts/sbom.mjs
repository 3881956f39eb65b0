// What is in the box: a CycloneDX 1.6 list of every package that the lock file names. `npm run sbom -- [FILE] [--all]`;
// without --all only what a running Linecrew needs. Made from the lock file alone: the same lock file, the same list.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `@scope/name` and version as a package URL (purl-spec, type npm). */
const purlOf = (name, version) => `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;

/** Name of the package at a path of the lock file; nested ones lie below another `node_modules`. */
const nameOf = (path, entry) => entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Where `name` is found from `path`, as Node resolves it; undefined for an optional one that is not there. */
function resolveFrom(packages, path, name) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const candidate = `${base === '' ? '' : `${base}/`}node_modules/${name}`;
    if (packages[candidate]) return candidate;
    if (base === '') return undefined;
    if (!base.includes('/node_modules/')) base = '';
  }
}

function component(path, entry) {
  const name = nameOf(path, entry);
  const purl = purlOf(name, entry.version);
  const [algorithm, digest] = (entry.integrity ?? '').split(' ')[0].split('-', 2);
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version: entry.version,
    scope: entry.optional ? 'optional' : entry.dev ? 'excluded' : 'required',
    ...(digest
      ? { hashes: [{ alg: algorithm.replace(/^sha/, 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') }] }
      : {}),
    ...(typeof entry.license === 'string' ? { licenses: [{ expression: entry.license }] } : {}),
    purl,
  };
}

export function sbomOf(lock, { all = false } = {}) {
  const { packages, name, version } = lock;
  const wanted = Object.entries(packages).filter(([path, entry]) => path !== '' && !entry.link && (all || !entry.dev));
  const refs = new Map(wanted.map(([path, entry]) => [path, purlOf(nameOf(path, entry), entry.version)]));
  const own = purlOf(name, version);
  const dependsOn = (path, entry) =>
    Object.keys({
      ...entry.dependencies,
      ...entry.optionalDependencies,
      ...(all && path === '' ? entry.devDependencies : {}),
    })
      .map((one) => refs.get(resolveFrom(packages, path, one)))
      .filter((ref) => ref !== undefined);
  const edges = new Map([[own, dependsOn('', packages[''])]]);
  for (const [path, entry] of wanted) {
    const ref = refs.get(path);
    edges.set(ref, [...(edges.get(ref) ?? []), ...dependsOn(path, entry)]);
  }
  const byRef = new Map(wanted.map(([path, entry]) => [refs.get(path), component(path, entry)]));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': own,
        name,
        version,
        licenses: [{ license: { id: packages[''].license } }],
        purl: own,
      },
    },
    components: [...byRef.values()].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
    dependencies: [...edges].map(([ref, on]) => ({ ref, dependsOn: [...new Set(on)].sort() })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
  const args = process.argv.slice(2);
  const file = args.find((arg) => !arg.startsWith('--'));
  const text = JSON.stringify(sbomOf(lock, { all: args.includes('--all') }), null, 2) + '\n';
  if (file) writeFileSync(file, text);
  else process.stdout.write(text);
}
