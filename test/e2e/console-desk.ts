/** A desk: a gateway with two trucks, a browser that an administrator is signed in with, and what a dispatcher sees of them. */
import type { Locator, Page } from 'playwright-core';
import { chooseStep, type Browser } from './console-browser.js';
import { Office } from './console-office.js';
import { MenuTruck, SITE } from './menu-truck.js';
import type { Service } from './support.js';

export { SITE };

export class Desk {
  readonly trucks: MenuTruck[] = [];
  #calls = 0;

  private constructor(readonly office: Office) {}

  static async open(): Promise<Desk> {
    const office = await Office.open({ retryS: '1' });
    const desk = new Desk(office);
    for (const [index, name] of ['one', 'two'].entries()) {
      const truck = new MenuTruck(office.service, `truck-${name}`, `京A1000${index + 1}`, `1390000000${index + 1}`);
      desk.trucks.push(await truck.start());
    }
    await desk.page.addInitScript(`
      globalThis.soundsMade = 0;
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...given) { globalThis.soundsMade += 1; return start.apply(this, given); };
    `);
    await office.signIn();
    return desk;
  }

  async close(): Promise<void> {
    for (const truck of this.trucks) await truck.client?.end();
    await this.office.close();
  }

  get service(): Service {
    return this.office.service;
  }
  get browser(): Browser {
    return this.office.browser;
  }
  get page(): Page {
    return this.office.page;
  }
  get url(): string {
    return this.office.url;
  }

  /** An order at its repair centre. */
  async order(address: string, category = 'outage', place = SITE): Promise<{ id: string; number: string }> {
    const made = await this.service.do({
      type: 'order.create',
      customer: { name: 'Mr Chen', phone: `1380013${String(8000 + ++this.#calls)}` },
      site: { ...place, address },
      fault: { category, voltage: 'low', description: 'the whole house is dark' },
    });
    const orderId = String(made.orderId);
    await this.service.do({ type: 'order.issue', orderId, repairCentreId: 'centre-1' });
    return { id: orderId, number: String(made.number) };
  }

  show(path: string): Promise<void> {
    return this.office.show(path);
  }
  card(number: string): Locator {
    return this.page.locator(`.card[data-number="${number}"]`);
  }
  step(number: string, name: string): Promise<void> {
    return chooseStep(this.card(number), name);
  }
  /** Orders in the queue of a truck, on the board. */
  chips(truck: MenuTruck): Locator {
    return this.page.locator(`.lane[data-vehicle="${truck.id}"] .chip`);
  }
  tab(name: string): Locator {
    return this.page.locator(`.inspector [data-tab=${name}]`);
  }
  /** What was sent to the terminal, in the panel. */
  history(): Locator {
    return this.page.locator('.deliveries > li');
  }
}
