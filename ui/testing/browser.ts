/** Chromium on the built pages against the fake API: what every browser test begins with. */
import { execFileSync } from 'node:child_process';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildPages } from './build.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Stage {
  fake: FakeApi;
  /** A signed-in page in a browser profile of its own. */
  open(path: string, options?: BrowserContextOptions & { isSignedOut?: boolean }): Promise<Page>;
  close(): Promise<void>;
}

/** Where Chromium is; throws with how to get it. */
export function chromiumPath(): string {
  try {
    return execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
  } catch {
    throw new Error('No chromium on the PATH: install it (Debian: apt-get install chromium) to run the browser tests.');
  }
}

/** Builds if needed, starts the fake and the browser. */
export async function setStage(): Promise<Stage> {
  await buildPages();
  const fake = await startFakeApi();
  const browser: Browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_FLAGS });
  return {
    fake,
    async open(path, { isSignedOut = false, ...options } = {}) {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        timezoneId: 'Europe/Oslo',
        locale: 'en-GB',
        ...options,
      });
      context.setDefaultTimeout(20_000);
      if (!isSignedOut)
        await context.addCookies([
          { name: 'funnelai_session', value: fake.state.token, url: fake.url, httpOnly: true },
        ]);
      const page = await context.newPage();
      await page.goto(fake.url + path);
      return page;
    },
    async close() {
      await browser.close();
      await fake.close();
    },
  };
}

/** The serious and critical findings of axe, as lines that say what and where. */
export async function seriousFindings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`));
}
