/** An alert on two desks, in real browsers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './console-browser.js';
import { Desk } from './console-desk.js';

let desk: Desk;

beforeAll(async () => {
  desk = await Desk.open();
}, 120_000);
afterAll(() => desk?.close(), 60_000);

describe.sequential('an alert', () => {
  it('of one truck sounds, is acknowledged by name and ends on every desk', async () => {
    await desk.office.account('wang', ['dispatcher', 'agent', 'supervisor']);
    const other = await openBrowser({ language: 'en' });
    try {
      const theirPage = other.context.pages()[0]!;
      await desk.office.signIn('wang', theirPage);
      await theirPage.locator('.connection-live').waitFor();
      await desk.show(`/vehicle/${desk.trucks[1]!.id}`);
      await desk.tab('overview').click();
      await desk.trucks[1]!.report(1);
      const [mine, theirs] = [desk.page, theirPage].map((one) => one.locator('.alerts-panel .notice.severity-sos'));
      await desk.page.locator('.alerts-button').click();
      await theirPage.locator('.alerts-button').click();
      await mine!.waitFor();
      await theirs!.waitFor();
      expect(await desk.page.evaluate('globalThis.soundsMade')).toBeGreaterThan(0);
      await theirs!.locator('[data-do=acknowledge]').click();
      // Nobody is asked any more; it goes on while the button is held down.
      await mine!.waitFor({ state: 'detached' });
      await desk.page.locator('.alerts-panel [data-tab=all]').click();
      expect(await mine!.innerText()).toContain('Acknowledged by wang');
      // A terminal goes on reporting; changes are told at most every two seconds.
      await desk.service.until(async () => {
        await desk.trucks[1]!.report(0);
        return (await desk.service.get('alarms', desk.trucks[1]!.id)).active[0] === undefined;
      }, 'the end of the alarm');
      await mine!.waitFor({ state: 'detached' });
      await theirPage.locator('.alerts-panel [data-tab=ended]').click();
      expect(await theirs!.innerText()).toContain('Ended');
      await desk.page.keyboard.press('a');
      const alarm = desk.page.locator('[data-alarm=sos]');
      await alarm.filter({ hasText: 'over' }).waitFor();
      expect(await alarm.innerText()).toContain('Acknowledged by wang');
      expect(other.complaints).toEqual([]);
    } finally {
      await other.close();
    }
  }, 60_000);
});

it('never broke its content policy, failed in a script or asked another machine', () => {
  expect(desk.browser.complaints).toEqual([]);
});
