/** What the tests of the map see of it: where it is, what it draws, and the colour of a place on the screen. */
import type { Page } from 'playwright-core';
import { PositionBatch } from '../../dispatch/store/position-batch.js';
import type { Rgb } from './map-ground.js';
import type { Service } from './support.js';

export interface Place {
  lat: number;
  lon: number;
}
/** In the middle of China, where GCJ-02 shifts by some hundred metres; nobody's place. */
export const TOWN: Place = { lat: 36.62, lon: 101.35 };
export const beside = ({ lat, lon }: Place, north: number, east: number): Place => ({
  lat: lat + north,
  lon: lon + east,
});

/** WGS-84 to GCJ-02 by the formulas that are commonly published (Krasovsky's ellipsoid), for a place within China. */
export function gcj02({ lat, lon }: Place): Place {
  const [x, y] = [lon - 105, lat - 35];
  const wave = (at: number, size: number): number => size * Math.sin(at * Math.PI);
  const short = ((wave(6 * x, 20) + wave(2 * x, 20)) * 2) / 3;
  const dLat =
    -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + short +
    ((wave(y, 20) + wave(y / 3, 40)) * 2) / 3 + ((wave(y / 12, 160) + wave(y / 30, 320)) * 2) / 3; // prettier-ignore
  const dLon =
    300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + short +
    ((wave(x, 20) + wave(x / 3, 40)) * 2) / 3 + ((wave(x / 12, 150) + wave(x / 30, 300)) * 2) / 3; // prettier-ignore
  const [a, ee] = [6_378_245, 0.006693421622965943];
  const radians = (lat * Math.PI) / 180;
  const magic = 1 - ee * Math.sin(radians) ** 2;
  return {
    lat: lat + (dLat * 180) / (((a * (1 - ee)) / (magic * Math.sqrt(magic))) * Math.PI),
    lon: lon + (dLon * 180) / ((a / Math.sqrt(magic)) * Math.cos(radians) * Math.PI),
  };
}

let sequence = 0;
/** Positions as the reader of an ingest log applies them. */
export async function report(
  service: Service,
  positions: readonly { id: string; at: Place; speedKmh?: number; headingDeg?: number }[],
): Promise<void> {
  const { dispatch } = service.gateway;
  const now = dispatch.clock.now();
  const batch = new PositionBatch();
  for (const { id, at, speedKmh = 0, headingDeg = 0 } of positions)
    batch.add(id, now, now, Math.round(at.lat * 1e6), Math.round(at.lon * 1e6), 0, speedKmh * 10, headingDeg, 0, 3, -1);
  await dispatch.apply([], batch, { node: 'map-test', sequence: ++sequence });
}

export async function vehicle(
  service: Service,
  id: string,
  papers: { plate: string; crew?: string; trade?: string; centre?: string },
): Promise<void> {
  await service.do({
    type: 'vehicle.create', id, plate: papers.plate, terminal: { phone: String(13_900_000_000 + ++sequence) },
    repairCentreId: papers.centre ?? 'centre-1', trade: papers.trade ?? 'lowVoltage',
    crew: { name: papers.crew ?? 'crew', members: [{ name: 'Li' }] },
  }); // prettier-ignore
}

const MAP = '.map-canvas[data-view]';

/** Waits until the map shows so many vehicles, and gives its mode. */
export async function showing(page: Page, vehicles: number, mode?: string): Promise<void> {
  const wanted = mode === undefined ? '' : `[data-mode="${mode}"]`;
  await page.locator(`${MAP}[data-vehicles="${vehicles}"]${wanted}`).waitFor();
}

/** Pixel of the window at which a place of the base map's system is, by the projection's own definition (EPSG 3857). */
export async function pixelOf(page: Page, { lat, lon }: Place): Promise<{ x: number; y: number }> {
  const map = page.locator(MAP);
  const [left, top, world] = (await map.getAttribute('data-view'))!.split(',').map(Number) as [number, number, number];
  const box = (await map.boundingBox())!;
  const mercatorY = 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI);
  return { x: box.x + ((lon + 180) / 360 - left) * world, y: box.y + (mercatorY - top) * world };
}

/** Zoom as MapLibre counts it. */
export async function zoomOf(page: Page): Promise<number> {
  const view = (await page.locator(MAP).getAttribute('data-view'))!;
  return Math.log2(Number(view.split(',')[2]) / 512);
}

/** Colours of places on the screen, taken from a picture of it. */
export async function colours(page: Page, at: readonly { x: number; y: number }[]): Promise<Rgb[]> {
  const picture = (await page.screenshot()).toString('base64');
  return page.evaluate(
    async ([data, places]) => {
      // The page's own types are not those of the test.
      const { Image, document } = globalThis as unknown as {
        Image: new () => { src: string; width: number; height: number; decode(): Promise<void> };
        document: {
          createElement(name: string): {
            width: number;
            height: number;
            getContext(kind: string): {
              drawImage(image: unknown, x: number, y: number): void;
              getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
            };
          };
        };
      };
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = image.width;
      canvas.height = image.height;
      const g = canvas.getContext('2d');
      g.drawImage(image, 0, 0);
      return places.map(({ x, y }) => {
        const [red, green, blue] = g.getImageData(Math.round(x), Math.round(y), 1, 1).data;
        return [red!, green!, blue!] as const;
      });
    },
    [picture, at] as const,
  );
}

export async function colourAt(page: Page, at: { x: number; y: number }): Promise<Rgb> {
  return (await colours(page, [at]))[0]!;
}
