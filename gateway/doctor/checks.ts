/** What `linecrew doctor` looks at. Each check gives findings; none changes anything. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DispatchStore } from '../../dispatch/store/store.js';
import type { Config } from '../config/settings.js';

export interface Finding {
  level: 'ok' | 'warning' | 'failure';
  about: 'settings' | 'space' | 'access' | 'certificate' | 'clock' | 'store' | 'ingest';
  words: string;
}

const ok = (about: Finding['about'], words: string): Finding => ({ level: 'ok', about, words });
const warning = (about: Finding['about'], words: string): Finding => ({ level: 'warning', about, words });
const failure = (about: Finding['about'], words: string): Finding => ({ level: 'failure', about, words });

const GIB = 1024 ** 3;
/** Below this a burst of a day may not fit; below the second, the next hour may not. */
const LOW_BYTES = 5 * GIB;
const TOO_LOW_BYTES = 0.5 * GIB;
const DAY_MS = 86_400_000;
const CERTIFICATE_DAYS = 30;
/** Events looked at from the end of the log. */
const EVENTS_CHECKED = 20_000;
const PAGE = 1_000;
/** The machine's clock is wrong when it is before the newest event by more than this. */
const BACK_MS = 5_000;

export function checkSpace(config: Config): Finding[] {
  if (!config.store.startsWith('lmdb:')) return [];
  const directory = resolve(config.store.slice('lmdb:'.length));
  if (!existsSync(directory)) return [];
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  const words = `${(free / GIB).toFixed(1)} GiB free for the store at ${directory}`;
  return [
    free < TOO_LOW_BYTES ? failure('space', words) : free < LOW_BYTES ? warning('space', words) : ok('space', words),
  ];
}

/** Whether others on this machine can read the store: it holds customers' data and sign-in secrets. */
export function checkAccess(config: Config): Finding[] {
  if (!config.store.startsWith('lmdb:')) return [];
  const directory = resolve(config.store.slice('lmdb:'.length));
  if (!existsSync(directory)) return [];
  const entered = (path: string): number => statSync(path).mode & 0o011;
  const readable = readdirSync(directory, { withFileTypes: true, recursive: true }).filter((entry) => {
    if (!entry.isFile()) return false;
    const read = (statSync(join(entry.parentPath, entry.name)).mode & 0o044) >> 2;
    return (read & entered(directory) & entered(entry.parentPath)) !== 0;
  });
  const names = readable.map((entry) => entry.name).join(', ');
  if (readable.length === 0) return [ok('access', 'nobody else on this machine can read the store')];
  return [warning('access', `others on this machine can read ${names} in ${directory}: chmod -R go= ${directory}`)];
}

export function checkCertificates(config: Config, now: number): Finding[] {
  return ([config.httpTlsCert, config.tlsCert, config.tlsCa] as const)
    .filter((path) => path !== undefined)
    .map((path) => {
      try {
        const { validTo, validFrom, subject } = new X509Certificate(readFileSync(path));
        const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
        const words = `${path} (${subject.replaceAll('\n', ', ')}) is valid until ${new Date(validTo).toISOString()}`;
        if (days < 0) return failure('certificate', `${words}: it has expired`);
        if (Date.parse(validFrom) > now)
          return failure('certificate', `${path} is valid only from ${new Date(validFrom).toISOString()}`);
        return days < CERTIFICATE_DAYS
          ? warning('certificate', `${words}: ${days} days left`)
          : ok('certificate', words);
      } catch (error) {
        return failure('certificate', `${path}: ${(error as Error).message}`);
      }
    });
}

/** Commits, durability, an event log without holes, readers that keep up, a clock that goes forward. */
export async function checkStore(store: DispatchStore, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    await store.check();
    const { level, words, warnings } = await store.durability();
    findings.push(
      ok('store', `commits work; a confirmation ${words} (${level})`),
      ...warnings.map((one) => warning('store', one)),
    );
  } catch (error) {
    return [failure('store', `the store does not commit: ${(error as Error).message}`)];
  }
  findings.push(...(await checkEvents(store, now)));
  for (const node of await store.ingestNodes()) {
    const { appended, applied } = await store.ingestState(node);
    const words = `node ${node}: ${appended} groups logged, ${appended - applied} not applied yet`;
    findings.push(appended - applied > PAGE ? warning('ingest', words) : ok('ingest', words));
  }
  return findings;
}

async function checkEvents(store: DispatchStore, now: number): Promise<Finding[]> {
  const last = await store.lastPosition();
  const from = Math.max(0, last - EVENTS_CHECKED);
  let position = from;
  let newest = 0;
  while (position < last) {
    const events = await store.eventsAfter(position, PAGE);
    for (const event of events) {
      if (event.position !== position + 1)
        return [failure('store', `the event log has a hole: ${event.position} follows ${position}`)];
      position = event.position;
      newest = event.committedAt;
    }
    if (events.length === 0)
      return [failure('store', `the event log says that it ends at ${last}, but nothing follows ${position}`)];
  }
  const clock =
    newest > now + BACK_MS
      ? failure(
          'clock',
          `the newest event is from ${new Date(newest).toISOString()}, later than now (${new Date(now).toISOString()})`,
        )
      : ok('clock', `the newest event is from ${newest === 0 ? 'never' : new Date(newest).toISOString()}`);
  return [ok('store', `${last} events; the last ${last - from} are complete and in order`), clock];
}
