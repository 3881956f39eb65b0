/** What a dispatcher does with orders: issue, assign, drag, correct, recall, merge, record, tell the customer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody } from '../../protocol/index.js';
import { accessibilityProblems } from './console-browser.js';
import { Desk, SITE } from './console-desk.js';
import type { MenuTruck } from './menu-truck.js';
import { person } from './support.js';

let desk: Desk;

beforeAll(async () => {
  desk = await Desk.open();
}, 120_000);
afterAll(() => desk?.close(), 60_000);

describe.sequential('an order', () => {
  it('that no rule fits is issued to the repair centre that the person names', async () => {
    const made = await desk.service.do({
      type: 'order.create',
      customer: { name: 'Mr Chen', phone: '13800138999' },
      site: { ...SITE, address: '9 Nowhere Road' },
      fault: { category: 'outage', voltage: 'other', description: 'no rule is for this' },
    });
    const number = String(made.number);
    await desk.show('/board');
    await desk.step(number, 'issue');
    const dialog = desk.page.locator('dialog').filter({ hasText: 'No rule fits' });
    await dialog.locator('[type=radio][value="centre-1"]').check();
    expect(await accessibilityProblems(desk.page)).toEqual([]);
    await dialog.locator('button[type=submit]').click();
    await desk.page.locator('[data-column=toAssign]').locator(`[data-number="${number}"]`).waitFor();
    expect((await desk.service.get('order', String(made.orderId))).repairCentreId).toBe('centre-1');
  });

  let first: { id: string; number: string };
  let second: { id: string; number: string };

  it('is assigned from the recommendations, which say why', async () => {
    first = await desk.order('1 Spring Road');
    await desk.show('/board');
    await desk.step(first.number, 'assign');
    const candidate = desk.page.locator('dialog .candidate').filter({ hasText: desk.trucks[0]!.plate });
    await candidate.locator('.reasons li').nth(1).waitFor();
    await candidate.locator('button').click();
    await desk
      .chips(desk.trucks[0]!)
      .filter({ hasText: first.number.slice(-4) })
      .waitFor();
  });

  it('is moved inside the queue by dragging, and put back by undo', async () => {
    second = await desk.order('2 Summer Road', 'outage', { lat: SITE.lat + 0.02, lon: SITE.lon });
    await desk.service.do({ type: 'order.assign', orderId: second.id, vehicleId: desk.trucks[0]!.id });
    await desk.chips(desk.trucks[0]!).nth(1).waitFor();
    const queue = async (): Promise<string[]> =>
      (await desk.service.get('vehicle', desk.trucks[0]!.id)).queue.entries.map((entry) => entry.orderId);
    expect(await queue()).toEqual([first.id, second.id]);
    await desk.chips(desk.trucks[0]!).nth(1).dragTo(desk.chips(desk.trucks[0]!).nth(0));
    await desk.service.until(async () => (await queue())[0] === second.id, 'the new order of the queue');
    await desk
      .chips(desk.trucks[0]!)
      .first()
      .filter({ hasText: second.number.slice(-4) })
      .waitFor();
    await desk.page
      .locator('.toast')
      .filter({ hasText: 'queue was changed' })
      .getByRole('button', { name: 'Undo' })
      .click();
    await desk.service.until(async () => (await queue())[0] === first.id, 'the old order of the queue');
  });

  it('is corrected, and the correction can be undone', async () => {
    await desk.step(second.number, 'edit');
    await desk.page.locator('dialog [name=address]').fill('20 Summer Road');
    await desk.page.locator('dialog [name=urgent]').check();
    expect(await accessibilityProblems(desk.page)).toEqual([]);
    await desk.page.locator('dialog button[type=submit]').click();
    await desk.card(second.number).filter({ hasText: '20 Summer Road' }).waitFor();
    expect(await desk.service.get('order', second.id)).toMatchObject({ priority: 'urgent', site: { ...SITE, lat: SITE.lat + 0.02, address: '20 Summer Road' } }); // prettier-ignore
    await desk.page.locator('.toast').filter({ hasText: 'Edit' }).getByRole('button', { name: 'Undo' }).click();
    await desk.service.until(
      async () => (await desk.service.get('order', second.id)).site.address === '2 Summer Road',
      'undone',
    );
    expect((await desk.service.get('order', second.id)).priority).toBe('normal');
  });

  it('is recalled; a key pressed on the way becomes a conflict that a person decides', async () => {
    const truck = desk.trucks[0]!;
    await truck.client.until(() => menuHas(truck, first.number), 'the line of the order');
    truck.silent = true;
    await desk.step(first.number, 'recall');
    await desk.page.locator('dialog textarea').fill('wrong truck');
    await desk.page.locator('dialog button[type=submit]').click();
    await desk
      .chips(truck)
      .filter({ hasText: first.number.slice(-4) })
      .filter({ hasText: 'Recalling' })
      .waitFor();
    truck.press(`${first.number.slice(-4)} accept`);
    const conflict = desk.page.locator('.notice.kind-conflict').filter({ hasText: first.number });
    await conflict.waitFor();
    expect(await conflict.innerText()).toContain('reported “accept” while the recall was on its way');
    truck.silent = false;
    await conflict.getByRole('button', { name: 'Keep', exact: true }).click();
    await conflict.waitFor({ state: 'detached' });
    await desk
      .chips(truck)
      .filter({ hasText: first.number.slice(-4) })
      .filter({ hasText: 'Accepted' })
      .waitFor();
  });

  it('that a crew does not take goes to the crew that a card proposes', async () => {
    const { id, number } = await desk.order('5 Silent Road');
    await desk.service.do({ type: 'order.assign', orderId: id, vehicleId: desk.trucks[0]!.id });
    await desk.service.gateway.dispatch.execute(
      { type: 'order.proposeCrew', orderId: id, leg: 1, vehicleId: desk.trucks[1]!.id, reasons: ['near'] },
      person,
    );
    const proposal = desk.page.locator('.conflicts .notice').filter({ hasText: number });
    await proposal.waitFor();
    expect(await proposal.innerText()).toContain(desk.trucks[1]!.plate);
    await proposal.getByRole('button', { name: 'Reassign' }).click();
    const proposed = desk.page.locator('dialog .candidate').first();
    await proposed.filter({ hasText: desk.trucks[1]!.plate }).filter({ hasText: 'Proposed' }).waitFor();
    await proposed.locator('button').click();
    await desk
      .chips(desk.trucks[1]!)
      .filter({ hasText: number.slice(-4) })
      .waitFor();
    await proposal.waitFor({ state: 'detached' });
    await desk.service.do({ type: 'order.withdraw', orderId: id, reason: 'the end of this test' });
  });

  it('for which the customer called again stands above others and shows how often', async () => {
    const earlier = await desk.order('6 Quiet Road');
    const urged = await desk.order('7 Urged Road');
    const place = async (number: string): Promise<number> => {
      const all = await desk.page
        .locator('[data-column=toAssign] .card')
        .evaluateAll((cards) =>
          cards.map((one) => (one as unknown as { dataset: Record<string, string> }).dataset['number']),
        );
      return all.indexOf(number);
    };
    await expect.poll(() => place(urged.number)).toBeGreaterThan(await place(earlier.number));
    for (const note of ['still dark', 'where are you'])
      await desk.service.do({ type: 'order.urge', orderId: urged.id, note });
    await desk.card(urged.number).locator('[title*="2"]').filter({ hasText: '2' }).waitFor();
    await expect.poll(async () => (await place(urged.number)) < (await place(earlier.number))).toBe(true);
    await desk.page.locator('.alerts-button').click();
    const alert = desk.page.locator('.alerts-panel .notice').filter({ hasText: urged.number });
    expect(await alert.first().innerText()).toContain('the customer called again (urge 2)');
    await desk.page.locator('.alerts-panel').press('Escape');
    for (const one of [earlier, urged])
      await desk.service.do({ type: 'order.withdraw', orderId: one.id, reason: 'the end of this test' });
  });

  it('is merged with another report of the same outage, and taken apart again', async () => {
    const same = await desk.order('1 Spring Road, flat 2');
    await desk.card(same.number).waitFor();
    await desk.step(same.number, 'merge');
    await desk.page.locator('dialog .candidate').filter({ hasText: first.number }).getByRole('button').click();
    await desk.service.until(async () => (await desk.service.get('order', same.id)).mergedInto === first.id, 'merged');
    await desk.card(first.number).locator('[title="1 merged"]').waitFor();
    await desk.page.locator('.toast').filter({ hasText: same.number }).getByRole('button', { name: 'Undo' }).click();
    await desk.card(same.number).waitFor();
    expect((await desk.service.get('order', same.id)).mergedInto).toBeUndefined();
  });

  it('needs the fields that its kind of fault needs, photos among them', async () => {
    const { id, number } = await desk.order('3 Danger Road', 'danger');
    await desk.service.do({ type: 'order.assign', orderId: id, vehicleId: desk.trucks[1]!.id });
    for (const type of ['order.accept', 'order.depart', 'order.arrive', 'order.complete'] as const)
      await desk.service.do({ type, orderId: id });
    await desk.step(number, 'record');
    const form = desk.page.locator('dialog form');
    await form.locator('[name=cause]').fill('bare wire');
    await form.locator('[name=done]').fill('insulated');
    await form.locator('button[type=submit]').click();
    expect(
      await form
        .locator('input[type=file]')
        .evaluate((field) => (field as unknown as { validity: { valueMissing: boolean } }).validity.valueMissing),
    ).toBe(true);
    const picture = Buffer.from(await desk.page.screenshot({ clip: { x: 0, y: 0, width: 60, height: 40 } }));
    await form.locator('input[type=file]').setInputFiles({ name: 'wire.png', mimeType: 'image/png', buffer: picture });
    await form.locator('text=Photos (1').waitFor();
    await form.locator('button[type=submit]').click();
    await desk.service.until(async () => (await desk.service.get('order', id)).stage === 'recorded', 'recorded');
    await desk.card(number).locator('.card-title').click();
    const photo = desk.page.locator('.inspector figure img');
    await photo.waitFor();
    await expect
      .poll(() => photo.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth))
      .toBe(60);
    expect(await desk.page.locator('.inspector').innerText()).toContain('bare wire');
  });

  it('has a link for the customer', async () => {
    const { number } = await desk.order('4 Link Road');
    await desk.card(number).waitFor();
    await desk.step(number, 'status-link');
    await desk.page.getByRole('button', { name: 'Make the link' }).click();
    const link = await desk.page.locator('.status-link input').inputValue();
    const shown = await (await fetch(link, { headers: { accept: 'application/json' } })).json();
    expect(shown).toMatchObject({ number, progress: 'handedOn' });
    await desk.page.keyboard.press('Escape');
  });
});

it('never broke its content policy, failed in a script or asked another machine', () => {
  expect(desk.browser.complaints).toEqual([]);
});

function menuHas(truck: MenuTruck, number: string): boolean {
  return truck.client.answers.of(0x8301).some(({ body }) => {
    const list = decodeBody(0x8301, 2013, body);
    return list?.name === 'eventList' && (list.body.items ?? []).some(({ content = '' }) => content.includes(number.slice(-4))); // prettier-ignore
  });
}
