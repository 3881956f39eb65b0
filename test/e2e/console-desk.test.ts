/** What a dispatcher does at the desk with terminals, orders, alerts and replay, in a real browser and in real time. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { decodeBody, encodeParameter } from '../../protocol/index.js';
import { frameOf, locationBody, messageOf, type Answer, type TerminalForm } from '../gateway/support/frames.js';
import { TerminalClient } from '../gateway/support/terminal-client.js';
import { answering } from '../gateway/terminal/support.js';
import {
  accessibilityProblems,
  chooseStep,
  ensureConsoleBuilt,
  openBrowser,
  signIn,
  type Browser,
} from './console-browser.js';
import { person, Service } from './support.js';

const PASSWORD = 'a long enough password';
const SITE = { lat: 31.2304, lon: 121.4737 };

let service: Service;
let browser: Browser;
let page: Page;
let url: string;

/** A terminal with a menu that answers everything, or nothing while `silent`. */
class Truck {
  readonly form: TerminalForm;
  client!: TerminalClient;
  silent = false;
  readonly parameters = new Map<number, Uint8Array>();
  #serial = 30_000;

  constructor(
    readonly id: string,
    readonly plate: string,
    phone: string,
  ) {
    this.form = { phone, edition: 2013 };
    for (const { id: name, value } of [
      encodeParameter('heartbeatInterval', 60, 2013),
      encodeParameter('plate', plate, 2013),
    ])
      this.parameters.set(name, value);
  }

  async start(): Promise<this> {
    await service.do({
      type: 'vehicle.create', id: this.id, plate: this.plate, terminal: { phone: this.form.phone, profile: 'menu' },
      repairCentreId: 'centre-1', trade: 'lowVoltage', language: 'en',
      crew: { name: `crew of ${this.plate}`, members: [{ name: 'Li', phone: '13700000001' }] },
    }); // prettier-ignore
    this.client = await TerminalClient.open(service.gateway.ports.tcp!, this.form);
    await this.client.enrol();
    answering(this.client, this.form, (asked, serial) => this.#reply(asked, serial));
    return this;
  }

  #reply({ messageId, serial: replySerial, body }: Answer, serial: number): Uint8Array[] | undefined {
    const { form } = this;
    if (this.silent) return [];
    if (messageId === 0x8104) {
      const parameters = [...this.parameters].map(([id, value]) => ({ id, value }));
      return [messageOf(form, 'parameters', 0x0104, serial, { replySerial, parameters, trailing: new Uint8Array(0) })];
    }
    if (messageId === 0x8103) {
      const set = decodeBody(messageId, 2013, body);
      if (set?.name === 'setParameters')
        for (const { id, value } of set.body.parameters) this.parameters.set(id, value);
    }
    return undefined;
  }

  #next(): number {
    return (this.#serial = (this.#serial + 1) & 0xffff);
  }

  /** A position, with the alarm word of 0x0200. */
  async report(alarm = 0, at = Date.now()): Promise<void> {
    const serial = this.#next();
    this.client.send(frameOf(this.form, 0x0200, serial, locationBody({ at, latE6: SITE.lat * 1e6, lonE6: SITE.lon * 1e6, alarm }))); // prettier-ignore
    expect(await this.client.acknowledged(0x0200, serial)).toBe(0);
  }

  /** A key of the menu: the newest line that was shown for this order and step. */
  press(line: string): void {
    const lists = this.client.answers.of(0x8301).map(({ body }) => decodeBody(0x8301, 2013, body));
    const items = lists.flatMap((one) => (one?.name === 'eventList' ? (one.body.items ?? []) : []));
    const found = items.findLast(({ content = '' }) => content.includes(line));
    if (!found) throw new Error(`the menu has no line "${line}"`);
    this.client.send(frameOf(this.form, 0x0301, this.#next(), Uint8Array.of(found.id)));
  }

  answerQuestion(asked: Answer, answerId: number): void {
    const body = { replySerial: asked.serial, answerId };
    this.client.send(messageOf(this.form, 'questionAnswer', 0x0302, this.#next(), body));
  }

  /** One photo in one frame. */
  async uploadPhoto(mediaId: number, bytes: Uint8Array): Promise<void> {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(mediaId, 0);
    head.writeUInt8(1, 7);
    const place = locationBody({ at: Date.now(), latE6: SITE.lat * 1e6, lonE6: SITE.lon * 1e6 }).subarray(0, 28);
    this.client.send(frameOf(this.form, 0x0801, this.#next(), Buffer.concat([head, place, bytes])));
    await service.until(
      async () => (await service.gateway.dispatch.scan({ index: 'media.vehicle', limit: 9 })).items.length > 0,
      'the photo',
    );
  }
}

const trucks: Truck[] = [];
let calls = 0;

/** An order at its repair centre. */
async function order(address: string, category = 'outage', place = SITE): Promise<{ id: string; number: string }> {
  const made = await service.do({
    type: 'order.create',
    customer: { name: 'Mr Chen', phone: `1380013${String(8000 + ++calls)}` },
    site: { ...place, address },
    fault: { category, voltage: 'low', description: 'the whole house is dark' },
  });
  const orderId = String(made.orderId);
  await service.do({ type: 'order.issue', orderId, repairCentreId: 'centre-1' });
  return { id: orderId, number: String(made.number) };
}

const show = async (path: string): Promise<void> => {
  await page.goto(`${url}${path}`);
  await page.locator('.connection-live').waitFor();
};
const card = (number: string) => page.locator(`.card[data-number="${number}"]`);
const chips = (truck: Truck) => page.locator(`.lane[data-vehicle="${truck.id}"] .chip`);
const tab = (name: string) => page.locator(`.inspector [data-tab=${name}]`);
const history = () => page.locator('.deliveries > li');

const step = (number: string, name: string): Promise<void> => chooseStep(card(number), name);

beforeAll(async () => {
  ensureConsoleBuilt();
  service = await new Service({ language: 'en', retryS: '1' }).start();
  url = service.gateway.url;
  for (const [index, name] of ['one', 'two'].entries())
    trucks.push(await new Truck(`truck-${name}`, `京A1000${index + 1}`, `1390000000${index + 1}`).start());
  browser = await openBrowser({ language: 'en' });
  page = browser.context.pages()[0]!;
  page.setDefaultTimeout(20_000);
  await page.addInitScript(`
    globalThis.soundsMade = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...given) { globalThis.soundsMade += 1; return start.apply(this, given); };
  `);
  await signIn(page, url, 'admin', PASSWORD);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  for (const truck of trucks) await truck.client?.end();
  await service?.stop();
}, 60_000);

describe.sequential('the panel of a vehicle', () => {
  it('reads parameters into a table with names and units, and sets one', async () => {
    await show(`/vehicle/${trucks[0]!.id}`);
    await tab('terminal').click();
    await page.locator('[data-function=parameters]').click();
    const row = page.locator('[data-parameter=heartbeatInterval]');
    await row.waitFor();
    await page.locator('[data-do=read]').click();
    await row.locator('[data-value="60"]').waitFor();
    expect(await row.innerText()).toContain('Heartbeat interval');
    expect(await row.locator('td').first().innerText()).toBe('60 s');
    expect(await accessibilityProblems(page)).toEqual([]);
    await row.locator('input').fill('45');
    await page.locator('.parameters button[type=submit]').click();
    await row.locator('[data-value="45"]').waitFor();
    await page.keyboard.press('Escape');
    expect(trucks[0]!.parameters.get(1)).toEqual(encodeParameter('heartbeatInterval', 45, 2013).value);
  });

  it('asks the driver and shows the answer', async () => {
    await page.locator('[data-function=question]').click();
    const form = page.locator('[data-form=question]');
    await form.locator('[name=question]').fill('Need spare parts?');
    await form.locator('[name=answers]').fill('Yes\nNo');
    await form.locator('button[type=submit]').click();
    const item = history().filter({ hasText: 'Need spare parts?' });
    await item.filter({ hasText: 'has not answered yet' }).waitFor();
    const asked = await trucks[0]!.client.answer(0x8302);
    trucks[0]!.answerQuestion(asked, 2);
    expect(await item.locator('.driver-answer b').innerText()).toBe('No');
    await expect.poll(() => item.getAttribute('data-state')).toBe('receipted');
  });

  it('sets a circle, and a phone book, from the forms below the everyday ones', async () => {
    await page.locator('.rare-functions summary').click();
    await page.locator('[data-function=circle-set]').click();
    const circle = page.locator('[data-form=circle-set]');
    await circle.locator('[name=id]').fill('7');
    await circle.locator('[name=centre]').fill('31.2304, 121.4737');
    await circle.locator('[name=dailyFrom]').fill('08:30');
    await circle.locator('[name=dailyTo]').fill('18:00:10');
    await circle.locator('[name=topKmh]').fill('60');
    expect(await accessibilityProblems(page)).toEqual([]);
    await circle.locator('button[type=submit]').click();
    const asked = await trucks[0]!.client.answer(0x8600);
    expect(decodeBody(0x8600, 2013, asked.body)).toMatchObject({
      body: {
        areas: [{
          id: 7, latitudeE6: 31_230_400, longitudeE6: 121_473_700, radiusM: 200, topSpeedKmh: 60,
          startTime: '000000083000', endTime: '000000180010',
        }],
      },
    }); // prettier-ignore
    await history().filter({ hasText: 'Set a circle by hand' }).filter({ hasText: 'receipted' }).waitFor();
    await page.locator('[data-function=phone-book]').click();
    const book = page.locator('[data-form=phone-book]');
    await book.locator('[name=contacts]').fill('95598, Hotline\n13800000000，Ma');
    await book.locator('button[type=submit]').click();
    const contacts = decodeBody(0x8401, 2013, (await trucks[0]!.client.answer(0x8401)).body);
    expect(contacts).toMatchObject({ body: { contacts: [{ number: '95598', name: 'Hotline' }, { number: '13800000000', name: 'Ma' }] } }); // prettier-ignore
    // What the server does not take is said in the form, and nothing that was entered is lost.
    await page.locator('[data-function=polygon-set]').click();
    const polygon = page.locator('[data-form=polygon-set]');
    await polygon.locator('[name=id]').fill('8');
    await polygon.locator('[name=points]').fill('31.2, 121.4\n31.3, 121.4');
    await polygon.locator('button[type=submit]').click();
    await polygon.getByRole('alert').waitFor();
    expect(await polygon.locator('[name=points]').inputValue()).toContain('31.3, 121.4');
    await polygon.getByRole('button', { name: 'Cancel' }).click();
  });

  it('says when a call was given up, with its attempts', async () => {
    trucks[0]!.silent = true;
    try {
      await page.locator('[data-function=follow]').click();
      const form = page.locator('[data-form=follow]');
      await form.locator('[name=timeoutS]').selectOption('60');
      await form.locator('button[type=submit]').click();
      const item = history().filter({ hasText: 'Follow closely' });
      await item.filter({ hasText: 'given up in' }).waitFor();
      await item.filter({ hasText: 'sent 2×' }).waitFor();
    } finally {
      trucks[0]!.silent = false;
    }
    await history().filter({ hasText: 'Follow closely' }).filter({ hasText: 'receipted' }).waitFor();
  });

  it('shows photos with place and time', async () => {
    const png = Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0xe0), randomBytes(200), Buffer.of(0xff, 0xd9)]);
    await tab('photos').click();
    await trucks[0]!.uploadPhoto(77, png);
    const photo = page.locator('figure[data-photo]').first();
    await photo.waitFor();
    expect(await photo.locator('figcaption').innerText()).toMatch(
      /\d\d:\d\d:\d\d · camera \d[^]*31\.23040, 121\.47370/,
    );
    const answer = await page.request.get(`${url}${await photo.getAttribute('data-photo')}`);
    expect([answer.status(), answer.headers()['content-type']]).toEqual([200, 'image/jpeg']);
    await photo.locator('button.photo').click();
    await page.locator('dialog.photo-large img').waitFor({ state: 'attached' });
    await page.keyboard.press('Escape');
  });

  it('sends the texts of the open orders again', async () => {
    const { number, id } = await order('1 Resend Road');
    await service.do({ type: 'order.assign', orderId: id, vehicleId: trucks[0]!.id });
    await tab('deliveries').click();
    const texts = () => trucks[0]!.client.answers.of(0x8300).filter(({ body }) => textOf(body).includes(number)).length;
    await trucks[0]!.client.until(() => texts() === 1, 'the text of the order');
    await history().filter({ hasText: 'Order' }).filter({ hasText: 'receipted' }).first().waitFor();
    await page.locator('[data-do=resend]').click();
    await trucks[0]!.client.until(() => texts() === 2, 'the same text again');
    expect(await accessibilityProblems(page)).toEqual([]);
    await service.do({ type: 'order.withdraw', orderId: id, reason: 'the end of this test' });
  });
});

function textOf(body: Uint8Array): string {
  const decoded = decodeBody(0x8300, 2013, body);
  return decoded?.name === 'text' ? decoded.body.text : '';
}

describe.sequential('an alert', () => {
  it('of one truck sounds, is acknowledged by name and ends on every desk', async () => {
    const names = ['dispatcher', 'agent', 'supervisor'] as const;
    await service.gateway.accounts.create({ name: 'wang', fullName: 'Wang', roles: [...names], password: PASSWORD });
    const other = await openBrowser({ language: 'en' });
    try {
      const desk = other.context.pages()[0]!;
      await signIn(desk, url, 'wang', PASSWORD);
      await desk.locator('.connection-live').waitFor();
      await show(`/vehicle/${trucks[1]!.id}`);
      await tab('overview').click();
      await trucks[1]!.report(1);
      const [mine, theirs] = [page, desk].map((one) => one.locator('.alerts-panel .notice.severity-sos'));
      await page.locator('.alerts-button').click();
      await desk.locator('.alerts-button').click();
      await mine!.waitFor();
      await theirs!.waitFor();
      expect(await page.evaluate('globalThis.soundsMade')).toBeGreaterThan(0);
      await theirs!.locator('[data-do=acknowledge]').click();
      // Nobody is asked any more; it goes on while the button is held down.
      await mine!.waitFor({ state: 'detached' });
      await page.locator('.alerts-panel [data-tab=all]').click();
      expect(await mine!.innerText()).toContain('Acknowledged by wang');
      // A terminal goes on reporting; changes are told at most every two seconds.
      await service.until(async () => {
        await trucks[1]!.report(0);
        return (await service.get('alarms', trucks[1]!.id)).active[0] === undefined;
      }, 'the end of the alarm');
      await mine!.waitFor({ state: 'detached' });
      await desk.locator('.alerts-panel [data-tab=ended]').click();
      expect(await theirs!.innerText()).toContain('Ended');
      await page.keyboard.press('a');
      const alarm = page.locator('[data-alarm=sos]');
      await alarm.filter({ hasText: 'over' }).waitFor();
      expect(await alarm.innerText()).toContain('Acknowledged by wang');
      expect(other.complaints).toEqual([]);
    } finally {
      await other.close();
    }
  }, 60_000);
});

describe.sequential('an order', () => {
  it('that no rule fits is issued to the repair centre that the person names', async () => {
    const made = await service.do({
      type: 'order.create',
      customer: { name: 'Mr Chen', phone: '13800138999' },
      site: { ...SITE, address: '9 Nowhere Road' },
      fault: { category: 'outage', voltage: 'other', description: 'no rule is for this' },
    });
    const number = String(made.number);
    await show('/board');
    await step(number, 'issue');
    const dialog = page.locator('dialog').filter({ hasText: 'No rule fits' });
    await dialog.locator('[type=radio][value="centre-1"]').check();
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.locator('button[type=submit]').click();
    await page.locator('[data-column=toAssign]').locator(`[data-number="${number}"]`).waitFor();
    expect((await service.get('order', String(made.orderId))).repairCentreId).toBe('centre-1');
  });

  let first: { id: string; number: string };
  let second: { id: string; number: string };

  it('is assigned from the recommendations, which say why', async () => {
    first = await order('1 Spring Road');
    await show('/board');
    await step(first.number, 'assign');
    const candidate = page.locator('dialog .candidate').filter({ hasText: trucks[0]!.plate });
    await candidate.locator('.reasons li').nth(1).waitFor();
    await candidate.locator('button').click();
    await chips(trucks[0]!)
      .filter({ hasText: first.number.slice(-4) })
      .waitFor();
  });

  it('is moved inside the queue by dragging, and put back by undo', async () => {
    second = await order('2 Summer Road', 'outage', { lat: SITE.lat + 0.02, lon: SITE.lon });
    await service.do({ type: 'order.assign', orderId: second.id, vehicleId: trucks[0]!.id });
    await chips(trucks[0]!).nth(1).waitFor();
    const queue = async (): Promise<string[]> =>
      (await service.get('vehicle', trucks[0]!.id)).queue.entries.map((entry) => entry.orderId);
    expect(await queue()).toEqual([first.id, second.id]);
    await chips(trucks[0]!).nth(1).dragTo(chips(trucks[0]!).nth(0));
    await service.until(async () => (await queue())[0] === second.id, 'the new order of the queue');
    await chips(trucks[0]!)
      .first()
      .filter({ hasText: second.number.slice(-4) })
      .waitFor();
    await page.locator('.toast').filter({ hasText: 'queue was changed' }).getByRole('button', { name: 'Undo' }).click();
    await service.until(async () => (await queue())[0] === first.id, 'the old order of the queue');
  });

  it('is corrected, and the correction can be undone', async () => {
    await step(second.number, 'edit');
    await page.locator('dialog [name=address]').fill('20 Summer Road');
    await page.locator('dialog [name=urgent]').check();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.locator('dialog button[type=submit]').click();
    await card(second.number).filter({ hasText: '20 Summer Road' }).waitFor();
    expect(await service.get('order', second.id)).toMatchObject({ priority: 'urgent', site: { ...SITE, lat: SITE.lat + 0.02, address: '20 Summer Road' } }); // prettier-ignore
    await page.locator('.toast').filter({ hasText: 'Edit' }).getByRole('button', { name: 'Undo' }).click();
    await service.until(async () => (await service.get('order', second.id)).site.address === '2 Summer Road', 'undone');
    expect((await service.get('order', second.id)).priority).toBe('normal');
  });

  it('is recalled; a key pressed on the way becomes a conflict that a person decides', async () => {
    const truck = trucks[0]!;
    await truck.client.until(() => menuHas(truck, first.number), 'the line of the order');
    truck.silent = true;
    await step(first.number, 'recall');
    await page.locator('dialog textarea').fill('wrong truck');
    await page.locator('dialog button[type=submit]').click();
    await chips(truck)
      .filter({ hasText: first.number.slice(-4) })
      .filter({ hasText: 'Recalling' })
      .waitFor();
    truck.press(`${first.number.slice(-4)} accept`);
    const conflict = page.locator('.notice.kind-conflict').filter({ hasText: first.number });
    await conflict.waitFor();
    expect(await conflict.innerText()).toContain('reported “accept” while the recall was on its way');
    truck.silent = false;
    await conflict.getByRole('button', { name: 'Keep', exact: true }).click();
    await conflict.waitFor({ state: 'detached' });
    await chips(truck)
      .filter({ hasText: first.number.slice(-4) })
      .filter({ hasText: 'Accepted' })
      .waitFor();
  });

  it('that a crew does not take goes to the crew that a card proposes', async () => {
    const { id, number } = await order('5 Silent Road');
    await service.do({ type: 'order.assign', orderId: id, vehicleId: trucks[0]!.id });
    await service.gateway.dispatch.execute(
      { type: 'order.proposeCrew', orderId: id, leg: 1, vehicleId: trucks[1]!.id, reasons: ['near'] },
      person,
    );
    const proposal = page.locator('.conflicts .notice').filter({ hasText: number });
    await proposal.waitFor();
    expect(await proposal.innerText()).toContain(trucks[1]!.plate);
    await proposal.getByRole('button', { name: 'Reassign' }).click();
    const proposed = page.locator('dialog .candidate').first();
    await proposed.filter({ hasText: trucks[1]!.plate }).filter({ hasText: 'Proposed' }).waitFor();
    await proposed.locator('button').click();
    await chips(trucks[1]!)
      .filter({ hasText: number.slice(-4) })
      .waitFor();
    await proposal.waitFor({ state: 'detached' });
    await service.do({ type: 'order.withdraw', orderId: id, reason: 'the end of this test' });
  });

  it('for which the customer called again stands above others and shows how often', async () => {
    const earlier = await order('6 Quiet Road');
    const urged = await order('7 Urged Road');
    const place = async (number: string): Promise<number> => {
      const all = await page
        .locator('[data-column=toAssign] .card')
        .evaluateAll((cards) =>
          cards.map((one) => (one as unknown as { dataset: Record<string, string> }).dataset['number']),
        );
      return all.indexOf(number);
    };
    await expect.poll(() => place(urged.number)).toBeGreaterThan(await place(earlier.number));
    for (const note of ['still dark', 'where are you'])
      await service.do({ type: 'order.urge', orderId: urged.id, note });
    await card(urged.number).locator('[title*="2"]').filter({ hasText: '2' }).waitFor();
    await expect.poll(async () => (await place(urged.number)) < (await place(earlier.number))).toBe(true);
    await page.locator('.alerts-button').click();
    const alert = page.locator('.alerts-panel .notice').filter({ hasText: urged.number });
    expect(await alert.first().innerText()).toContain('the customer called again (urge 2)');
    await page.locator('.alerts-panel').press('Escape');
    for (const one of [earlier, urged])
      await service.do({ type: 'order.withdraw', orderId: one.id, reason: 'the end of this test' });
  });

  it('is merged with another report of the same outage, and taken apart again', async () => {
    const same = await order('1 Spring Road, flat 2');
    await card(same.number).waitFor();
    await step(same.number, 'merge');
    await page.locator('dialog .candidate').filter({ hasText: first.number }).getByRole('button').click();
    await service.until(async () => (await service.get('order', same.id)).mergedInto === first.id, 'merged');
    await card(first.number).locator('[title="1 merged"]').waitFor();
    await page.locator('.toast').filter({ hasText: same.number }).getByRole('button', { name: 'Undo' }).click();
    await card(same.number).waitFor();
    expect((await service.get('order', same.id)).mergedInto).toBeUndefined();
  });

  it('needs the fields that its kind of fault needs, photos among them', async () => {
    const { id, number } = await order('3 Danger Road', 'danger');
    await service.do({ type: 'order.assign', orderId: id, vehicleId: trucks[1]!.id });
    for (const type of ['order.accept', 'order.depart', 'order.arrive', 'order.complete'] as const)
      await service.do({ type, orderId: id });
    await step(number, 'record');
    const form = page.locator('dialog form');
    await form.locator('[name=cause]').fill('bare wire');
    await form.locator('[name=done]').fill('insulated');
    await form.locator('button[type=submit]').click();
    expect(
      await form
        .locator('input[type=file]')
        .evaluate((field) => (field as unknown as { validity: { valueMissing: boolean } }).validity.valueMissing),
    ).toBe(true);
    const picture = Buffer.from(await page.screenshot({ clip: { x: 0, y: 0, width: 60, height: 40 } }));
    await form.locator('input[type=file]').setInputFiles({ name: 'wire.png', mimeType: 'image/png', buffer: picture });
    await form.locator('text=Photos (1').waitFor();
    await form.locator('button[type=submit]').click();
    await service.until(async () => (await service.get('order', id)).stage === 'recorded', 'recorded');
    await card(number).locator('.card-title').click();
    const photo = page.locator('.inspector figure img');
    await photo.waitFor();
    await expect
      .poll(() => photo.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth))
      .toBe(60);
    expect(await page.locator('.inspector').innerText()).toContain('bare wire');
  });

  it('has a link for the customer', async () => {
    const { number } = await order('4 Link Road');
    await card(number).waitFor();
    await step(number, 'status-link');
    await page.getByRole('button', { name: 'Make the link' }).click();
    const link = await page.locator('.status-link input').inputValue();
    const shown = await (await fetch(link, { headers: { accept: 'application/json' } })).json();
    expect(shown).toMatchObject({ number, progress: 'handedOn' });
    await page.keyboard.press('Escape');
  });
});

describe.sequential('replay', () => {
  it('shows what happened, and what the office knew then', async () => {
    const { id } = await order('5 Late Road');
    await service.do({ type: 'order.assign', orderId: id, vehicleId: trucks[1]!.id });
    await service.do({ type: 'order.accept', orderId: id });
    const assigned = (await service.get('order', id)).legs[0]!.createdAt;
    // It departed right after that, then the customer called again; the office hears of the departure only now.
    await service.until(async () => Date.now() > assigned + 1_500, 'a second passes');
    await service.do({ type: 'order.urge', orderId: id });
    await service.do({ type: 'order.depart', orderId: id, at: assigned + 1_000 });
    await show(`/replay?order=${id}`);
    const events = page.locator('.replay-events li');
    const before = async (one: string, other: string): Promise<boolean> => {
      const texts = await events.allInnerTexts();
      const [first, second] = [one, other].map((words) => texts.findIndex((text) => text.includes(words)));
      return first! >= 0 && second! >= 0 && first! < second!;
    };
    await events.filter({ hasText: 'Departed' }).first().waitFor();
    expect([await before('G Departed', 'Urged'), await before('En route', 'Urged')]).toEqual([true, true]);
    await page.getByRole('button', { name: 'What the office knew' }).click();
    await expect.poll(() => before('Urged', 'G Departed')).toBe(true);
    expect(await before('Urged', 'En route')).toBe(true);
    const bar = page.locator('.time-bar input');
    const began = Number(await bar.inputValue());
    await page.selectOption('.replay-controls select', '64');
    await page.locator('.replay-controls .primary').click();
    await expect.poll(async () => Number(await bar.inputValue()), { timeout: 15_000 }).toBeGreaterThan(began + 20_000);
    await page.locator('.time-bar .tick.main').first().waitFor({ state: 'attached' });
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});

describe.sequential('the line', () => {
  it('is polled where streams are held back, says so, and is live again when they come through', async () => {
    await browser.context.route('**/api/v1/stream*', (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: '' })); // prettier-ignore
    try {
      await page.goto(`${url}/board`);
      await page.locator('.connection-polling').waitFor({ timeout: 30_000 });
      const { number } = await order('6 Polling Road');
      await card(number).waitFor();
    } finally {
      await browser.context.unroute('**/api/v1/stream*');
    }
    await page.locator('.connection-live').waitFor({ timeout: 60_000 });
    const { number } = await order('7 Stream Road');
    await card(number).waitFor();
  }, 120_000);

  it('is live again after a stream that was cut, with what happened meanwhile', async () => {
    let cuts = 0;
    // Cut while it is asked for: what a gateway that restarts looks like.
    await browser.context.route('**/api/v1/stream*', (route) => {
      cuts += 1;
      return route.abort('connectionreset');
    });
    try {
      await page.goto(`${url}/board`);
      await page.locator('.banner.bad').waitFor({ timeout: 30_000 });
      await expect.poll(() => cuts, { timeout: 30_000 }).toBeGreaterThan(3);
      // A network that is down is no reason to poll for ever.
      expect(await page.locator('.connection-polling').count()).toBe(0);
    } finally {
      await browser.context.unroute('**/api/v1/stream*');
    }
    const { number } = await order('8 Cut Road');
    await page.locator('.connection-live').waitFor({ timeout: 60_000 });
    await card(number).waitFor();
  }, 120_000);

  it('never broke its content policy, failed in a script or asked another machine', () => {
    expect(browser.complaints).toEqual([]);
  });
});

function menuHas(truck: Truck, number: string): boolean {
  return truck.client.answers.of(0x8301).some(({ body }) => {
    const list = decodeBody(0x8301, 2013, body);
    return list?.name === 'eventList' && (list.body.items ?? []).some(({ content = '' }) => content.includes(number.slice(-4))); // prettier-ignore
  });
}
