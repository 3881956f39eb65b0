/** What a crew presses: kept on the phone without a network, sent once, and what the rules refuse stays until it is read. */
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { accessibilityProblems, openBrowser, type Browser } from './console-browser.js';
import { Desk } from './console-desk.js';

let desk: Desk;
let phone: Browser;
let page: Page;

beforeAll(async () => {
  desk = await Desk.open();
  await desk.office.account('crew-one', ['crew'], desk.trucks[0]!.id);
}, 120_000);
afterAll(() => desk?.close(), 60_000);

beforeEach(async () => {
  phone = await openBrowser({ width: 390, height: 844, language: 'en' });
  page = phone.context.pages()[0]!;
  page.setDefaultTimeout(30_000);
  await desk.office.signIn('crew-one', page);
  await page.locator('.crew-state.live').waitFor();
}, 60_000);
afterEach(() => phone?.close());

const assigned = async (address: string): Promise<{ id: string; number: string }> => {
  const order = await desk.order(address);
  await desk.service.do({ type: 'order.assign', orderId: order.id, vehicleId: desk.trucks[0]!.id });
  await page.locator(`.crew-order[data-order="${order.id}"]`).waitFor();
  return order;
};
const button = (orderId: string, step: string) => page.locator(`[data-order="${orderId}"] [data-step=${step}]`);
const refusal = (words: string) => page.locator('.crew > .problem[role=alert]').filter({ hasText: words });
/** How often the order was accepted, by the log. */
const acceptances = async (orderId: string): Promise<number> =>
  (await desk.service.gateway.dispatch.eventsAfter(0, 1_000, `order:${orderId}`)).filter(
    ({ type }) => type === 'leg.accepted',
  ).length;

describe.sequential('what a crew presses', () => {
  it('without a network is shown as waiting, and sent once when there is one again', async () => {
    const { id } = await assigned('1 Valley Road');
    await phone.context.setOffline(true);
    await button(id, 'accept').click();
    const waiting = page.locator(`[data-order="${id}"] .behind`).filter({ hasText: 'Accept' });
    await waiting.waitFor();
    expect(await acceptances(id)).toBe(0);
    await phone.context.setOffline(false);
    await waiting.waitFor({ state: 'detached' });
    await desk.service.until(async () => (await acceptances(id)) === 1, 'the acceptance');
    await page.locator('.crew-state.live').waitFor();
    // Another press goes behind it: what had been sent is not sent again.
    await button(id, 'depart').click();
    await desk.service.until(
      async () => (await desk.service.get('order', id)).legs[0]!.state === 'enRoute',
      'the departure',
    );
    expect(await acceptances(id)).toBe(1);
    expect(await page.locator('.crew > .problem').count()).toBe(0);
    await desk.service.do({ type: 'order.withdraw', orderId: id, reason: 'the end of this test' });
    expect(phone.complaints).toEqual([]);
  }, 60_000);

  it('that the rules refuse stays with its reason, over a reload too, until the crew has read it', async () => {
    const { id } = await assigned('2 Valley Road');
    await page.locator('.crew-duty button').nth(2).click();
    const refused = refusal(desk.trucks[0]!.plate).filter({ hasText: 'Off duty' });
    await refused.waitFor();
    expect((await desk.service.get('vehicle', desk.trucks[0]!.id)).duty.state).not.toBe('offDuty');
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.reload();
    await refused.waitFor();
    await refused.getByRole('button', { name: 'Close' }).click();
    await refused.waitFor({ state: 'detached' });
    await page.reload();
    await page.locator('.crew-state.live').waitFor();
    await button(id, 'accept').waitFor();
    expect(await page.locator('.crew > .problem').count()).toBe(0);
    await desk.service.do({ type: 'order.withdraw', orderId: id, reason: 'the end of this test' });
  }, 60_000);

  it('about an order that was taken away meanwhile says so, with the number of the order', async () => {
    const { id, number } = await assigned('3 Valley Road');
    await phone.context.setOffline(true);
    await button(id, 'accept').click();
    await page.locator(`[data-order="${id}"] .behind`).waitFor();
    await desk.service.do({ type: 'order.recall', orderId: id, reason: 'another crew is nearer' });
    await desk.service.until(
      async () => (await desk.service.get('order', id)).legs[0]!.state === 'recalled',
      'the terminal has removed it',
    );
    await phone.context.setOffline(false);
    await refusal(number).filter({ hasText: 'Accept' }).waitFor();
    await page.locator(`[data-order="${id}"]`).waitFor({ state: 'detached' });
    expect(await acceptances(id)).toBe(0);
  }, 60_000);
});
