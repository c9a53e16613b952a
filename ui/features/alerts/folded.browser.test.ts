/** A storm in the browser: which alerts are folded, how many, what counts them, and that each can be opened. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Stage, seriousFindings, setStage } from '../../testing/browser.ts';
import { anAlertItem, anIncidentItem } from '../../testing/builders.ts';

let stage: Stage;
let page: Page | undefined;
const open = async (...args: Parameters<Stage['open']>): Promise<Page> => {
  page = await stage.open(...args);
  return page;
};
const OVERFLOW = 'prom-0f1e2d3c4b5a6978';

beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());
beforeEach(async () => {
  await page?.context().close();
  page = undefined;
  stage.fake.state.reset(
    [
      anIncidentItem({
        title: 'Checkout answers 5xx in eu-west',
        alerts: { firing: 2, resolved: 0, total: 2, folded: 2_500 },
      }),
    ],
    [
      anAlertItem({ title: 'Pod checkout-1 is crash looping' }),
      anAlertItem({
        name: OVERFLOW,
        title: 'Further KubePodCrashLooping alerts, folded',
        standsFor: { count: 2_600, firing: 2_500, expired: 60 },
      }),
      anAlertItem({
        name: 'prom-1111222233334444',
        uid: 'folded:demo/prom-1111222233334444',
        title: 'Pod checkout-2 is crash looping',
        foldedInto: OVERFLOW,
      }),
    ],
  );
});

describe('the alerts of an incident in a storm', () => {
  it('say how many of them are no objects, which of those shown are not, and what counts them', async () => {
    const at = await open('/incidents/demo/checkout-amber-falcon/alerts');
    await at.getByText('2600 further alerts of it, 2600 of them firing, found no room in the cluster').waitFor();
    await at.getByText('2 firing, 0 resolved of 2, and 2,500 folded that fire').waitFor();
    await at.getByText('The list has the 1 most urgent of 2,600').waitFor();
    await at.getByText('Stands for 2,600 folded alerts, 2,500 firing, 60 expired').waitFor();
    const row = at.locator('tr', { hasText: 'Pod checkout-2 is crash looping' });
    await row.getByText('Folded: kept in Postgres, counted by').waitFor();
    expect(await at.locator('tr', { hasText: 'Pod checkout-1 is crash looping' }).innerText()).not.toContain('Folded');
    expect(await seriousFindings(at)).toEqual([]);
  });

  it('can each be opened: a folded one says where it is kept, and leads to the Alert that counts it', async () => {
    const at = await open('/alerts?namespace=demo');
    await at.getByText('2,600 alerts are folded').waitFor();
    await at.getByRole('link', { name: 'Pod checkout-2 is crash looping' }).click();
    await at.getByRole('heading', { level: 1, name: 'Pod checkout-2 is crash looping' }).waitFor();
    await at.getByText('so it is no object of the cluster').waitFor();
    expect(await at.getByRole('heading', { name: 'YAML' }).count()).toBe(0);
    await at.getByRole('link', { name: OVERFLOW }).click();
    await at.getByRole('heading', { level: 1, name: 'Further KubePodCrashLooping alerts, folded' }).waitFor();
  });
});
