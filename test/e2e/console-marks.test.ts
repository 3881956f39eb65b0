/** What the map and the board say of a terminal's link, and of orders that it has not confirmed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityProblems } from './console-browser.js';
import { Desk, SITE } from './console-desk.js';
import { colours, pixelOf, showing } from './map-support.js';

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open();
}, 120_000);
afterAll(() => desk?.close(), 60_000);

/** What is drawn in a square of so many pixels, seen from the middle of the truck's mark. */
async function look(dx: number, dy: number, size: number): Promise<string> {
  const { x, y } = await pixelOf(desk.page, SITE);
  const places = Array.from({ length: size * size }, (_, i) => ({ x: x + dx + (i % size), y: y + dy + Math.floor(i / size) })); // prettier-ignore
  return (await colours(desk.page, places)).map(String).join(' ');
}
/** Where the mark of something undelivered is, and the middle of the vehicle itself. */
const corner = (): Promise<string> => look(-17, -17, 10);
const middle = (): Promise<string> => look(-8, -8, 16);

it('marks what the terminal has not confirmed until it has, and a link that is gone', async () => {
  const [truck] = desk.trucks;
  const { page } = desk;
  const row = page.locator('.vehicle-row').filter({ hasText: truck!.plate });
  await truck!.report();
  await desk.show('/');
  await page.getByRole('tab', { name: /Vehicles/ }).click();
  await showing(page, 1, 'icons');
  await row.locator('.link-up').waitFor();
  const bare = await corner();

  truck!.silent = true;
  // Not at the truck: the ring of the order would lie under its mark.
  const { id } = await desk.order('1 Silent Road', 'outage', { lat: SITE.lat + 0.02, lon: SITE.lon + 0.02 });
  await desk.service.do({ type: 'order.assign', orderId: id, vehicleId: truck!.id });
  await row.locator('.undelivered').filter({ hasText: '1 not confirmed by the terminal' }).waitFor();
  await expect.poll(corner).not.toBe(bare);
  await page.locator('nav a[href="/board"]').click();
  const lane = page.locator(`.lane[data-vehicle="${truck!.id}"]`);
  await lane.locator('.undelivered').waitFor();
  await lane.locator('.pill').filter({ hasText: 'not in step' }).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);

  truck!.silent = false;
  await lane.locator('.undelivered').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Map', exact: true }).click();
  await page.getByRole('tab', { name: /Vehicles/ }).click();
  await showing(page, 1, 'icons');
  await row.locator('.link-up').waitFor();
  const connected = await middle();
  await truck!.client.end();
  await row.locator('.link-down').waitFor();
  await expect.poll(middle).not.toBe(connected);
  await page.locator('nav a[href="/board"]').click();
  await lane.locator('.link-down').waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(desk.browser.complaints).toEqual([]);
}, 120_000);
