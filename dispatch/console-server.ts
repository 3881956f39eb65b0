/**
 * Serves the built console: its pages, its hashed files (for ever cacheable), the worker of the crew's page, what the
 * page must know before anybody signed in, and the operator's own map file.
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './api/http/problem.js';
import type { ApiPlugin } from './api/server.js';

export interface ConsoleOptions {
  /** Folder with the built console (`dist/console`). */
  directory: string;
  timeZone?: string;
  /** Language of a browser that has none of its own set. */
  language?: 'zh-CN' | 'en';
  /** Base map (LINECREW_MAP_URL): raster template, MapLibre style URL, or `pmtiles:FILE`. */
  map?: ConsoleMap;
  log?: { error(fields: Record<string, unknown>, message: string): void };
}
interface ConsoleMap {
  url?: string | undefined;
  crs?: 'wgs84' | 'gcj02' | undefined;
  attribution?: string | undefined;
}

/** Paths that the browser resolves itself; all are the same page. */
export const CONSOLE_PAGES = [
  '/',
  '/board',
  '/alerts',
  '/vehicle/:id',
  '/order/:id',
  '/replay',
  '/reports',
  '/crew',
  '/calls',
  '/admin',
  '/wall',
  '/sign-in',
] as const;

/** Letters, digits and single dots: neither `..` nor a separator of any system but `/`. */
const ASSET = /^[\w-]+(?:[./][\w-]+)*$/;
const MAP_FILE = '/map/base.pmtiles';
const FOR_EVER = 'public, max-age=31536000, immutable';
/** The page names the hashed files, so it is asked for again each time; `no-cache` still allows a 304. */
const ASK_AGAIN = 'no-cache';

const pmtilesOf = (url: string | undefined): string | undefined =>
  url?.startsWith('pmtiles:') ? resolve(url.slice('pmtiles:'.length)) : undefined;

/** What is wrong with a PMTiles file, in words: it begins with seven letters and the version (specification, 3.1). */
function fileProblem(file: string): string | undefined {
  const head = Buffer.alloc(8);
  try {
    const handle = openSync(file, 'r');
    readSync(handle, head, 0, head.length, 0);
    closeSync(handle);
  } catch (error) {
    return (error as Error).message;
  }
  if (head.toString('latin1', 0, 7) !== 'PMTiles') return 'it is no PMTiles file';
  return head[7] === 3 ? undefined : `it is PMTiles version ${head[7]}; version 3 is read`;
}

/** The map that is set, or none where its file cannot be used: the console then shows its plain map. */
function usableMap({ map, log }: ConsoleOptions): ConsoleMap | undefined {
  const file = pmtilesOf(map?.url);
  const problem = file === undefined ? undefined : fileProblem(file);
  if (problem === undefined) return map;
  log?.error({ file, problem }, 'the base map (mapUrl) cannot be used; the console shows its plain map');
  return undefined;
}

/** What `GET /console.json` tells every visitor. */
function publicConfig({
  timeZone,
  language,
  map,
}: Omit<ConsoleOptions, 'map'> & { map: ConsoleMap | undefined }): Record<string, unknown> {
  if (!map?.url) return { timeZone, language };
  const pmtiles = pmtilesOf(map.url);
  const kind = pmtiles ? 'pmtiles' : /\{[xyz]\}/.test(map.url) ? 'raster' : 'style';
  const url = pmtiles ? MAP_FILE : map.url;
  return { timeZone, language, map: { url, kind, crs: map.crs ?? 'wgs84', attribution: map.attribution } };
}

/** Mounts the console on the API's server, which sets the content policy on every answer. */
export function consolePlugin(given: ConsoleOptions): ApiPlugin {
  return async (app, { fallback }) => {
    const options = { ...given, map: usableMap(given) };
    await app.register(fastifyStatic, { root: resolve(options.directory), serve: false, preCompressed: true });
    const built = existsSync(resolve(options.directory, 'index.html'));
    const page = (reply: FastifyReply): FastifyReply =>
      built ? sendFile(reply, 'index.html', ASK_AGAIN) : notBuilt(reply, options.directory);
    for (const path of CONSOLE_PAGES) app.get(path, (_request, reply) => page(reply));
    // An address typed by hand: a browser gets the page, which says that there is nothing; a program gets a problem.
    fallback(async (request, reply) => {
      if (!built || !wantsPage(request)) return unknownAddress(request);
      const html = await readFile(resolve(options.directory, 'index.html'));
      return reply.code(404).header('cache-control', ASK_AGAIN).type('text/html; charset=utf-8').send(html);
    });
    app.get<{ Params: { '*': string } }>('/assets/*', (request, reply) => {
      const name = request.params['*'];
      // Anything else is no name that the build gives, and climbing out is no failure of ours.
      if (!ASSET.test(name)) throw new Problem('noSuchRoute', 'there is no such file of the console');
      return sendFile(reply, `assets/${name}`, FOR_EVER);
    });
    for (const file of ['icon.svg', 'manifest.webmanifest', 'crew-worker.js']) {
      app.get(`/${file}`, (_request, reply) => sendFile(reply, file, ASK_AGAIN));
    }
    app.get('/console.json', (_request, reply) =>
      reply.header('cache-control', 'no-store').send(publicConfig(options)),
    );
    serveMapFile(app, options.map);
  };
}

/** Browsers name HTML when they open an address; scripts, images and programs do not. */
const wantsPage = ({ headers }: FastifyRequest): boolean => /\btext\/html\b/.test(headers.accept ?? '');

function unknownAddress({ method, url }: FastifyRequest): never {
  const path = url.split('?', 1)[0]!.slice(0, 200);
  throw new Problem('noSuchRoute', `there is no ${method} ${path}; /api/docs lists what there is`);
}

function sendFile(reply: FastifyReply, file: string, cache: string): FastifyReply {
  return reply.header('cache-control', cache).sendFile(file, { cacheControl: false, preCompressed: true } as object);
}

function notBuilt(reply: FastifyReply, directory: string): FastifyReply {
  const words = `The console is not built: there is no index.html in ${directory}. Run "npm run build".\n`;
  return reply.code(503).type('text/plain; charset=utf-8').send(words);
}

/** PMTiles are read in ranges; the file is the operator's and may be replaced while we run. */
function serveMapFile(app: FastifyInstance, map: ConsoleMap | undefined): void {
  const file = pmtilesOf(map?.url);
  if (!file) return;
  app.get(MAP_FILE, (_request, reply) =>
    reply
      .type('application/octet-stream')
      .header('cache-control', ASK_AGAIN)
      .sendFile(basename(file), dirname(file), { cacheControl: false } as object),
  );
}
