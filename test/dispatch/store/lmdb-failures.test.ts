import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLmdb } from '../../../dispatch/store/lmdb.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'linecrew-lmdb-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const put = (id: string, expect_ = 0) => ({ puts: [{ kind: 'k', id, expect: expect_, value: id, indexes: [] }] });

describe('one process per directory', () => {
  test('a second opening is refused and names the holder', async () => {
    const store = await openLmdb(directory);
    await expect(openLmdb(directory)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await store.commit(put('a'));
    await store.close();
    await (await openLmdb(directory)).close();
  });

  test.each([
    ['of a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, started: 'x' })],
    ['of an earlier process with the number of a running one', JSON.stringify({ pid: process.pid, started: 'before' })],
    ['that a crash cut short', '{"pid":'],
  ])('a lock %s is taken over', async (_, lock) => {
    await writeFile(join(directory, 'linecrew.lock'), lock);
    const store = await openLmdb(directory);
    expect(JSON.parse(await readFile(join(directory, 'linecrew.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await store.close();
  });

  test('a process that slipped past the lock is fenced: the later one goes on, the earlier one refuses to write', async () => {
    const earlier = await openLmdb(directory);
    await earlier.commit(put('a'));
    await rm(join(directory, 'linecrew.lock'));
    const later = await openLmdb(directory);
    await later.commit(put('b'));
    await expect(earlier.commit(put('c'))).rejects.toMatchObject({ code: 'locked' });
    await expect(earlier.check()).rejects.toMatchObject({ code: 'locked' });
    expect(await later.get('k', 'c')).toBeUndefined();
    await later.close();
    await earlier.close();
  });
});

describe('format and place', () => {
  test('data of a newer version is refused and left as it is', async () => {
    await (await openLmdb(directory)).close();
    const root = open({ path: join(directory, 'data.mdb'), encoding: 'binary', keyEncoding: 'binary' });
    await root
      .openDB({ name: 'meta', encoding: 'binary', keyEncoding: 'binary' })
      .put(Buffer.from('store.format'), Buffer.from('99'));
    await root.close();
    const opening = openLmdb(directory);
    await expect(opening).rejects.toMatchObject({ code: 'format', message: expect.stringContaining('format 99') });
    await expect(openLmdb(directory)).rejects.toMatchObject({ code: 'format' });
  });

  test('a place that is no directory is a clear error', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(openLmdb(file)).rejects.toMatchObject({ code: 'io', message: expect.stringContaining(file) });
  });
});

test('a backup taken while commits go on opens as a store of its own', async () => {
  const store = await openLmdb(directory);
  await store.commit(put('before'));
  const copy = join(directory, 'backup', 'today');
  const going = Promise.all(Array.from({ length: 50 }, (_, i) => store.commit(put(`during-${i}`))));
  await store.backup(copy);
  await going;
  await expect(store.backup(copy)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('empty'),
  });
  await store.close();
  const restored = await openLmdb(copy);
  expect(await restored.get('k', 'before')).toMatchObject({ value: 'before' });
  await restored.commit(put('after'));
  await restored.close();
});

/**
 * A limit on the size of files (`prlimit --fsize`) makes LMDB's own writes fail in a child process, as a full disk or a
 * used-up quota does, and lifting it is the cause gone. It needs no special rights.
 */
describe('a disk that takes no more', () => {
  let child: ChildProcess;

  beforeEach(() => {
    const script = fileURLToPath(new URL('./writing-child.ts', import.meta.url));
    child = spawn(process.execPath, ['--import', 'tsx', script, directory], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  });
  afterEach(async () => {
    const exited = child.exitCode !== null || child.signalCode !== null || once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });

  const answer = async () => ((await once(child, 'message')) as [Record<string, unknown>])[0];
  const ask = (what: string) => {
    const answered = answer();
    child.send(what);
    return answered;
  };
  const limitFiles = (bytes: string) => promisify(execFile)('prlimit', ['--pid', `${child.pid}`, `--fsize=${bytes}:`]);

  test('commits are refused while it lasts, check tells, and all goes on by itself afterwards', async () => {
    expect(await answer()).toEqual({ ready: true });
    expect(await ask('fill')).toMatchObject({ confirmed: 20, refused: [] });
    expect(await ask('check')).toEqual({ well: true });

    await limitFiles('1');
    const refused = await ask('fill');
    expect(refused).toMatchObject({ confirmed: 0 });
    expect(new Set(refused.refused as string[])).toEqual(new Set(['StoreError full']));
    expect(await ask('check')).toMatchObject({ well: false, reason: expect.stringMatching(/could not write/) });
    expect(await ask('read')).toEqual({ documents: 20, appended: 20, lastPosition: 20 });

    await limitFiles('unlimited');
    expect(await ask('check')).toEqual({ well: true });
    expect(await ask('fill')).toMatchObject({ confirmed: 20, refused: [] });
    expect(await ask('read')).toEqual({ documents: 40, appended: 40, lastPosition: 40 });

    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openLmdb(directory);
    expect((await store.scan({ index: 'i', limit: 1_000 })).items).toHaveLength(40);
    expect(await store.ingestState('n')).toEqual({ appended: 40, applied: 0 });
    expect((await store.readIngest('n', 0, 1_000)).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    await store.close();
  });
});
