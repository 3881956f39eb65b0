/** The console by keyboard alone: Tab, Enter, arrow keys, Escape, and the letters that are typed into fields. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { Office, PASSWORD } from './console-office.js';

/** More than the focusable things of a view. */
const MOST_TABS = 150;

let office: Office;
let page: Page;
let vehicleId: string;

beforeAll(async () => {
  office = await Office.open();
  vehicleId = await office.service.vehicle('13900000001', { profile: 'menu' });
  page = office.page;
}, 120_000);

afterAll(() => office?.close(), 60_000);

const focusIs = (selector: string): Promise<boolean> =>
  page.evaluate<boolean>(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`);

/** Walks with Tab until this has the focus. */
async function tabTo(selector: string): Promise<void> {
  await page.locator(selector).first().waitFor({ state: 'attached' });
  for (let left = MOST_TABS; left > 0; left--) {
    if (await focusIs(selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${selector}`);
}
async function typeInto(selector: string, text: string): Promise<void> {
  await tabTo(selector);
  await page.keyboard.type(text);
}
async function press(selector: string): Promise<void> {
  await tabTo(selector);
  await page.keyboard.press('Enter');
}

/** The form of a new order, saved without issuing it; the panel that opens is closed again. */
async function newOrder(address: string, lat: string): Promise<string> {
  await press('.new-order-button');
  await page.locator('dialog.new-order').waitFor();
  await typeInto('dialog [name=phone]', '13912345678');
  await typeInto('dialog [name=name]', 'Ms Wang');
  await typeInto('dialog [name=address]', address);
  await typeInto('dialog [name=lat]', lat);
  await typeInto('dialog [name=lon]', '121.47');
  await typeInto('dialog [name=description]', 'the meter smokes');
  await press('dialog button[value=save]');
  const made = page.locator('.card').filter({ hasText: address });
  await made.waitFor();
  await page.locator('.inspector').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.inspector').waitFor({ state: 'detached' });
  return (await made.getAttribute('data-number'))!;
}

it('signs in, takes calls, issues, assigns and recalls without a pointer', async () => {
  await page.goto(`${office.url}/sign-in`);
  await typeInto('input[name=name]', 'admin');
  await typeInto('input[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('.connection-live').waitFor();
  await press('nav a[href="/board"]');
  await page.locator('[data-column=toIssue]').waitFor();

  const first = await newOrder('1 Spring Road', '31.23');
  const second = await newOrder('2 Summer Road', '31.33');
  const card = (number: string): string => `.card[data-number="${number}"]`;

  // The arrow keys go from card to card.
  await tabTo('[data-column=toIssue] .card .card-title');
  const at = await page.evaluate<string>(`document.activeElement.closest('.card').dataset.number`);
  await page.keyboard.press('ArrowDown');
  expect(await focusIs(`${card(at === first ? second : first)} .card-title`)).toBe(true);
  await page.keyboard.press('ArrowUp');
  expect(await focusIs(`${card(at)} .card-title`)).toBe(true);

  await press(`${card(first)} [data-step=issue]`);
  await page.locator(`[data-column=toAssign] ${card(first)}`).waitFor();
  await tabTo(`[data-column=toIssue] ${card(second)} .card-title`);
  await page.keyboard.press('ArrowRight');
  expect(await focusIs(`${card(first)} .card-title`)).toBe(true);

  await press(`${card(first)} [data-step=assign]`);
  await page.locator('dialog .candidate').first().waitFor();
  // Escape leaves a dialog, and the focus is where it was.
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await press(`${card(first)} [data-step=assign]`);
  await press(`dialog [data-vehicle="${vehicleId}"]`);
  await page
    .locator(`.lane[data-vehicle="${vehicleId}"] .chip`)
    .filter({ hasText: first.slice(-4) })
    .waitFor();

  if (!(await page.locator(`${card(first)} [data-step=recall]`).isVisible())) await press(`${card(first)} summary`);
  await press(`${card(first)} [data-step=recall]`);
  await page.locator('dialog textarea').waitFor();
  await typeInto('dialog textarea', 'called off');
  await press('dialog button[type=submit]');
  await page.locator(`[data-column=toAssign] ${card(first)}`).waitFor();
  expect((await office.service.get('vehicle', vehicleId)).queue.entries).toEqual([]);
  expect(office.browser.complaints).toEqual([]);
}, 120_000);
