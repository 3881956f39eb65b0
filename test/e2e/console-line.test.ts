/** What is live and what is not: replay of what was known when, and the line to the gateway when it is held back or cut. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityProblems } from './console-browser.js';
import { Desk } from './console-desk.js';

let desk: Desk;

beforeAll(async () => {
  desk = await Desk.open();
}, 120_000);
afterAll(() => desk?.close(), 60_000);

describe.sequential('an address typed by hand', () => {
  it('opens the alerts, and says where there is nothing: to a browser as a page, to a program as a problem', async () => {
    await desk.show('/alerts');
    await desk.page.locator('.alerts-panel').waitFor();
    await desk.page.keyboard.press('Escape');
    const answer = await desk.page.goto(`${desk.url}/borad`);
    expect(answer!.status()).toBe(404);
    await desk.page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    expect(await accessibilityProblems(desk.page)).toEqual([]);
    await desk.page.getByRole('link', { name: 'Open the map' }).click();
    await desk.page.locator('.map-page').waitFor();
    const program = await fetch(`${desk.url}/borad`);
    expect([program.status, program.headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']); // prettier-ignore
    const api = await fetch(`${desk.url}/api/v1/borad`, { headers: { accept: 'text/html' } });
    expect([api.status, api.headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']);
  });
});

describe.sequential('replay', () => {
  it('shows what happened, and what the office knew then', async () => {
    const { id } = await desk.order('5 Late Road');
    await desk.service.do({ type: 'order.assign', orderId: id, vehicleId: desk.trucks[1]!.id });
    await desk.service.do({ type: 'order.accept', orderId: id });
    const assigned = (await desk.service.get('order', id)).legs[0]!.createdAt;
    // It departed right after that, then the customer called again; the office hears of the departure only now.
    await desk.service.until(async () => Date.now() > assigned + 1_500, 'a second passes');
    await desk.service.do({ type: 'order.urge', orderId: id });
    await desk.service.do({ type: 'order.depart', orderId: id, at: assigned + 1_000 });
    await desk.show(`/replay?order=${id}`);
    const events = desk.page.locator('.replay-events li');
    const before = async (one: string, other: string): Promise<boolean> => {
      const texts = await events.allInnerTexts();
      const [first, second] = [one, other].map((words) => texts.findIndex((text) => text.includes(words)));
      return first! >= 0 && second! >= 0 && first! < second!;
    };
    await events.filter({ hasText: 'Departed' }).first().waitFor();
    expect([await before('G Departed', 'Urged'), await before('En route', 'Urged')]).toEqual([true, true]);
    await desk.page.getByRole('button', { name: 'What the office knew' }).click();
    await expect.poll(() => before('Urged', 'G Departed')).toBe(true);
    expect(await before('Urged', 'En route')).toBe(true);
    const bar = desk.page.locator('.time-bar input');
    const began = Number(await bar.inputValue());
    await desk.page.selectOption('.replay-controls select', '64');
    await desk.page.locator('.replay-controls .primary').click();
    await expect.poll(async () => Number(await bar.inputValue()), { timeout: 15_000 }).toBeGreaterThan(began + 20_000);
    await desk.page.locator('.time-bar .tick.main').first().waitFor({ state: 'attached' });
    expect(await accessibilityProblems(desk.page)).toEqual([]);
  });
});

describe.sequential('the line', () => {
  it('is polled where streams are held back, says so, and is live again when they come through', async () => {
    await desk.browser.context.route('**/api/v1/stream*', (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: '' })); // prettier-ignore
    try {
      await desk.page.goto(`${desk.url}/board`);
      await desk.page.locator('.connection-polling').waitFor({ timeout: 30_000 });
      const { number } = await desk.order('6 Polling Road');
      await desk.card(number).waitFor();
    } finally {
      await desk.browser.context.unroute('**/api/v1/stream*');
    }
    await desk.page.locator('.connection-live').waitFor({ timeout: 60_000 });
    const { number } = await desk.order('7 Stream Road');
    await desk.card(number).waitFor();
  }, 120_000);

  it('asks for what changed, and no list, however much changes at once', async () => {
    await desk.show('/board');
    const asked: string[] = [];
    desk.page.on('request', (request) => void asked.push(request.url().slice(desk.url.length)));
    const made = await Promise.all(Array.from({ length: 60 }, (_, i) => desk.order(`${i} Storm Road`)));
    for (const { number } of made) await desk.card(number).waitFor();
    const lists = asked.filter((path) => /^\/api\/v1\/(?:orders|vehicles)\?/.test(path));
    expect(lists.length).toBeGreaterThan(0);
    expect(lists.filter((path) => !/\?ids=/.test(path))).toEqual([]);
    expect(asked.filter((path) => /^\/api\/v1\/orders\/[^/?]+$/.test(path))).toEqual([]);
    for (const { id } of made)
      await desk.service.do({ type: 'order.withdraw', orderId: id, reason: 'the end of this test' });
  }, 60_000);

  it('is live again after a stream that was cut, with what happened meanwhile', async () => {
    let cuts = 0;
    // Cut while it is asked for: what a gateway that restarts looks like.
    await desk.browser.context.route('**/api/v1/stream*', (route) => {
      cuts += 1;
      return route.abort('connectionreset');
    });
    try {
      await desk.page.goto(`${desk.url}/board`);
      await desk.page.locator('.banner.bad').waitFor({ timeout: 30_000 });
      await expect.poll(() => cuts, { timeout: 30_000 }).toBeGreaterThan(3);
      // A network that is down is no reason to poll for ever.
      expect(await desk.page.locator('.connection-polling').count()).toBe(0);
    } finally {
      await desk.browser.context.unroute('**/api/v1/stream*');
    }
    const { number } = await desk.order('8 Cut Road');
    await desk.page.locator('.connection-live').waitFor({ timeout: 60_000 });
    await desk.card(number).waitFor();
  }, 120_000);
});

it('never broke its content policy, failed in a script or asked another machine', () => {
  expect(desk.browser.complaints).toEqual([]);
});
