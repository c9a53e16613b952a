/** What people see while alerts come in by the inbox, because the API server does not take them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stage, seriousFindings, setStage } from '../testing/browser.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());

it('a banner says that new alerts wait, how many, and goes when they do not any more', async () => {
  const at = await stage.open('/incidents?namespace=demo');
  await at.getByRole('table', { name: 'Incidents' }).waitFor();
  const banner = at.getByRole('status', { name: 'Alerts coming in' });
  expect(await banner.textContent()).toBe('');
  await expect.poll(() => stage.fake.streams()).toBe(1);

  stage.fake.state.setSpare({ why: 'apiServerAway', waiting: 12, since: '2026-01-01T12:00:00Z' });
  await banner.getByText('12 alerts wait there').waitFor();
  expect(await banner.textContent()).toContain('the API server has not taken any since 13:00:00');
  expect(await seriousFindings(at)).toEqual([]);

  stage.fake.state.setSpare(undefined);
  await expect.poll(() => banner.textContent()).toBe('');
  await at.context().close();
});

it('a page that is opened meanwhile shows it as well', async () => {
  stage.fake.state.setSpare({ why: 'late', waiting: 3, since: '2026-01-01T12:00:00Z' });
  const at = await stage.open('/alerts?namespace=demo', { viewport: { width: 390, height: 800 } });
  await at.getByText('Some new alerts are late').waitFor();
  expect(await at.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  stage.fake.state.setSpare(undefined);
  await at.context().close();
});
