/** Keeps the crew's page itself on the phone, so that it opens without a network. Data it leaves to the page. */
export type {};
declare const self: {
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: Location;
};
interface WorkerEvent extends Event {
  request: Request;
  respondWith(response: Promise<Response>): void;
  waitUntil(work: Promise<unknown>): void;
}

const CACHE = 'linecrew-page-1';
const PAGE = '/crew';
const SMALL = ['/icon.svg', '/manifest.webmanifest', '/console.json'];

self.addEventListener('install', (event) => {
  const work = async (): Promise<void> => {
    const cache = await caches.open(CACHE);
    const page = await fetch(PAGE);
    await cache.put(PAGE, page.clone());
    const files = [...(await page.text()).matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]!);
    await cache.addAll([...SMALL, ...files]);
    await self.skipWaiting();
  };
  event.waitUntil(work());
});
self.addEventListener('activate', (event) => {
  const work = async (): Promise<void> => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(work());
});

/** Hashed files never change: the kept copy first. */
async function hashed(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok) await (await caches.open(CACHE)).put(request, fresh.clone());
  return fresh;
}

/** The page and small files: fresh where there is a network, the kept copy otherwise. */
async function freshFirst(request: Request, key: string): Promise<Response> {
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await (await caches.open(CACHE)).put(key, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await caches.match(key);
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith('/assets/')) event.respondWith(hashed(request));
  else if (SMALL.includes(url.pathname)) event.respondWith(freshFirst(request, url.pathname));
  else if (request.mode === 'navigate' && url.pathname === PAGE) event.respondWith(freshFirst(request, PAGE));
});
