/** The lists in the browser: many incidents at once, orders, what nobody owns, and text that a slip must not lose. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Stage, seriousFindings, setStage } from '../../testing/browser.ts';
import { ago, anAlertItem, anIncidentItem, manyIncidents } from '../../testing/builders.ts';

/** Within this a busy machine has shown it. */
const PATIENT = { timeout: 20_000 };

let stage: Stage;
let page: Page | undefined;
const open = async (...args: Parameters<Stage['open']>): Promise<Page> => {
  page = await stage.open(...args);
  return page;
};
const LIST = '/incidents?namespace=demo';
const phases = () => ['cart-a', 'cart-b', 'cart-c'].map((name) => stage.fake.state.incident(name).phase);

beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());
beforeEach(async () => {
  await page?.context().close();
  page = undefined;
  Object.assign(stage.fake.state.faults, { refuseWrites: false, readOnly: false, failing: false });
  stage.fake.state.reset(
    [
      anIncidentItem({ name: 'cart-a', title: 'Cart is slow', severity: 'Critical', createdAt: ago(60) }),
      anIncidentItem({ name: 'cart-b', title: 'Cart is empty', createdAt: ago(120) }),
      anIncidentItem({ name: 'cart-c', title: 'Cart is red', phase: 'Response', owner: 'bo', severity: 'Low' }),
    ],
    [
      anAlertItem({
        name: 'prom-1',
        title: 'Disk is full',
        startsAt: ago(10),
        labels: { alertname: 'Disk', pod: 'db-1' },
      }),
      anAlertItem({
        name: 'prom-2',
        title: 'Disk is full',
        startsAt: ago(900),
        labels: { alertname: 'Disk', pod: 'db-2' },
      }),
      anAlertItem({ name: 'prom-3', title: 'A node is away', startsAt: ago(300) }),
    ],
  );
});

/** Choose by keyboard alone: down a row, take it. */
const chooseRows = async (at: Page, count: number) => {
  await at.getByRole('link', { name: 'Cart is slow' }).waitFor();
  for (let i = 0; i < count; i++) {
    await at.keyboard.press('j');
    await at.keyboard.press('x');
    await at.getByText(`${i + 1} chosen`).waitFor();
  }
};
const bar = (at: Page) => at.getByRole('region', { name: 'Acts on the chosen incidents' });

describe('many incidents at once', () => {
  it('are chosen and acknowledged by keyboard; the bar says why not all, and Undo takes it back', async () => {
    const at = await open(LIST);
    await chooseRows(at, 3);
    await bar(at).getByText('Acknowledge: applies to 2 of 3. Not to 1: acknowledged already.').waitFor();
    await at.keyboard.press('a');
    await at.getByText('2 incidents acknowledged').waitFor();
    expect(phases()).toEqual(['Response', 'Response', 'Response']);
    await at.keyboard.press('z');
    await at.getByText('Undone for 2 incidents').waitFor();
    expect(phases()).toEqual(['Detection', 'Detection', 'Response']);
    expect(stage.fake.state.incident('cart-a').owner).toBeUndefined();
  });

  it('stand in the URL, survive a reload, and are let go of with Escape', async () => {
    const at = await open(LIST);
    await chooseRows(at, 2);
    expect(new URL(at.url()).searchParams.getAll('chosen')).toEqual(['demo/cart-a', 'demo/cart-b']);
    await at.reload();
    await bar(at).getByText('2 chosen').waitFor();
    await at.keyboard.press('Escape');
    await bar(at).waitFor({ state: 'detached' });
    expect(new URL(at.url()).searchParams.has('chosen')).toBe(false);
  });

  it('are moved with a reason; the dialog counts for each phase and says to whom it does not apply', async () => {
    const at = await open(LIST);
    await chooseRows(at, 3);
    await at.keyboard.press('m');
    const dialog = at.getByRole('dialog', { name: 'Move 3 incidents' });
    await dialog.getByRole('combobox', { name: 'To phase' }).click();
    await at.getByRole('option', { name: 'Mitigated 1 of 3' }).click();
    await dialog.getByText('Applies to 1 of 3. Not to 2: from Triggered it can only go to').waitFor();
    await dialog.getByRole('combobox', { name: 'To phase' }).click();
    await at.getByRole('option', { name: 'Resolved 3 of 3' }).click();
    await dialog.getByLabel('Why (optional)').fill('one cause');
    await at.keyboard.press('Enter');
    await at.getByText('3 incidents → Resolved').waitFor();
    expect(phases()).toEqual(['Resolution', 'Resolution', 'Resolution']);
  });

  it('are assigned to me, all but mine', async () => {
    const at = await open(LIST);
    await chooseRows(at, 3);
    await at.keyboard.press('o');
    await at.getByRole('dialog', { name: 'Assign 3 incidents' }).getByText('Applies to all 3.').waitFor();
    await at.keyboard.press('Enter');
    await at.getByText('3 incidents → ana').waitFor();
    expect(stage.fake.state.incident('cart-c').owner).toBe('ana');
  });

  it('are merged into one of them', async () => {
    const at = await open(LIST);
    await chooseRows(at, 3);
    await bar(at).getByRole('button', { name: 'Merge…' }).click();
    const dialog = at.getByRole('dialog', { name: 'Merge 3 incidents' });
    await dialog.getByLabel('Open incident that takes over').fill('empty');
    await at.getByRole('option', { name: /Cart is empty/ }).click();
    await dialog.getByRole('group', { name: 'It takes over' }).getByText('cart-b').waitFor();
    await dialog.getByText('Applies to 2 of 3. Not to 1: it takes over.').waitFor();
    await dialog.getByRole('button', { name: 'Merge 2' }).click();
    await at.getByText('2 incidents merged into cart-b').waitFor();
    expect(phases()).toEqual(['Closed', 'Detection', 'Closed']);
    expect(stage.fake.state.incident('cart-a').mergedInto).toBe('cart-b');
  });

  it('are merged into one that tells more than its title, from a list that stands still and says when it cannot be read', async () => {
    stage.fake.state.add(anIncidentItem({ name: 'cart-d', title: 'Cart is slow', phase: 'Response', owner: 'bo' }));
    const at = await open(LIST);
    await at.getByRole('link', { name: 'Cart is slow' }).first().waitFor();
    await at.getByRole('checkbox', { name: 'Choose cart-a' }).click();
    stage.fake.state.faults.failing = true;
    await bar(at).getByRole('button', { name: 'Merge…' }).click();
    const dialog = at.getByRole('dialog');
    await dialog.getByText('The open incidents could not be read.').waitFor(PATIENT);
    stage.fake.state.faults.failing = false;
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await dialog.getByLabel('Open incident that takes over').fill('slow');
    const option = at.getByRole('option');
    await option
      .filter({ hasText: 'cart-d' })
      .filter({ hasText: 'Responding' })
      .filter({ hasText: 'owner: bo' })
      .waitFor();
    const before = await option.allTextContents();
    stage.fake.state.add(anIncidentItem({ name: 'cart-e', title: 'Cart is slow', severity: 'Critical' }));
    await expect.poll(() => at.title(), PATIENT).toContain('3');
    expect((await option.allTextContents()).length).toBe(before.length);
  });

  it('name each that was refused, and keep it chosen', async () => {
    const at = await open(LIST);
    await chooseRows(at, 2);
    // Someone else is first on one of them, and the stream has not said so yet.
    await at.route('**/api/incidents/demo/cart-b', (route) =>
      route.request().method() === 'PATCH'
        ? route.fulfill({
            status: 409,
            json: {
              code: 'Conflict',
              message: 'bo was first',
              requestId: 'req-1',
              conflict: { field: 'phase', by: 'bo', yours: 'Response', theirs: 'Resolution' },
            },
          })
        : route.continue(),
    );
    await at.keyboard.press('a');
    await bar(at).getByText('Not done for 1:').waitFor();
    await bar(at).getByText('bo changed phase to Resolution first.').waitFor();
    expect(phases()).toEqual(['Response', 'Detection', 'Response']);
    await bar(at).getByText('2 chosen').waitFor();
  });

  it('are not offered to who may not change them', async () => {
    stage.fake.state.faults.readOnly = true;
    const at = await open(LIST);
    await chooseRows(at, 2);
    await bar(at).getByText('Kubernetes does not let you patch incidents in namespace demo.').waitFor();
    for (const name of ['Acknowledge 0', 'Move…', 'Assign…', 'Merge…'])
      expect(await bar(at).getByRole('button', { name }).isDisabled()).toBe(true);
    await at.keyboard.press('a');
    expect(phases()).toEqual(['Detection', 'Detection', 'Response']);
  });

  it.each(['light', 'dark'] as const)('have no serious accessibility fault in %s', async (colorScheme) => {
    const at = await open(LIST, { colorScheme });
    await chooseRows(at, 3);
    expect(await seriousFindings(at)).toEqual([]);
    await at.keyboard.press('m');
    await at.getByRole('dialog').waitFor();
    await at.waitForFunction(() =>
      [...document.querySelectorAll('.MuiDialog-container')].every((one) => getComputedStyle(one).opacity === '1'),
    );
    expect(await seriousFindings(at)).toEqual([]);
  });

  it('hold the list still: what is new waits', async () => {
    const at = await open(LIST);
    await at.getByText('live', { exact: true }).waitFor();
    await at.getByRole('checkbox', { name: 'Choose cart-b' }).check();
    await at.mouse.move(0, 0);
    await at.evaluate(() => (document.activeElement as HTMLElement).blur());
    stage.fake.state.add(anIncidentItem({ name: 'cart-d', title: 'Cart is gone', severity: 'Critical' }));
    await at.getByRole('button', { name: '1 new' }).waitFor();
    expect(await at.getByText('Cart is gone').count()).toBe(0);
  });
});

describe('the owner filter', () => {
  it('finds what nobody owns', async () => {
    const at = await open(LIST);
    await at.getByRole('button', { name: 'Owner' }).first().click();
    await at.getByRole('menuitemcheckbox', { name: 'nobody 2' }).click();
    await at.keyboard.press('Escape');
    await at.getByText('2 open incidents in demo with owner nobody').waitFor();
    expect(new URL(at.url()).searchParams.getAll('owner')).toEqual(['']);
    await at.getByText('Cart is red').waitFor({ state: 'detached' });
  });

  it('counts on in an open menu, and leaves its values where they are', async () => {
    const at = await open(LIST);
    await at.getByRole('table', { name: 'Incidents' }).waitFor();
    await at.getByRole('button', { name: 'Owner' }).first().click();
    await at.getByRole('menuitemcheckbox', { name: 'bo 1' }).waitFor();
    for (const name of ['cart-d', 'cart-e', 'cart-f'])
      stage.fake.state.add(anIncidentItem({ name, phase: 'Response', owner: 'bo' }));
    await at.getByRole('menuitemcheckbox', { name: 'bo 4' }).waitFor(PATIENT);
    expect(await at.getByRole('menuitemcheckbox').allTextContents()).toEqual(['nobody2', 'bo4']);
  });
});

describe('the list of alerts', () => {
  const titles = (at: Page) => at.locator('tbody [data-row]').allTextContents();

  it('is sorted by its heads, and the order is its URL', async () => {
    const at = await open('/alerts?namespace=demo');
    await at.getByRole('columnheader', { name: 'Since' }).getByRole('button').click();
    await expect.poll(() => titles(at), PATIENT).toEqual(['Disk is full', 'A node is away', 'Disk is full']);
    await at.getByRole('columnheader', { name: 'Alert', exact: true }).getByRole('button').click();
    await expect.poll(() => titles(at), PATIENT).toEqual(['A node is away', 'Disk is full', 'Disk is full']);
    expect(new URL(at.url()).searchParams.get('sort')).toBe('title');
    await at.reload();
    await expect.poll(() => titles(at), PATIENT).toEqual(['A node is away', 'Disk is full', 'Disk is full']);
  });

  it('is sorted on a phone as well, where its heads have no room', async () => {
    const at = await open('/alerts?namespace=demo', { viewport: { width: 390, height: 800 } });
    const titles = at.getByRole('table', { name: 'Alerts' }).locator('.title');
    await titles.first().waitFor();
    await at.getByRole('button', { name: 'Order: What fires first' }).click();
    await at.getByRole('menuitemradio', { name: 'Alert' }).click();
    await expect.poll(() => titles.first().textContent(), PATIENT).toBe('A node is away');
    await at.getByRole('button', { name: 'Order: Alert, ascending' }).click();
    await at.getByRole('menuitemradio', { name: 'Alert' }).click();
    await expect.poll(() => titles.last().textContent(), PATIENT).toBe('A node is away');
    expect(new URL(at.url()).searchParams.get('sort')).toBe('-title');
    await at.getByRole('button', { name: 'Order: Alert, descending' }).click();
    await at.getByRole('menuitemradio', { name: 'What fires first' }).click();
    await expect.poll(() => new URL(at.url()).searchParams.get('sort')).toBe(null);
    await at.setViewportSize({ width: 1280, height: 800 });
    await at.getByRole('button', { name: 'Order: ' }).waitFor({ state: 'hidden' });
  });

  it('tells alerts of one title apart', async () => {
    const at = await open('/alerts?namespace=demo');
    await at.getByText('Disk pod=db-1').waitFor();
    await at.getByText('Disk pod=db-2').waitFor();
  });
});

describe('at any width', () => {
  it.each([1_600, 1_024, 900, 390])('a title has room at %i px', async (width) => {
    stage.fake.state.reset(manyIncidents(40), []);
    const at = await open(LIST, { viewport: { width, height: 800 } });
    const title = at.locator('tbody [data-row]').first();
    await title.waitFor();
    const cut = await title.evaluate((one) => one.clientWidth / one.scrollWidth);
    expect(cut).toBeGreaterThan(0.9);
    expect(await at.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });
});
