/** A gateway and a browser before it, in English: what every test of the console begins and ends with. */
import type { Page } from 'playwright-core';
import type { Role } from '../../dispatch/domain/events.js';
import { ensureConsoleBuilt, openBrowser, signIn, type Browser } from './console-browser.js';
import { Service } from './support.js';

export const PASSWORD = 'a long enough password';
/** Longer than anything that a loaded machine does to a page; what takes longer is broken. */
const PAGE_TIMEOUT_MS = 30_000;

export class Office {
  private constructor(
    readonly service: Service,
    readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** @param flags settings of the gateway by key */
  static async open(flags: Record<string, string> = {}): Promise<Office> {
    ensureConsoleBuilt();
    const service = await new Service({ language: 'en', ...flags }).start();
    const browser = await openBrowser({ language: 'en' });
    const page = browser.context.pages()[0]!;
    page.setDefaultTimeout(PAGE_TIMEOUT_MS);
    return new Office(service, browser, page);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.service.stop();
  }

  get url(): string {
    return this.service.gateway.url;
  }

  signIn(name = 'admin', page = this.page): Promise<void> {
    return signIn(page, this.url, name, PASSWORD);
  }

  async account(name: string, roles: readonly Role[], vehicleId?: string): Promise<void> {
    const { accounts } = this.service.gateway;
    await accounts.create({ name, fullName: name, roles: [...roles], password: PASSWORD, ...(vehicleId ? { vehicleId } : {}) }); // prettier-ignore
  }

  /** Goes to a path and waits until what it shows is live. */
  async show(path: string): Promise<void> {
    await this.page.goto(`${this.url}${path}`);
    await this.page.locator('.connection-live').waitFor();
  }
}
