import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../../dispatch/store/open.js';
import { parseStoreUrl, withoutPassword } from '../../../dispatch/store/store-url.js';

describe('store URLs', () => {
  test.each([
    ['lmdb:./data', { kind: 'lmdb', directory: './data' }],
    ['lmdb:///var/lib/linecrew', { kind: 'lmdb', directory: '/var/lib/linecrew' }],
    ['redis://localhost', { kind: 'standalone', url: 'redis://localhost' }],
    ['rediss://user:secret@db.example:6380/2', { kind: 'standalone', url: 'rediss://user:secret@db.example:6380/2' }],
    [
      'redis-cluster://a:7000,b,[::1]:7002',
      {
        kind: 'cluster',
        servers: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 6379 },
          { host: '::1', port: 7002 },
        ],
      },
    ],
    [
      'redis-sentinel://us%65r:p%40ss:word@s1,s2:26380/main',
      {
        kind: 'sentinel',
        name: 'main',
        username: 'user',
        password: 'p@ss:word',
        servers: [
          { host: 's1', port: 26379 },
          { host: 's2', port: 26380 },
        ],
      },
    ],
  ])('%s', (url, expected) => {
    expect(parseStoreUrl(url)).toEqual(expected);
  });

  test.each([
    ['', /'' is no kind of store/],
    ['/var/lib/linecrew', /'' is no kind of store/],
    ['mysql://localhost/x', /'mysql' is no kind of store/],
    ['lmdb:', /no directory/],
    ['redis://', /no host/],
    ['redis://host/first', /database must be a number/],
    ['redis-cluster://a:7000,', /'' is no HOST:PORT/],
    ['redis-cluster://a:70000', /'a:70000' is no HOST:PORT/],
    ['redis-cluster://a:7000/1', /one database/],
    ['redis-sentinel://a:26379', /name of the master is missing/],
    ['redis-sentinel:a/main', /'\/\/' must follow/],
  ])('%j is refused with what was expected', async (url, why) => {
    const opening = openStore(url);
    await expect(opening).rejects.toMatchObject({ name: 'StoreError', code: 'invalid' });
    await expect(opening).rejects.toThrow(why);
    await expect(opening).rejects.toThrow(/expected lmdb:DIRECTORY/);
  });

  test('a password is never shown', () => {
    expect(() => parseStoreUrl('redis-cluster://u:secret@a:x')).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(() => parseStoreUrl('redis-cluster://u:secret@a:x')).not.toThrow(/secret/);
    expect(withoutPassword('rediss://u:secret@host/1')).toBe('rediss://…@host/1');
  });

  test('lmdb: opens a directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'linecrew-open-'));
    const store = await openStore(`lmdb:${join(directory, 'store')}`);
    expect(store.kind).toBe('lmdb');
    await store.close();
    await rm(directory, { recursive: true });
  });
});
