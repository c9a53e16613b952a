/** What people see while alerts come in by the inbox, because the API server does not take them. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Stage, seriousFindings, setStage } from '../testing/browser.ts';
import { manyIncidents } from '../testing/builders.ts';
import { demoAlerts } from '../testing/fake-state.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());
afterEach(() => stage.fake.state.setSpare(undefined));

const AWAY = { why: 'apiServerAway', waiting: 12, since: '2026-01-01T12:00:00Z' } as const;
/** A busy machine takes longer than a poll waits by itself. */
const untilListening = () => expect.poll(() => stage.fake.streams(), { timeout: 20_000 }).toBe(1);
const bannerOf = (at: Page) => at.getByRole('status', { name: 'Alerts coming in' });

it('a banner says at once that new alerts wait, how many, and goes when they do not any more', async () => {
  const at = await stage.open('/incidents?namespace=demo');
  await at.getByRole('table', { name: 'Incidents' }).waitFor();
  const banner = bannerOf(at);
  expect(await banner.textContent()).toBe('');
  await untilListening();

  stage.fake.state.setSpare(AWAY);
  await banner
    .getByText('New alerts have not been shown here since Thu 01 Jan 2026 13:00:00 UTC+01:00')
    .waitFor({ timeout: 5_000 });
  await at.getByRole('region', { name: 'About the alerts that come in' }).getByText('12 wait now').waitFor();
  expect(await seriousFindings(at)).toEqual([]);
  // What is read out does not change with the number: nobody is told it anew every few seconds.
  const told = await banner.textContent();
  stage.fake.state.setSpare({ ...AWAY, waiting: 13 });
  await at.getByText('13 wait now').waitFor();
  expect(await banner.textContent()).toBe(told);

  await at.getByRole('link', { name: 'Which sources' }).click();
  await at.getByRole('table', { name: 'Sources' }).waitFor();
  stage.fake.state.setSpare({ ...AWAY, why: 'bothAway' });
  await banner.getByText('No alert has been stored').waitFor();

  stage.fake.state.setSpare(undefined);
  await expect.poll(() => banner.textContent(), { timeout: 5_000 }).toBe('');
  await at.context().close();
});

it('it is in view on every page, however far one has read, also on a narrow screen', async () => {
  const viewport = { width: 360, height: 740 };
  stage.fake.state.reset(manyIncidents(120), demoAlerts());
  stage.fake.state.setSpare({ why: 'late', waiting: 30_412, since: '2026-01-01T12:00:00Z' });
  const at = await stage.open('/incidents?namespace=demo', { viewport });
  for (const [path, sign] of [
    ['/incidents?namespace=demo', 'incidents in demo'],
    ['/incidents/demo/checkout-amber-falcon', 'Times in'],
    ['/incidents/demo/checkout-amber-falcon/yaml', 'kubectl edit'],
    ['/alerts?namespace=demo', 'alerts in demo'],
    ['/alerts/demo/prom-3f9c2a7d51e08b64', 'How it was read'],
    ['/sources?namespace=*', 'sources in all namespaces'],
    ['/sources/demo/prom', 'Connect a sender'],
    ['/nowhere', 'There is no such page'],
  ] as const) {
    await at.goto(stage.fake.url + path);
    await at.getByText(sign).first().waitFor();
    await bannerOf(at).getByText('Some new alerts have come late').waitFor();
    await at.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
    const box = await bannerOf(at).boundingBox();
    expect(box?.y, path).toBeGreaterThanOrEqual(0);
    expect((box?.y ?? 0) + (box?.height ?? 0), path).toBeLessThan(viewport.height / 2);
    // Not merely there: nothing lies over it.
    const isOnTop = await bannerOf(at).evaluate((one) => {
      const { left, top, height } = one.getBoundingClientRect();
      return one.contains(document.elementFromPoint(left + 8, top + Math.min(8, height / 2)));
    });
    expect(isOnTop, path).toBe(true);
    expect(await at.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(viewport.width);
  }
  await at.context().close();
});

it('another tab of the same browser, which listens to the stream of the first, shows it as well', async () => {
  const first = await stage.open('/incidents?namespace=demo');
  await untilListening();
  stage.fake.state.setSpare(AWAY);
  await first.getByText('12 wait now').waitFor();
  const second = await first.context().newPage();
  await second.goto(`${stage.fake.url}/alerts?namespace=demo`);
  await second.getByText('12 wait now').waitFor({ timeout: 5_000 });
  await first.context().close();
});

it('says that the history database cannot be reached, what works and what does not, and where alerts are turned away', async () => {
  const at = await stage.open('/incidents?namespace=demo', { viewport: { width: 360, height: 740 } });
  await untilListening();
  const since = '2026-01-01T12:00:00Z';
  stage.fake.state.setSpare({ why: 'databaseAway', waiting: 0, since });
  await bannerOf(at)
    .getByText(
      /The history database has not been reached since Thu 01 Jan 2026 13:00:00 UTC\+01:00 \(\d+d ago\): alerts still come in/,
    )
    .waitFor();
  expect(await at.getByRole('link', { name: 'Which sources' }).count()).toBe(0);
  for (const spare of [
    { why: 'databaseAway', waiting: 30_412, since },
    { why: 'full', waiting: 0, since },
    { why: 'databaseOld', waiting: 0, since, isRefusing: true },
    { why: 'databaseAway', waiting: 30_412, since, isRefusing: true },
  ] as const) {
    stage.fake.state.setSpare(spare);
    await bannerOf(at)
      .getByText('isRefusing' in spare ? 'some new alerts are turned away' : 'since')
      .waitFor();
    const banner = await bannerOf(at).locator('xpath=..').boundingBox();
    expect(banner?.height, spare.why).toBeLessThan(740 / 2);
  }
  await at.getByRole('link', { name: 'Which sources' }).click();
  await expect.poll(() => new URL(at.url()).search).toContain('traffic=Refused');
  await bannerOf(at).getByText('some new alerts are turned away').waitFor();
  await at.context().close();
});
