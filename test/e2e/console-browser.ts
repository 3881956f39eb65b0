/** The browser that the console's tests and pictures use: Debian's chromium, offline but for the gateway. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, errors, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { chromiumPath } from '../support/system.js';

const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]; // prettier-ignore

export interface Browser {
  context: BrowserContext;
  /** What pages complained about: errors of scripts, and of the content policy. */
  complaints: string[];
  close(): Promise<void>;
}

export interface BrowserLook {
  width?: number;
  height?: number;
  language?: 'zh-CN' | 'en';
  dark?: boolean;
}

/** A fresh browser with a profile of its own; a request to another machine fails and is complained about. */
export async function openBrowser({
  width = 1440,
  height = 900,
  language,
  dark = false,
}: BrowserLook = {}): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'linecrew-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    headless: true,
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    // Colours are looked at as they end, not in the middle of a change.
    reducedMotion: 'reduce',
    args: ARGUMENTS,
  });
  const complaints: string[] = [];
  await context.route(
    (url) => url.hostname !== '127.0.0.1',
    (route) => {
      complaints.push(`outside request: ${route.request().url()}`);
      return route.abort();
    },
  );
  context.on('weberror', (event) => {
    const error = event.error();
    complaints.push(`${event.page()?.url()}: ${error.name}: ${error.message} ${error.stack ?? ''}`);
  });
  context.on('console', (message) => {
    if (/Content Security Policy|Content-Security-Policy/i.test(message.text())) complaints.push(message.text());
  });
  if (language) {
    // The blank first page has no storage.
    await context.addInitScript(
      `if (location.protocol === 'http:') localStorage.setItem('linecrew.language', '${language}')`,
    );
  }
  return {
    context,
    complaints,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

export async function signIn(page: Page, url: string, name: string, password: string): Promise<void> {
  await page.goto(`${url}/sign-in`);
  await page.fill('input[name=name]', name);
  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
  await page.waitForSelector('.shell, .crew');
}

/** One try to press a step; a card that moves to another column meanwhile closes its menu. */
const STEP_TRY_MS = 2_000;
const STEP_TRIES = 10;

/** Presses a step of an order's card, opening the menu where it is not among the buttons. */
export async function chooseStep(card: Locator, step: string): Promise<void> {
  const button = card.locator(`[data-step="${step}"]`);
  for (let left = STEP_TRIES; ; left--) {
    try {
      if (!(await button.isVisible())) await card.locator('details summary').click({ timeout: STEP_TRY_MS });
      return await button.click({ timeout: STEP_TRY_MS });
    } catch (error) {
      if (!(error instanceof errors.TimeoutError) || left === 0) throw error;
    }
  }
}

/** The gateway serves `dist/console`: built here where nobody has built it. */
export function ensureConsoleBuilt(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  if (existsSync(join(root, 'dist/console/index.html'))) return;
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  execFileSync(process.execPath, [vite, 'build', '--logLevel', 'warn', '-c', 'dispatch/console/vite.config.ts'], {
    cwd: root,
  });
}

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** Violations of WCAG 2.1 A and AA on the page as it stands: rule and the elements that break it. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(
          root: unknown,
          options: unknown,
        ): Promise<{ violations: { id: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] }>;
      };
    };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
    const { violations } = await axe.run((globalThis as unknown as { document: unknown }).document, { runOnly: tags });
    return violations.map(
      (one) =>
        `${one.id}: ${one.nodes
          .slice(0, 3)
          .map((node) => `${String(node.target)} ${node.failureSummary ?? ''}`)
          .join(' | ')}`,
    );
  });
}
