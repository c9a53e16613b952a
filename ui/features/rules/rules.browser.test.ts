/** Rules in the browser: which there are, which of them work, what each took; and from an incident or an alert to the rule that did it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Stage, seriousFindings, setStage } from '../../testing/browser.ts';
import { anIncidentItem } from '../../testing/builders.ts';
import { createFakeRules } from '../../testing/fake-rules.ts';
import { demoAlerts } from '../../testing/fake-state.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());
beforeEach(() => {
  stage.fake.state.rules = createFakeRules();
  stage.fake.state.reset([anIncidentItem()], demoAlerts());
  Object.assign(stage.fake.state.faults, { readOnly: false, failing: false });
});

describe('the list of rules', () => {
  it('has them in the order in which they are tried, says why one is skipped, and finds by label', async () => {
    const page = await stage.open('/incidents?namespace=demo');
    await page.getByRole('table', { name: 'Incidents' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    const rows = page.getByRole('table', { name: 'Rules' }).locator('tbody tr');
    await rows.first().waitFor();
    expect(await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-name')))).toEqual([
      'watchdog',
      'pods',
      'disks',
      'old',
    ]);
    const disks = rows.filter({ hasText: 'disks' });
    await disks.getByText('Not ready').waitFor();
    await disks.getByText('line 1, column 12').waitFor();
    await rows.filter({ hasText: 'old' }).getByText('Suspended').waitFor();
    expect(await rows.filter({ hasText: 'pods' }).innerText()).toMatch(/36\/48\s+6 open/);
    await page.getByText('It has 5 alerts, 4 of them firing; 3 open incidents.').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('watchdog');
    await page.getByText('1 rule in demo, matching “watchdog”').waitFor();
    await page.getByText('Only records').waitFor();
    await page.context().close();
  });

  it('says nothing of what they took to who may not list it', async () => {
    stage.fake.state.rules.showsTakes = false;
    const page = await stage.open('/rules?namespace=demo');
    const row = page.getByRole('table', { name: 'Rules' }).locator('tbody tr[data-name=pods]');
    await row.waitFor();
    expect(await row.innerText()).not.toMatch(/open|48/);
    expect(await page.getByText('It has').count()).toBe(0);
    await row.getByRole('link').click();
    await page.getByText('you may not list alerts and incidents here').waitFor();
    expect(await page.getByRole('heading', { name: 'What it took' }).count()).toBe(0);
    await page.context().close();
  });

  it('has room for the menu of four pages on a narrow phone', async () => {
    const page = await stage.open('/rules?namespace=demo', { viewport: { width: 360, height: 740 } });
    const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
    await links.filter({ hasText: 'Rules' }).waitFor();
    const edges = await links.evaluateAll((all) =>
      all.map((link) => link.getBoundingClientRect()).map(({ left, right }) => [left, right]),
    );
    for (const [left = -1, right = 1_000] of edges) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(360);
    }
    expect(edges).toHaveLength(4);
    await page.context().close();
  });
});

describe('a rule', () => {
  it('says what it takes, what becomes of that, and what it took; from the incident one comes to it', async () => {
    const page = await stage.open('/incidents/demo/checkout-amber-falcon');
    await page.getByRole('complementary', { name: 'Details' }).getByRole('link', { name: 'pods', exact: true }).click();
    await page.getByRole('heading', { name: 'pods', level: 1 }).waitFor();
    const becomes = page.getByRole('region', { name: 'What becomes of them' });
    expect(await becomes.innerText()).toMatch(
      /equal namespace; without it the value is empty[\s\S]*while no person has it/,
    );
    await page.getByRole('region', { name: 'Which alerts it takes' }).getByText('severity!="none"').waitFor();
    await page.getByText('48 alerts, 36 of them firing; 6 open incidents').waitFor();
    await page.getByText('The 20 most urgent of 48.').waitFor();
    await page.getByText('kubectl edit correlationrules.funnelai.dev pods -n demo').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole('link', { name: 'Open incidents of pods' }).click();
    await page.waitForURL('**/incidents?namespace=demo&rule=pods');
    await page.context().close();
  });

  it('that does not compile says so at the top, before anything else of it', async () => {
    const page = await stage.open('/rules/demo/disks');
    await page.locator('header').getByText('line 1, column 12').waitFor();
    await page.getByText('No alert that is in the cluster now went by this rule.').waitFor();
    await page.context().close();
  });

  it('that is gone says so, and where its incidents are', async () => {
    const page = await stage.open('/rules/demo/pods');
    await page.getByRole('heading', { name: 'pods', level: 1 }).waitFor();
    stage.fake.state.rules.items = [];
    await page.getByRole('heading', { name: 'This rule is gone' }).waitFor();
    await page.getByRole('link', { name: 'its incidents' }).waitFor();
    await page.context().close();
  });
});
