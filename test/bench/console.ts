/**
 * What an update of the whole fleet costs the browser: 1,000, 5,000 and 20,000 vehicles that all move once a second,
 * drawn by the built console in chromium with software rendering. Prints the time from the moment the server sends an
 * update until its picture is on the screen, the longest task of the main thread (what it lasted, and the most
 * processor time that any task took), and frames a second. Run: npx tsx test/bench/console.ts
 */
import { performance } from 'node:perf_hooks';
import { createServer, type ServerResponse } from 'node:http';
import { createReadStream, existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CDPSession } from 'playwright-core';
import { ensureConsoleBuilt, openBrowser } from '../e2e/console-browser.js';

const SIZES = [1_000, 5_000, 20_000];
const SECONDS = 12;
const CENTRE = { lat: 36.62, lon: 101.35 };
const SPREAD = 0.4;
const built = process.env['LINECREW_CONSOLE'] ?? fileURLToPath(new URL('../../dist/console', import.meta.url));
const TYPES: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.html': 'text/html',
  '.svg': 'image/svg+xml',
};

interface Seen {
  longest: number;
  over50: number;
  frames: number;
  /** ms from sent to seen. */
  drawn: number[];
  mode: string;
}

interface Mover {
  id: string;
  lat: number;
  lon: number;
  headingDeg: number;
}

const iso = (): string => new Date().toISOString();
const positionOf = ({ lat, lon, headingDeg }: Mover): object => {
  const at = iso();
  return { lat, lon, headingDeg, speedKmh: 40, altitudeM: 0, alarm: 0, status: 3, deviceAt: at, receivedAt: at };
};
/** As the gateway's stream sends it (`form=rows`). */
const rowOf = ({ id, lat, lon, headingDeg }: Mover, at: number): unknown[] => [id, lat, lon, headingDeg, 40, at, at];
/** The gateway sends so many in one message. */
const ROWS_PER_MESSAGE = 1_000;
const DUTIES = ['standby', 'tasked', 'enRoute', 'onSite', 'onBreak'];

function vehicleOf(mover: Mover, index: number): object {
  const duty = DUTIES[index % DUTIES.length];
  return {
    id: mover.id, version: 1, plate: `京A${10_000 + index}`, terminal: { phone: String(13_900_000_000 + index) }, repairCentreId: 'centre-1',
    trade: 'lowVoltage', crew: { name: `crew ${index}`, members: [] }, sharesOffice: true, language: 'en',
    duty: { state: 'standby', shown: duty, since: iso() }, connection: { state: 'up', since: iso() },
    queue: { revision: 0, confirmedRevision: 0, orderIds: [] }, queueLength: index % 4, undelivered: 0, lastPosition: positionOf(mover), createdAt: iso(),
  }; // prettier-ignore
}

/** Spread evenly over the city (a low-discrepancy sequence), so that no two stand in one place. */
export function makeMovers(size: number): Mover[] {
  return Array.from({ length: size }, (_, i): Mover => ({
    id: `v${i}`,
    lat: CENTRE.lat + (((i * 0.7548776662) % 1) - 0.5) * SPREAD,
    lon: CENTRE.lon + (((i * 0.569840291) % 1) - 0.5) * SPREAD,
    headingDeg: (i * 37) % 360,
  }));
}

/** Answers what the console asks for, with a fleet of the given size; positions are sent by `tick`. */
export function standIn(movers: Mover[]) {
  const streams = new Set<ServerResponse>();
  const vehicles = movers.map(vehicleOf);
  const json = (response: ServerResponse, value: unknown): void => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://127.0.0.1');
    const path = url.pathname;
    if (path === '/api/v1/me')
      return json(response, {
        name: 'bench',
        roles: ['dispatcher'],
        via: 'session',
        csrf: 'x',
        now: iso(),
        clockRate: 1,
      });
    if (path === '/api/v1/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      streams.add(response);
      return void response.on('close', () => streams.delete(response));
    }
    if (path === '/api/v1/vehicles') {
      const after = Number(url.searchParams.get('after') ?? 0);
      const next = after + 500 < vehicles.length ? String(after + 500) : undefined;
      return json(response, { items: vehicles.slice(after, after + 500), next });
    }
    if (path.startsWith('/api/v1/')) return json(response, { items: [] });
    if (path === '/console.json') return json(response, { timeZone: 'Asia/Shanghai', language: 'en' });
    const file = join(built, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
  });
  const tick = (): void => {
    for (const mover of movers) {
      mover.lat += Math.cos((mover.headingDeg * Math.PI) / 180) * 0.0001;
      mover.lon += Math.sin((mover.headingDeg * Math.PI) / 180) * 0.0001;
    }
    const at = Date.now();
    for (let from = 0; from < movers.length; from += ROWS_PER_MESSAGE) {
      const rows = movers.slice(from, from + ROWS_PER_MESSAGE).map((mover) => rowOf(mover, at));
      for (const stream of streams) stream.write(`event: positions\ndata: ${JSON.stringify({ rows })}\n\n`);
    }
  };
  return { server, tick };
}

/** Runs in the page: long tasks, frames, and the time from a position's receipt until it is on the screen. */
const WATCH = `
  window.bench = { longest: 0, over50: 0, frames: 0, drawn: [], newestAt: 0, mode: '' };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      bench.longest = Math.max(bench.longest, entry.duration);
      if (entry.duration > 50) bench.over50 += 1;
    }
  }).observe({ entryTypes: ['longtask'] });
  const frame = () => { bench.frames += 1; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  window.addEventListener('linecrew:drawn', (event) => {
    bench.mode = event.detail.mode;
    if (event.detail.newestAt > bench.newestAt) bench.drawn.push(Date.now() - event.detail.newestAt);
    bench.newestAt = event.detail.newestAt;
  });
`;

/**
 * Processor time of the longest task of the page's thread, ms, from a trace: on a machine that others use too, a task
 * that waits for a processor lasts long without working long.
 */
async function traceTasks(devTools: CDPSession): Promise<() => Promise<number>> {
  interface TraceEvent {
    name: string;
    ph: string;
    pid: number;
    tid: number;
    tdur?: number;
    args: { name?: string };
  }
  const events: TraceEvent[] = [];
  devTools.on('Tracing.dataCollected', ({ value }) => void events.push(...(value as unknown as TraceEvent[])));
  await devTools.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel'], excludedCategories: ['*'], recordMode: 'recordUntilFull' },
  });
  return async () => {
    const complete = new Promise((resolve) => devTools.once('Tracing.tracingComplete', resolve));
    await devTools.send('Tracing.end');
    await complete;
    const threads = new Map<string, number[]>();
    const keyOf = ({ pid, tid }: TraceEvent): string => `${pid}/${tid}`;
    for (const event of events)
      if (event.name === 'thread_name' && event.args.name === 'CrRendererMain') threads.set(keyOf(event), []);
    for (const event of events)
      if (event.ph === 'X' && event.name.endsWith('RunTask'))
        threads.get(keyOf(event))?.push((event.tdur ?? 0) / 1_000);
    // A spare renderer does nothing: the page's is the one that worked.
    return Math.max(0, ...[...threads.values()].flat());
  };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measure(size: number): Promise<string> {
  const movers = makeMovers(size);
  const { server, tick } = standIn(movers);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const browser = await openBrowser({ language: 'en' });
  let timer: NodeJS.Timeout | undefined;
  try {
    const page = browser.context.pages()[0]!;
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.locator('.map-buttons').waitFor({ timeout: 60_000 });
    timer = setInterval(tick, 1_000);
    await page.waitForTimeout(4_000);
    await page.evaluate(WATCH);
    // Processor time of the page's thread: what it would take on a machine that does nothing else.
    const devTools = await browser.context.newCDPSession(page);
    await devTools.send('Performance.enable', { timeDomain: 'threadTicks' });
    const threadS = async (): Promise<number> => {
      const { metrics } = await devTools.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'TaskDuration')!.value;
    };
    const before = await threadS();
    const tasks = await traceTasks(devTools);
    const from = performance.now();
    await page.waitForTimeout(SECONDS * 1_000);
    const seconds = (performance.now() - from) / 1_000;
    const perUpdateMs = ((await threadS()) - before) * (1_000 / SECONDS);
    const seen = await page.evaluate<Seen>('bench');
    const longestCpuMs = await tasks();
    return [
      String(size).padStart(8), String(seen.drawn.length).padStart(8), `${median(seen.drawn).toFixed(0)} ms`.padStart(10),
      `${Math.max(0, ...seen.drawn).toFixed(0)} ms`.padStart(10), `${seen.longest.toFixed(0)} ms`.padStart(13), String(seen.over50).padStart(9),
      (seen.frames / seconds).toFixed(0).padStart(9), `${longestCpuMs.toFixed(0)} ms`.padStart(10), `${perUpdateMs.toFixed(0)} ms`.padStart(12), seen.mode.padStart(10),
    ].join(''); // prettier-ignore
  } finally {
    clearInterval(timer);
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensureConsoleBuilt();
  process.stdout.write(
    'vehicles updates  to drawn   slowest  longest task  over 50  frames/s   its CPU  CPU/update  drawn as\n',
  );
  for (const size of SIZES) process.stdout.write(`${await measure(size)}\n`);
}
