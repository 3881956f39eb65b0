/** The console in a real browser against a whole gateway with simulated trucks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { startFleet, type Fleet } from '../../simulator/index.js';
import { defaultCentre } from '../../simulator/index.js';
import { accessibilityProblems, chooseStep, openBrowser, type Browser } from './console-browser.js';
import { Office, PASSWORD } from './console-office.js';
import type { Service } from './support.js';

const TOKEN = 'a-token-for-the-console-tests';
const RATE = 30;
/** A crew that works at once, so that an order's life fits into half a minute of the machine's time. */
const QUICK = {
  acceptS: [4, 8], departS: [4, 8], arriveS: [2, 4], workMin: [1, 2], doneS: [1, 2], refuseChance: 0, lateChance: 0,
  lateS: [1, 2], forgetChance: 0, breakChancePerHour: 0, breakMin: [1, 2], doublePressChance: 0,
} as const; // prettier-ignore

let office: Office;
let service: Service;
let fleet: Fleet;
let browser: Browser;
let page: Page;
let url: string;
const vehicleIds: string[] = [];

beforeAll(async () => {
  office = await Office.open({ clockRate: String(RATE), apiToken: TOKEN });
  ({ service, browser, page, url } = office);
  fleet = await startFleet({
    host: '127.0.0.1', port: service.gateway.ports.tcp!, http: url, token: TOKEN, vehicles: 3, profile: 'smart', seed: 'console',
    crews: QUICK, patrols: false,
  }); // prettier-ignore
  const page1 = await service.gateway.dispatch.scan({ index: 'vehicles', limit: 10 });
  vehicleIds.push(...page1.items.map((item) => item.id));
}, 120_000);

afterAll(async () => {
  await fleet?.stop();
  await office?.close();
}, 60_000);

const card = (number: string) => page.locator(`.card[data-number="${number}"]`);
const inColumn = (column: string, number: string) =>
  page.locator(`[data-column="${column}"] .card[data-number="${number}"]`);

/** An order as the call centre's system sends it. */
async function takeCall(address: string): Promise<{ id: string; number: string }> {
  const made = await service.do({
    type: 'order.create',
    customer: { name: 'Mr Chen', phone: '13800138000' },
    site: { lat: defaultCentre.lat + 0.004, lon: defaultCentre.lon + 0.004, address },
    fault: { category: 'outage', voltage: 'low', description: 'the whole house is dark' },
  });
  return { id: String(made.orderId), number: String(made.number) };
}

describe.sequential('the console', () => {
  it('signs in, refuses a wrong password, and is live', async () => {
    await page.goto(`${url}/board`);
    await page.fill('input[name=name]', 'admin');
    await page.fill('input[name=password]', 'not this one');
    await page.click('button[type=submit]');
    await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
    await page.fill('input[name=password]', PASSWORD);
    await page.click('button[type=submit]');
    await page.locator('.connection-live').waitFor();
    await expect.poll(() => page.locator('.lane').count(), { timeout: 10_000 }).toBe(vehicleIds.length);
  });

  let number = '';
  it('takes a call and issues it', async () => {
    await page.keyboard.press('n');
    const form = page.locator('dialog form');
    await form.locator('[name=phone]').fill('13912345678');
    await form.locator('[name=name]').fill('Ms Wang');
    await form.locator('[name=address]').fill('1 Spring Road');
    await form.locator('[name=lat]').fill(String(defaultCentre.lat + 0.003));
    await form.locator('[name=lon]').fill(String(defaultCentre.lon - 0.003));
    await form.locator('[name=description]').fill('meter smokes');
    await form.locator('button[value=issue]').click();
    const made = page.locator('[data-column="toAssign"] .card').filter({ hasText: '1 Spring Road' });
    await made.waitFor();
    number = (await made.getAttribute('data-number'))!;
    await page.keyboard.press('Escape');
  });

  it('assigns it by dragging it onto a vehicle, and watches the truck go through to done', async () => {
    await card(number).dragTo(page.locator(`.lane[data-vehicle="${vehicleIds[0]}"]`));
    await page
      .locator(`.lane[data-vehicle="${vehicleIds[0]}"] .chip`)
      .filter({ hasText: number.slice(-4) })
      .waitFor();
    await inColumn('onTheWay', number).waitFor({ timeout: 60_000 });
    await inColumn('onSite', number).waitFor({ timeout: 120_000 });
    await inColumn('after', number).waitFor({ timeout: 120_000 });
  }, 240_000);

  it('files the fault record and the call-back, and the order leaves the board', async () => {
    if ((await card(number).locator('[data-step=record]').count()) > 0) {
      await card(number).locator('[data-step=record]').click();
      await page.locator('dialog [name=cause]').fill('loose clamp');
      await page.locator('dialog [name=done]').fill('tightened');
      await page.locator('dialog button[type=submit]').click();
    }
    await card(number).locator('[data-step=callback]').click();
    await page.locator('dialog button[type=submit]').click();
    await card(number).waitFor({ state: 'detached' });
  });

  it('asks a simulated terminal for a photo and its parameters', async () => {
    await page.goto(`${url}/vehicle/${encodeURIComponent(vehicleIds[0]!)}`);
    await page.locator('.inspector [data-tab=terminal]').click();
    await page.locator('[data-function=photo]').click();
    await page.locator('[data-form=photo] button[type=submit]').click();
    await page.locator('.deliveries > li').filter({ hasText: '1 taken' }).waitFor();
    await page.locator('[data-function=parameters]').click();
    await page.locator('[data-do=read]').click();
    await page.locator('[data-parameter=speedLimit] [data-value="80"]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.inspector [data-tab=photos]').click();
    const image = page.locator('figure[data-photo] img').first();
    await image.waitFor();
    await expect
      .poll(() => image.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth))
      .toBe(320);
    await page.goto(`${url}/board`);
    await page.locator('.connection-live').waitFor();
  });

  it('recalls an order: it comes back when the terminal has removed it', async () => {
    const { id, number: recalled } = await takeCall('2 Summer Road');
    await service.do({ type: 'order.issue', orderId: id });
    await inColumn('toAssign', recalled).waitFor();
    await card(recalled).locator('[data-step=assign]').click();
    await page.locator(`dialog [data-vehicle="${vehicleIds[1]}"]`).click();
    await page
      .locator(`.lane[data-vehicle="${vehicleIds[1]}"] .chip`)
      .filter({ hasText: recalled.slice(-4) })
      .waitFor();
    await chooseStep(card(recalled), 'recall');
    await page.locator('dialog textarea').fill('the customer called it off');
    await page.locator('dialog button[type=submit]').click();
    const confirm = page.locator('dialog button[type=submit]');
    await Promise.race([inColumn('toAssign', recalled).waitFor(), confirm.waitFor().then(() => confirm.click())]);
    await inColumn('toAssign', recalled).waitFor();
    await page
      .locator(`.lane[data-vehicle="${vehicleIds[1]}"] .chip`)
      .filter({ hasText: recalled.slice(-4) })
      .waitFor({ state: 'detached' });
  }, 60_000);

  it('acknowledges an alert by name', async () => {
    const { id } = await takeCall('3 Autumn Road');
    await service.do({ type: 'order.issue', orderId: id });
    await page.locator('.alerts-button').click();
    const first = page.locator('.notice[data-alert]').first();
    await first.waitFor({ timeout: 40_000 });
    const alertId = (await first.getAttribute('data-alert'))!;
    await first.locator('button.primary').click();
    await service.until(
      async () => (await service.get('alert', alertId)).acknowledged.find((one) => one.by === 'admin'),
      'acknowledged by name',
    );
    await page.locator('.alerts-panel [role=tab]').nth(1).click();
    await page.keyboard.press('Escape');
  }, 60_000);

  it('says that the line is down, shows nothing stale as live, and catches up', async () => {
    await page.keyboard.press('Escape');
    let missed = '';
    try {
      await browser.context.setOffline(true);
      await page.locator('.banner.bad').waitFor({ timeout: 45_000 });
      expect(await page.locator('.connection-live').count()).toBe(0);
      missed = (await takeCall('4 Winter Road')).number;
    } finally {
      await browser.context.setOffline(false);
    }
    await page.locator('.connection-live').waitFor({ timeout: 45_000 });
    await card(missed).waitFor();
    await page.locator('.banner.bad').waitFor({ state: 'detached' });
  }, 120_000);

  it('replays what a vehicle did', async () => {
    await page.goto(`${url}/replay?vehicle=${encodeURIComponent(vehicleIds[0]!)}`);
    await page.locator('.replay-events li').first().waitFor();
    const bar = page.locator('.time-bar input');
    const before = Number(await bar.inputValue());
    await page.selectOption('.replay-controls select', '64');
    await page.locator('.replay-controls .primary').click();
    await expect.poll(async () => Number(await bar.inputValue()), { timeout: 15_000 }).toBeGreaterThan(before + 30_000);
    await page.getByRole('button', { name: 'What the office knew' }).click();
    await expect.poll(() => page.locator('.replay-events li').count(), { timeout: 10_000 }).toBeGreaterThan(3);
  });

  it.each([
    ['/', '.map-buttons'],
    ['/board', '.column .card'],
    ['/calls', '.calls-search input'],
    ['/replay', '.replay-choice'],
    ['/reports', '.report'],
    ['/admin', '.admin-body table'],
    ['/wall', '.wall-body'],
  ])(
    '%s breaks no rule of WCAG AA, light and dark',
    async (path, ready) => {
      await page.goto(`${url}${path}`);
      await page.locator(ready).first().waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'light' });
    },
    60_000,
  );

  it('keeps what a crew presses without a network and sends it later', async () => {
    const crewVehicle = vehicleIds[2]!;
    await office.account('crew', ['crew'], crewVehicle);
    const { id } = await takeCall('5 River Road');
    await service.do({ type: 'order.issue', orderId: id });
    const phone = await openBrowser({ width: 430, height: 900, language: 'en' });
    try {
      const crewPage = phone.context.pages()[0]!;
      await office.signIn('crew', crewPage);
      await crewPage.locator('.crew-state.live').waitFor();
      await phone.context.setOffline(true);
      await crewPage.locator('.crew-duty button').nth(1).click();
      await crewPage.locator('.crew-state .small-button').waitFor();
      expect((await service.get('vehicle', crewVehicle)).duty.state).not.toBe('onBreak');
      await phone.context.setOffline(false);
      await service.until(
        async () => (await service.get('vehicle', crewVehicle)).duty.state === 'onBreak',
        'the break arrives',
      );
      await crewPage.locator('.crew-state.live').waitFor();
      expect(await accessibilityProblems(crewPage)).toEqual([]);
    } finally {
      await phone.close();
    }
  }, 60_000);

  it('never broke its content policy, failed in a script or asked another machine', () => {
    expect(browser.complaints).toEqual([]);
  });
});
