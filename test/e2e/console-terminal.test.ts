/** What a dispatcher does with a vehicle's terminal: parameters, questions, areas, photos, upgrades, texts. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, encodeParameter } from '../../protocol/index.js';
import { accessibilityProblems } from './console-browser.js';
import { Desk, SITE } from './console-desk.js';
import { beside, colourAt, pixelOf, showing, zoomOf } from './map-support.js';

let desk: Desk;

beforeAll(async () => {
  desk = await Desk.open();
}, 120_000);
afterAll(() => desk?.close(), 60_000);

describe.sequential('the panel of a vehicle', () => {
  it('reads parameters into a table with names and units, and sets one', async () => {
    await desk.show(`/vehicle/${desk.trucks[0]!.id}`);
    await desk.tab('terminal').click();
    await desk.page.locator('[data-function=parameters]').click();
    const row = desk.page.locator('[data-parameter=heartbeatInterval]');
    await row.waitFor();
    await desk.page.locator('[data-do=read]').click();
    await row.locator('[data-value="60"]').waitFor();
    expect(await row.innerText()).toContain('Heartbeat interval');
    expect(await row.locator('td').first().innerText()).toBe('60 s');
    expect(await accessibilityProblems(desk.page)).toEqual([]);
    await row.locator('input').fill('45');
    await desk.page.locator('.parameters button[type=submit]').click();
    await row.locator('[data-value="45"]').waitFor();
    await desk.page.keyboard.press('Escape');
    expect(desk.trucks[0]!.parameters.get(1)).toEqual(encodeParameter('heartbeatInterval', 45, 2013).value);
  });

  it('asks the driver and shows the answer', async () => {
    await desk.page.locator('[data-function=question]').click();
    const form = desk.page.locator('[data-form=question]');
    await form.locator('[name=question]').fill('Need spare parts?');
    await form.locator('[name=answers]').fill('Yes\nNo');
    await form.locator('button[type=submit]').click();
    const item = desk.history().filter({ hasText: 'Need spare parts?' });
    await item.filter({ hasText: 'has not answered yet' }).waitFor();
    const asked = await desk.trucks[0]!.client.answer(0x8302);
    desk.trucks[0]!.answerQuestion(asked, 2);
    expect(await item.locator('.driver-answer b').innerText()).toBe('No');
    await expect.poll(() => item.getAttribute('data-state')).toBe('receipted');
  });

  it('sets a circle, and a phone book, from the forms below the everyday ones', async () => {
    await desk.page.locator('.rare-functions summary').click();
    await desk.page.locator('[data-function=circle-set]').click();
    const circle = desk.page.locator('[data-form=circle-set]');
    await circle.locator('[name=id]').fill('7');
    await circle.locator('[name=centre]').fill('31.2304, 121.4737');
    await circle.locator('[name=dailyFrom]').fill('08:30');
    await circle.locator('[name=dailyTo]').fill('18:00:10');
    await circle.locator('[name=topKmh]').fill('60');
    expect(await accessibilityProblems(desk.page)).toEqual([]);
    await circle.locator('button[type=submit]').click();
    const asked = await desk.trucks[0]!.client.answer(0x8600);
    expect(decodeBody(0x8600, 2013, asked.body)).toMatchObject({
      body: {
        areas: [{
          id: 7, latitudeE6: 31_230_400, longitudeE6: 121_473_700, radiusM: 200, topSpeedKmh: 60,
          startTime: '000000083000', endTime: '000000180010',
        }],
      },
    }); // prettier-ignore
    await desk.history().filter({ hasText: 'Set a circle by hand' }).filter({ hasText: 'receipted' }).waitFor();
    await desk.page.locator('[data-function=phone-book]').click();
    const book = desk.page.locator('[data-form=phone-book]');
    await book.locator('[name=contacts]').fill('95598, Hotline\n13800000000，Ma');
    await book.locator('button[type=submit]').click();
    const contacts = decodeBody(0x8401, 2013, (await desk.trucks[0]!.client.answer(0x8401)).body);
    expect(contacts).toMatchObject({ body: { contacts: [{ number: '95598', name: 'Hotline' }, { number: '13800000000', name: 'Ma' }] } }); // prettier-ignore
    // What the server does not take is said in the form, and nothing that was entered is lost.
    await desk.page.locator('[data-function=polygon-set]').click();
    const polygon = desk.page.locator('[data-form=polygon-set]');
    await polygon.locator('[name=id]').fill('8');
    await polygon.locator('[name=points]').fill('31.2, 121.4\n31.3, 121.4');
    await polygon.locator('button[type=submit]').click();
    await polygon.getByRole('alert').waitFor();
    expect(await polygon.locator('[name=points]').inputValue()).toContain('31.3, 121.4');
    await polygon.getByRole('button', { name: 'Cancel' }).click();
  });

  it('shows on the map what the terminal watches, when that is switched on', async () => {
    const { page } = desk;
    await desk.trucks[0]!.report();
    await desk.show(`/vehicle/${desk.trucks[0]!.id}`);
    const areas = page.getByRole('button', { name: 'Areas', exact: true });
    const map = (shapes: string) => page.locator(`.map-canvas[data-view][data-areas="${shapes}"]`);
    await map('').waitFor();
    await showing(page, 1, 'icons');
    for (let zoom = await zoomOf(page); zoom < 16; zoom++) {
      await page.getByRole('button', { name: 'Zoom in' }).click();
      await expect.poll(() => zoomOf(page)).toBeCloseTo(zoom + 1, 1);
    }
    // In the circle of 200 m, and beside it.
    const [inside, outside] = [beside(SITE, 0.0012, 0), beside(SITE, 0.0024, 0)];
    const look = async (at: typeof SITE) => String(await colourAt(page, await pixelOf(page, at)));
    const [bare, ground] = [await look(inside), await look(outside)];
    await areas.click();
    await map('circle').waitFor();
    await expect.poll(() => look(inside)).not.toBe(bare);
    expect(await look(outside)).toBe(ground);
    expect(await accessibilityProblems(page)).toEqual([]);
    await areas.click();
    await map('').waitFor();
    await expect.poll(() => look(inside)).toBe(bare);
    await desk.tab('terminal').click();
  });

  it('says when a call was given up, with its attempts', async () => {
    desk.trucks[0]!.silent = true;
    try {
      await desk.page.locator('[data-function=follow]').click();
      const form = desk.page.locator('[data-form=follow]');
      await form.locator('[name=timeoutS]').selectOption('60');
      await form.locator('button[type=submit]').click();
      const item = desk.history().filter({ hasText: 'Follow closely' });
      await item.filter({ hasText: 'given up in' }).waitFor();
      await item.filter({ hasText: 'sent 2×' }).waitFor();
    } finally {
      desk.trucks[0]!.silent = false;
    }
    await desk.history().filter({ hasText: 'Follow closely' }).filter({ hasText: 'receipted' }).waitFor();
  });

  it('shows photos with place and time', async () => {
    const png = Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0xe0), randomBytes(200), Buffer.of(0xff, 0xd9)]);
    await desk.tab('photos').click();
    await desk.trucks[0]!.uploadPhoto(77, png);
    const photo = desk.page.locator('figure[data-photo]').first();
    await photo.waitFor();
    expect(await photo.locator('figcaption').innerText()).toMatch(
      /\d\d:\d\d:\d\d · camera \d[^]*31\.23040, 121\.47370/,
    );
    const answer = await desk.page.request.get(`${desk.url}${await photo.getAttribute('data-photo')}`);
    expect([answer.status(), answer.headers()['content-type']]).toEqual([200, 'image/jpeg']);
    await photo.locator('button.photo').click();
    await desk.page.locator('dialog.photo-large img').waitFor({ state: 'attached' });
    await desk.page.keyboard.press('Escape');
  });

  it('upgrades the terminal from a file, and shows how far it is and how it ended', async () => {
    const [truck] = desk.trucks;
    const firmware = randomBytes(90_000);
    await desk.tab('terminal').click();
    if (!(await desk.page.locator('[data-function=upgrade]').isVisible()))
      await desk.page.locator('.rare-functions summary').click();
    await desk.page.locator('[data-function=upgrade]').click();
    const form = desk.page.locator('[data-form=upgrade]');
    await form.locator('[name="file.chosen"]').setInputFiles({
      name: 'box-2.1.bin',
      mimeType: 'application/octet-stream',
      buffer: firmware,
    });
    await form.locator('[name=maker]').fill('70107');
    await form.locator('[name=version]').fill('V2.1');
    expect(await accessibilityProblems(desk.page)).toEqual([]);
    truck!.partsTaken = 30;
    await form.locator('button[type=submit]').click();
    const item = desk.history().filter({ hasText: 'Upgrade' }).filter({ hasText: 'V2.1' });
    await item.locator('progress[value="30"]').waitFor();
    const total = Number(await item.locator('progress').getAttribute('max'));
    expect(await item.locator('.delivery-progress').innerText()).toContain(`part 30 of ${total}`);
    expect(await accessibilityProblems(desk.page)).toEqual([]);
    truck!.takeAllParts();
    await item.filter({ hasText: 'the terminal is installing it' }).waitFor();
    expect(decodeBody(0x8108, 2013, truck!.joinedParts(total))).toMatchObject({
      body: { type: 0, maker: '70107', version: 'V2.1', data: new Uint8Array(firmware) },
    });
    truck!.tellUpgradeResult(0);
    await item.filter({ hasText: 'Upgraded' }).waitFor();
    // The file is offered for the next truck.
    await desk.page.locator('[data-function=upgrade]').click();
    await form.locator('[name=file] option').filter({ hasText: 'box-2.1.bin' }).waitFor({ state: 'attached' });
    await form.getByRole('button', { name: 'Cancel' }).click();
  }, 60_000);

  it('sends the texts of the open orders again', async () => {
    const { number, id } = await desk.order('1 Resend Road');
    await desk.service.do({ type: 'order.assign', orderId: id, vehicleId: desk.trucks[0]!.id });
    await desk.tab('deliveries').click();
    const texts = () =>
      desk.trucks[0]!.client.answers.of(0x8300).filter(({ body }) => textOf(body).includes(number)).length;
    await desk.trucks[0]!.client.until(() => texts() === 1, 'the text of the order');
    await desk.history().filter({ hasText: 'Order' }).filter({ hasText: 'receipted' }).first().waitFor();
    await desk.page.locator('[data-do=resend]').click();
    await desk.trucks[0]!.client.until(() => texts() === 2, 'the same text again');
    expect(await accessibilityProblems(desk.page)).toEqual([]);
    await desk.service.do({ type: 'order.withdraw', orderId: id, reason: 'the end of this test' });
  });
});

function textOf(body: Uint8Array): string {
  const decoded = decodeBody(0x8300, 2013, body);
  return decoded?.name === 'text' ? decoded.body.text : '';
}

it('never broke its content policy, failed in a script or asked another machine', () => {
  expect(desk.browser.complaints).toEqual([]);
});
