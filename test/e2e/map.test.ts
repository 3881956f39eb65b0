/** The map in a real browser: marks that move, every kind of ground, and what is left when a part of it fails. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { ensureConsoleBuilt, openBrowser, signIn, type Browser } from './console-browser.js';
import { groundServer, pmtiles, tile, vectorTile, type GroundServer } from './map-ground.js';
import { beside, colourAt, gcj02, pixelOf, report, showing, TOWN, vehicle, zoomOf, type Place } from './map-support.js';
import { Service } from './support.js';

const PASSWORD = 'a long enough password';
const RED = [200, 30, 40] as const;
/** Water of the light theme (map/palette.ts). */
const WATER = [0xb9, 0xd4, 0xe6] as const;
const CITY = [beside(TOWN, 0.02, -0.02), beside(TOWN, -0.02, 0.02), beside(TOWN, 0.01, 0.015)] as const;

let service: Service;
let browser: Browser;
let page: Page;

/** A gateway with three vehicles in the town, and a browser that is signed in. */
async function open(flags: Record<string, string>, more: { path?: string; script?: string } = {}): Promise<void> {
  service = await new Service({ language: 'en', ...flags }).start();
  await service.do({ type: 'centre.put', centre: { id: 'centre-2', name: 'Centre 2' } });
  await vehicle(service, 'v1', { plate: '京A00001', crew: 'north crew' });
  await vehicle(service, 'v2', { plate: '京A00002', crew: 'south crew', trade: 'cable' });
  await vehicle(service, 'v3', { plate: '京A00003', crew: 'east crew', centre: 'centre-2' });
  await report(service, CITY.map((at, i) => ({ id: `v${i + 1}`, at }))); // prettier-ignore
  browser = await openBrowser({ language: 'en' });
  page = browser.context.pages()[0]!;
  page.setDefaultTimeout(30_000);
  if (more.script) await browser.context.addInitScript(more.script);
  await signIn(page, service.gateway.url, 'admin', PASSWORD);
  if (more.path) await page.goto(`${service.gateway.url}${more.path}`);
}

async function close(): Promise<void> {
  await browser?.close();
  await service?.stop();
}

/** The order is on its way with the vehicle. */
async function underWay(at: Place): Promise<string> {
  const made = await service.do({
    type: 'order.create',
    customer: { name: 'Zhao', phone: '13911112222' },
    site: { ...at, address: '8 Harbour Road' },
    fault: { category: 'outage', voltage: 'low', description: 'dark' },
  });
  const orderId = String(made.orderId);
  await service.do({ type: 'order.issue', orderId, repairCentreId: 'centre-1' });
  await service.do({ type: 'order.assign', orderId, vehicleId: 'v1' });
  await service.do({ type: 'order.depart', orderId });
  return orderId;
}

beforeAll(() => ensureConsoleBuilt());

describe.sequential('the marks of the map', () => {
  beforeAll(() => open({}));
  afterAll(close);

  it('stand where the vehicles are, and move when these report', async () => {
    await showing(page, 3, 'icons');
    const before = await pixelOf(page, CITY[0]);
    const green = await colourAt(page, { x: before.x, y: before.y + 8 });
    const next = beside(CITY[0], -0.01, 0.005);
    await report(service, [{ id: 'v1', at: next, speedKmh: 40, headingDeg: 120 }]);
    const at = await pixelOf(page, next);
    await expect.poll(() => colourAt(page, { x: at.x, y: at.y + 8 }), { timeout: 20_000 }).toEqual(green);
    await expect.poll(() => colourAt(page, { x: before.x, y: before.y + 8 })).not.toEqual(green);
    await page.mouse.click(at.x, at.y);
    await page.waitForURL('**/vehicle/v1');
  });

  it('are followed: the chosen vehicle stays in the middle until the map is dragged', async () => {
    await page.getByRole('button', { name: 'Follow' }).click();
    const far = beside(CITY[0], 0.3, 0.3);
    await report(service, [{ id: 'v1', at: far }]);
    const middle = (await page.locator('.map-canvas').boundingBox())!;
    const offCentre = async (): Promise<number> => {
      const { x, y } = await pixelOf(page, far);
      return Math.hypot(x - middle.x - middle.width / 2, y - middle.y - middle.height / 2);
    };
    await expect.poll(offCentre, { timeout: 20_000 }).toBeLessThan(3);
    await report(service, [{ id: 'v1', at: CITY[0] }]);
    await page.getByRole('button', { name: 'Fit all' }).click();
    await page.getByRole('button', { name: 'Follow', pressed: true }).click();
  });

  it('are filtered by text, trade, state and centre', async () => {
    await page.goto(service.gateway.url);
    await showing(page, 3);
    await page.getByLabel('Filter vehicles').fill('south');
    await showing(page, 1);
    await page.getByLabel('Filter vehicles').fill('');
    await page.getByLabel('All trades').selectOption('cable');
    await showing(page, 1);
    await page.getByLabel('All trades').selectOption('');
    await page.getByLabel('All states').selectOption('onBreak');
    await showing(page, 0);
    await page.getByLabel('All states').selectOption('');
    await page.getByLabel('All centres').selectOption('centre-2');
    await showing(page, 1);
    await page.getByLabel('All centres').selectOption('');
    await showing(page, 3);
  });

  it('are found by plate, crew, order number, phone and address', async () => {
    const orderId = await underWay(beside(TOWN, 0.03, 0.03));
    const { number } = await service.get('order', orderId);
    for (const [words, path] of [
      ['00002', '/vehicle/v2'], ['east crew', '/vehicle/v3'], [number, `/order/${orderId}`],
      ['13911112222', `/order/${orderId}`], ['harbour', `/order/${orderId}`],
    ] as const) {
      await page.keyboard.press('/');
      await page.getByRole('combobox', { name: 'Search' }).fill(words);
      await page.locator('#search-hits [role=option]').first().click();
      await page.waitForURL(`**${path}`);
    }
  }); // prettier-ignore

  it('show the way to the order as the crow flies where there is no routing server', async () => {
    await page.goto(`${service.gateway.url}/vehicle/v1`);
    await page.locator('.map-canvas[data-lines~="guess"]').waitFor();
  });

  it('become clusters far out, circles or icons nearer; a click on a cluster opens it', async () => {
    const many = Array.from({ length: 320 }, (_, i) => ({ id: `m${i}`, at: beside(TOWN, (i % 20) / 500, Math.floor(i / 20) / 500) })); // prettier-ignore
    for (const { id } of many) await vehicle(service, id, { plate: id });
    await report(service, many);
    await page.goto(service.gateway.url);
    await showing(page, 323, 'icons');
    for (let i = 0; i < 6; i++) {
      const before = await zoomOf(page);
      await page.getByRole('button', { name: 'Zoom out' }).click();
      await expect.poll(() => zoomOf(page)).toBeCloseTo(before - 1, 1);
    }
    await showing(page, 323, 'clusters');
    const { x, y } = await pixelOf(page, beside(TOWN, 0.02, 0.016));
    await page.mouse.click(x, y);
    await showing(page, 323, 'icons');
  });

  it('made no script fail and asked no other machine', () => expect(browser.complaints).toEqual([]));
});

describe('the way to the order', () => {
  let osrm: GroundServer;
  beforeAll(async () => {
    const coordinates = [[TOWN.lon, TOWN.lat], [TOWN.lon + 0.01, TOWN.lat], [TOWN.lon + 0.01, TOWN.lat + 0.02]]; // prettier-ignore
    const body = JSON.stringify({ code: 'Ok', routes: [{ duration: 300, geometry: { type: 'LineString', coordinates } }] }); // prettier-ignore
    osrm = await groundServer((path) =>
      path.startsWith('/route/v1/driving/') ? { type: 'application/json', body } : undefined,
    );
    await open({ osrmUrl: osrm.url });
  });
  afterAll(async () => {
    await close();
    await osrm.close();
  });

  it('is the routing server’s, asked for by the gateway', async () => {
    await underWay(beside(TOWN, 0.02, 0.01));
    await page.goto(`${service.gateway.url}/vehicle/v1`);
    await page.locator('.map-canvas[data-lines~="plan"]').waitFor();
    expect(osrm.asked.some((path) => path.startsWith(`/route/v1/driving/${CITY[0].lon},${CITY[0].lat};`))).toBe(true);
    expect(browser.complaints).toEqual([]);
  });
});

describe('the ground', () => {
  let ground: GroundServer | undefined;
  afterEach(async () => {
    await close();
    await ground?.close();
    ground = undefined;
  });
  /** A place where no mark is. */
  const bare = beside(TOWN, 0, -0.01);
  const isRed = async (at: Place = bare): Promise<boolean> => {
    const [red, green, blue] = await colourAt(page, await pixelOf(page, at));
    return red > 150 && green < 90 && blue < 90;
  };
  const becomesRed = (): Promise<void> => expect.poll(() => isRed(), { timeout: 20_000 }).toBe(true);
  const tiles = (path: string) => (path.endsWith('.png') ? { type: 'image/png', body: tile(RED) } : undefined);

  it('is raster tiles', async () => {
    ground = await groundServer(tiles);
    await open({ mapUrl: `${ground.url}/{z}/{x}/{y}.png`, mapAttribution: 'the town’s own' });
    await showing(page, 3);
    await becomesRed();
    expect(ground.asked.every((path) => /^\/\d+\/\d+\/\d+\.png$/.test(path))).toBe(true);
    await page.locator('.maplibregl-ctrl-attrib').getByText('the town’s own').waitFor();
    expect(browser.complaints).toEqual([]);
  });

  it('is a style, and the plain map where the style is broken', async () => {
    const style = { version: 8, sources: {}, layers: [{ id: 'red', type: 'background', paint: { 'background-color': 'rgb(200,30,40)' } }] }; // prettier-ignore
    ground = await groundServer((path) =>
      path === '/style.json' ? { type: 'application/json', body: JSON.stringify(style) } : undefined,
    );
    await open({ mapUrl: `${ground.url}/style.json` });
    await showing(page, 3);
    await becomesRed();
    await close();
    await open({ mapUrl: `${ground.url}/none.json` });
    await page.getByText('this is the plain map').waitFor();
    await showing(page, 3, 'icons');
    expect(await isRed()).toBe(false);
  });

  it('is a PMTiles file, read in ranges; a file that is none is said at the start and leaves the plain map', async () => {
    const files = new Service();
    const file = join(files.directory, 'town.pmtiles');
    writeFileSync(file, pmtiles(tile(RED), 6));
    await open({ mapUrl: `pmtiles:${file}` });
    await showing(page, 3);
    await becomesRed();
    const part = await fetch(`${service.gateway.url}/map/base.pmtiles`, { headers: { range: 'bytes=0-7' } });
    expect([part.status, Buffer.from(await part.arrayBuffer()).toString('latin1')]).toEqual([206, 'PMTiles\x03']);
    await close();
    writeFileSync(file, 'no map at all');
    await open({ mapUrl: `pmtiles:${file}` });
    expect(service.logged.join('')).toMatch(/it is no PMTiles file.*the console shows its plain map/);
    await showing(page, 3, 'icons');
    expect(await isRed()).toBe(false);
  });

  it('is a PMTiles file of vectors, drawn in the theme of the console; the simple map says that it cannot', async () => {
    const files = new Service();
    const file = join(files.directory, 'town.pmtiles');
    writeFileSync(file, pmtiles(vectorTile('water'), 6, 'vector'));
    await open({ mapUrl: `pmtiles:${file}` });
    await showing(page, 3, 'icons');
    const colour = async (): Promise<string> => String(await colourAt(page, await pixelOf(page, bare)));
    await expect.poll(colour, { timeout: 20_000 }).toBe(String(WATER));
    expect(browser.complaints).toEqual([]);
    await page.goto(`${service.gateway.url}/?map=simple`);
    await page.locator('[data-engine=leaflet]').waitFor();
    await page.getByText('this is the plain map').waitFor();
    await showing(page, 3, 'icons');
  });

  it('may be shifted (GCJ-02): marks move with it, clicks come back as WGS-84', async () => {
    ground = await groundServer(tiles);
    await open({ mapUrl: `${ground.url}/{z}/{x}/{y}.png`, mapCrs: 'gcj02' });
    await showing(page, 3);
    const [there, shifted] = [await pixelOf(page, CITY[0]), await pixelOf(page, gcj02(CITY[0]))];
    expect(Math.hypot(there.x - shifted.x, there.y - shifted.y)).toBeGreaterThan(3);
    // The mark is round: its rim is as far away on every side of the shifted place.
    const rim = await Promise.all(
      [[8, 0], [-8, 0], [0, 8], [0, -8]].map(([dx, dy]) => colourAt(page, { x: shifted.x + dx!, y: shifted.y + dy! })),
    ); // prettier-ignore
    expect(new Set(rim.map(String)).size).toBe(1);
    await page.keyboard.press('n');
    const pick = page.locator('dialog .map-canvas[data-view]');
    await pick.waitFor();
    const box = (await pick.boundingBox())!;
    const [left, top, world] = (await pick.getAttribute('data-view'))!.split(',').map(Number) as [
      number,
      number,
      number,
    ];
    await page.mouse.click(box.x + 20, box.y + 20);
    const typed = async (name: string): Promise<number> =>
      Number(await page.locator(`dialog [name=${name}]`).inputValue());
    await expect.poll(() => typed('lat')).toBeGreaterThan(0);
    const back = gcj02({ lat: await typed('lat'), lon: await typed('lon') });
    const pixel = [(back.lon + 180) / 360, 0.5 - Math.asinh(Math.tan((back.lat * Math.PI) / 180)) / (2 * Math.PI)];
    // The browser rounds a click to whole pixels; the shift is several.
    expect(Math.abs((pixel[0]! - left) * world - 20)).toBeLessThan(1.5);
    expect(Math.abs((pixel[1]! - top) * world - 20)).toBeLessThan(1.5);
  });

  it('that does not come is said, and the plain map shows', async () => {
    ground = await groundServer(() => ({ status: 500, type: 'text/plain', body: 'broken' }));
    await open({ mapUrl: `${ground.url}/{z}/{x}/{y}.png` });
    await page.getByText('Parts of the base map could not be loaded').waitFor();
    await showing(page, 3, 'icons');
    await page.goto(`${service.gateway.url}/board`);
    await page.locator('.lane').first().waitFor();
  });

  it('is drawn without WebGL2 too', async () => {
    ground = await groundServer(tiles);
    await open({ mapUrl: `${ground.url}/{z}/{x}/{y}.png` }, { path: '/?map=simple' });
    await page.locator('[data-engine=leaflet]').waitFor();
    await showing(page, 3, 'icons');
    await becomesRed();
    const { x, y } = await pixelOf(page, CITY[1]);
    await page.mouse.click(x, y);
    await page.waitForURL('**/vehicle/v2**');
    expect(browser.complaints).toEqual([]);
  });
});

describe('a map that fails', () => {
  afterEach(close);
  const without = (kinds: string): string => `{
    const real = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
      return /${kinds}/.test(kind) ? null : real.call(this, kind, ...more);
    };
  }`;

  it('without WebGL2 is the simple one by itself', async () => {
    await open({}, { script: without('webgl') });
    await page.locator('[data-engine=leaflet]').waitFor();
    await showing(page, 3, 'icons');
    await page.getByText('Simple map').waitFor();
  });

  it('without any canvas leaves the lists and the board', async () => {
    await open({}, { script: without('webgl|2d') });
    await page.locator('.map-none').waitFor();
    await page.getByRole('tab', { name: /Vehicles/ }).click();
    await page.locator('.vehicle-row').first().waitFor();
    await page.goto(`${service.gateway.url}/board`);
    await page.locator('.lane').first().waitFor();
  });

  it('whose graphics card drops it is made again, and then the simple one', async () => {
    await open({});
    await showing(page, 3, 'icons');
    const drop = (): Promise<undefined> =>
      page.evaluate<undefined>(`document.querySelector('.maplibregl-canvas').getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()`); // prettier-ignore
    const first = await page.locator('.map-canvas').elementHandle();
    await drop();
    await first.waitForElementState('hidden');
    await showing(page, 3, 'icons');
    await page.locator('[data-engine=maplibre] .maplibregl-canvas').waitFor();
    await drop();
    await page.locator('[data-engine=leaflet] .leaflet-pane').first().waitFor({ state: 'attached' });
    await showing(page, 3, 'icons');
  });
});
