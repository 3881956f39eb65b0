/** A desk: a gateway with two trucks, a browser that an administrator is signed in with, and what a dispatcher sees of them. */
import type { Locator, Page } from 'playwright-core';
import { chooseStep, ensureConsoleBuilt, openBrowser, signIn, type Browser } from './console-browser.js';
import { MenuTruck, SITE } from './menu-truck.js';
import { Service } from './support.js';

export { SITE };
export const PASSWORD = 'a long enough password';

export class Desk {
  readonly trucks: MenuTruck[] = [];
  #calls = 0;

  private constructor(
    readonly service: Service,
    readonly browser: Browser,
    readonly page: Page,
  ) {}

  static async open(): Promise<Desk> {
    ensureConsoleBuilt();
    const service = await new Service({ language: 'en', retryS: '1' }).start();
    const browser = await openBrowser({ language: 'en' });
    const desk = new Desk(service, browser, browser.context.pages()[0]!);
    for (const [index, name] of ['one', 'two'].entries()) {
      const truck = new MenuTruck(service, `truck-${name}`, `京A1000${index + 1}`, `1390000000${index + 1}`);
      desk.trucks.push(await truck.start());
    }
    desk.page.setDefaultTimeout(20_000);
    await desk.page.addInitScript(`
      globalThis.soundsMade = 0;
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...given) { globalThis.soundsMade += 1; return start.apply(this, given); };
    `);
    await signIn(desk.page, desk.url, 'admin', PASSWORD);
    return desk;
  }

  async close(): Promise<void> {
    await this.browser.close();
    for (const truck of this.trucks) await truck.client?.end();
    await this.service.stop();
  }

  get url(): string {
    return this.service.gateway.url;
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

  async show(path: string): Promise<void> {
    await this.page.goto(`${this.url}${path}`);
    await this.page.locator('.connection-live').waitFor();
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
