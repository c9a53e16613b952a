/** What can be done is within reach of everyone: of a finger, which has no keys, and of who cannot point at a disabled button. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Stage, seriousFindings, setStage } from '../testing/browser.ts';
import { anIncidentItem, manyIncidents } from '../testing/builders.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());
beforeEach(() => {
  stage.fake.state.faults.readOnly = false;
  stage.fake.state.reset(manyIncidents(12));
});

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true } as const;

describe('with a finger', () => {
  it('one opens the palette, and does from it what the bar has no room for', async () => {
    const at = await stage.open('/incidents?namespace=demo', { ...PHONE, colorScheme: 'light' });
    await at.getByRole('button', { name: 'Open the palette of places and acts' }).tap();
    await at.getByRole('option', { name: /Colours: dark/ }).tap();
    await expect.poll(() => at.evaluate(() => document.documentElement.dataset.scheme)).toBe('dark');
    await at.context().close();
  });

  it('one chooses all incidents of the list, and none again', async () => {
    const at = await stage.open('/incidents?namespace=demo', PHONE);
    await at.getByRole('button', { name: 'Choose all' }).tap();
    const bar = at.getByRole('region', { name: 'Acts on the chosen incidents' });
    const open = stage.fake.state.page(new URLSearchParams('namespace=demo')).total;
    await bar.getByText(`${open} chosen`).waitFor();
    await at.locator('main').getByRole('button', { name: 'Choose none' }).first().tap();
    await bar.waitFor({ state: 'detached' });
    await at.context().close();
  });

  it('one learns why a button does nothing', async () => {
    stage.fake.state.faults.readOnly = true;
    const at = await stage.open('/incidents/demo/checkout-amber-falcon', PHONE);
    await at.getByRole('button', { name: 'Edit title' }).tap({ force: true });
    await at
      .getByRole('tooltip')
      .getByText(/does not let you patch incidents/)
      .waitFor();
    // What is read out takes no room.
    expect(await at.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.viewport.width);
    await at.context().close();
  });
});

describe('without the right to change anything', () => {
  it('one comes to each button by keyboard, hears why, and nothing happens', async () => {
    stage.fake.state.reset([anIncidentItem({ alertsCleared: true, phase: 'Response' })]);
    stage.fake.state.faults.readOnly = true;
    const at = await stage.open('/incidents/demo/checkout-amber-falcon');
    const WHY = /Kubernetes does not let you patch incidents/;
    for (const name of ['Resolve', 'Other moves', 'Edit title', 'Edit owner', 'Edit links', 'Resolve it']) {
      const button = at.getByRole('button', { name, exact: true });
      await button.waitFor();
      await button.focus();
      expect([name, await button.evaluate((one) => one === document.activeElement)]).toEqual([name, true]);
      await at.keyboard.press('Enter');
      const said = await button.evaluate(
        (one) => document.getElementById(one.getAttribute('aria-describedby') ?? '')?.textContent,
      );
      expect([name, said]).toEqual([name, expect.stringMatching(WHY)]);
      expect(await button.getAttribute('aria-disabled')).toBe('true');
    }
    expect(await at.getByRole('dialog').count()).toBe(0);
    expect(await at.getByRole('menu').count()).toBe(0);
    expect(stage.fake.state.incident('checkout-amber-falcon').phase).toBe('Response');
    expect(await seriousFindings(at)).toEqual([]);
    await at.context().close();
  });
});

it('an incident beyond the most urgent thousand can still take over, found by its name', async () => {
  const rest = Array.from({ length: 1_001 }, (_, i) => anIncidentItem({ name: `noise-${i}`, title: `Noise ${i}` }));
  const far = anIncidentItem({
    name: 'postgres-calm-otter',
    title: 'Disk of db-2',
    severity: 'Info',
    phase: 'Response',
  });
  stage.fake.state.reset([anIncidentItem(), ...rest, far]);
  const at = await stage.open('/incidents/demo/checkout-amber-falcon');
  await at.getByRole('button', { name: 'Other moves' }).click();
  await at.getByRole('menuitem', { name: /Merge into another/ }).click();
  const dialog = at.getByRole('dialog');
  await dialog.getByText(/Of 1,003 open ones the 1,000 most urgent are listed/).waitFor();
  const merge = dialog.getByRole('button', { name: 'Merge', exact: true });
  await merge.hover();
  await at.getByRole('tooltip').getByText('Choose the incident that takes over first').waitFor();
  await dialog.getByLabel('Open incident that takes over').fill('calm-otter disk');
  await at.getByRole('option', { name: /Disk of db-2/ }).click();
  await merge.click();
  await expect.poll(() => stage.fake.state.incident('checkout-amber-falcon').mergedInto).toBe('postgres-calm-otter');
  await at.context().close();
});
