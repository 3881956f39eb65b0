import { invalid } from './errors.js';

export interface HostPort {
  host: string;
  port: number;
}

/** Where a store is, as its URL says. */
export type StoreUrl =
  | { kind: 'lmdb'; directory: string }
  | { kind: 'standalone'; url: string }
  | ({ servers: HostPort[] } & RedisLogin & ({ kind: 'cluster' } | { kind: 'sentinel'; name: string }));

export interface RedisLogin {
  username?: string;
  password?: string;
}

const FORMS =
  'expected lmdb:DIRECTORY, redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… (TLS), ' +
  'redis-cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT or redis-sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT/NAME';

/** Reads a store URL. Throws `StoreError` `invalid` that says which forms there are; a password is never shown. */
export function parseStoreUrl(url: string): StoreUrl {
  const colon = url.indexOf(':');
  const scheme = url.slice(0, Math.max(0, colon));
  const rest = url.slice(colon + 1);
  switch (scheme) {
    case 'lmdb': {
      const directory = rest.startsWith('//') ? rest.slice(2) : rest;
      if (directory === '') throw wrong(url, 'no directory is named');
      return { kind: 'lmdb', directory };
    }
    case 'redis':
    case 'rediss':
      if (!URL.canParse(url) || new URL(url).hostname === '') throw wrong(url, 'no host is named');
      if (!/^(\/\d*)?$/.test(new URL(url).pathname)) throw wrong(url, 'the database must be a number');
      return { kind: 'standalone', url };
    case 'redis-cluster': {
      const { servers, login, path } = parseServers(url, rest, 6379);
      if (path !== '') throw wrong(url, 'a cluster has one database: nothing may follow the servers');
      return { kind: 'cluster', servers, ...login };
    }
    case 'redis-sentinel': {
      const { servers, login, path } = parseServers(url, rest, 26379);
      if (path === '') throw wrong(url, "the name of the master is missing behind the servers, as in '/mymaster'");
      return { kind: 'sentinel', servers, name: path, ...login };
    }
    default:
      throw wrong(url, `'${scheme}' is no kind of store`);
  }
}

function parseServers(url: string, rest: string, defaultPort: number) {
  if (!rest.startsWith('//')) throw wrong(url, "'//' must follow the scheme");
  const authority = rest.slice(2);
  const at = authority.lastIndexOf('@');
  const login: RedisLogin = {};
  if (at >= 0) {
    const [username = '', ...password] = authority.slice(0, at).split(':');
    if (username) login.username = decodeURIComponent(username);
    if (password.length > 0) login.password = decodeURIComponent(password.join(':'));
  }
  const hosts = authority.slice(at + 1);
  const slash = hosts.indexOf('/');
  const list = (slash < 0 ? hosts : hosts.slice(0, slash)).split(',');
  const servers = list.map((server) => parseServer(url, server, defaultPort));
  return { servers, login, path: slash < 0 ? '' : decodeURIComponent(hosts.slice(slash + 1)) };
}

function parseServer(url: string, server: string, defaultPort: number): HostPort {
  const match = /^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/.exec(server);
  const port = Number(match?.[2] ?? defaultPort);
  if (!match || port < 1 || port > 65_535) throw wrong(url, `'${server}' is no HOST:PORT`);
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port };
}

function wrong(url: string, why: string) {
  return invalid(`store URL ${JSON.stringify(withoutPassword(url))}: ${why}; ${FORMS}`);
}

/** The URL as it may be shown in logs. */
export function withoutPassword(url: string): string {
  // Up to the last @: a slash in a password is a mistake, and no reason to show it.
  return url.replace(/\/\/.*@/, '//…@');
}
