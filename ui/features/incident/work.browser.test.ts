/** People at work in the browser: by keyboard alone, against someone who was first, without the right, with the stream gone. */
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
const PATH = '/incidents/demo/checkout-amber-falcon';

beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());
beforeEach(async () => {
  await page?.context().close();
  page = undefined;
  stage.fake.setStreamDown(false);
  Object.assign(stage.fake.state.faults, {
    failing: false,
    slowMs: 0,
    forbidden: false,
    refuseWrites: false,
    invalidTitle: false,
    readOnly: false,
    historyAway: false,
    welcome: false,
  });
  stage.fake.state.reset(
    [
      anIncidentItem({ title: 'Checkout answers 5xx in eu-west' }),
      anIncidentItem({
        name: 'postgres-calm-otter',
        title: 'Volume is 97 % full',
        severity: 'Medium',
        phase: 'Response',
        owner: 'bo',
      }),
    ],
    [anAlertItem()],
  );
});

describe('by keyboard alone', () => {
  it('goes from the list into an incident, acknowledges it and takes that back', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByRole('link', { name: 'Checkout answers 5xx in eu-west' }).waitFor();
    await at.keyboard.press('j');
    await expect
      .poll(() => at.evaluate(() => document.activeElement?.textContent))
      .toBe('Checkout answers 5xx in eu-west');
    await at.keyboard.press('Enter');
    await at.getByRole('heading', { level: 1, name: 'Checkout answers 5xx in eu-west' }).waitFor();
    await at.getByText('Nobody is being paged: no escalation policy').waitFor();
    await at.getByRole('button', { name: 'Acknowledge' }).waitFor();
    await at.keyboard.press('a');
    await at.getByText('checkout-amber-falcon acknowledged').waitFor();
    await at.getByRole('button', { name: 'Undo (would page again)' }).waitFor();
    expect(stage.fake.state.incident('checkout-amber-falcon')).toMatchObject({ phase: 'Response', owner: 'ana' });
    await at.keyboard.press('z');
    await at.getByText('Undone.').waitFor();
    const undone = stage.fake.state.incident('checkout-amber-falcon');
    expect(undone.phase).toBe('Detection');
    expect(undone.owner).toBeUndefined();
  });

  it('acknowledges the chosen row in the list', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByRole('link', { name: 'Checkout answers 5xx in eu-west' }).waitFor();
    expect(await at.title()).toBe('(1) Incidents · funnelAI');
    await at.keyboard.press('j');
    await at.keyboard.press('a');
    await at.getByText('checkout-amber-falcon acknowledged').waitFor();
    await expect.poll(() => at.title()).toBe('Incidents · funnelAI');
  });

  it('finds an act in the palette and does it', async () => {
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Acknowledge' }).waitFor();
    await at.keyboard.press('Control+k');
    await at.getByRole('combobox', { name: 'Find a place or an act' }).fill('resolve');
    await at.keyboard.press('Enter');
    const dialog = at.getByRole('dialog', { name: 'Resolve: checkout-amber-falcon' });
    await dialog.getByLabel('Why (optional)').fill('it was the release');
    await at.keyboard.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    await at.getByText('it was the release').waitFor();
    expect(stage.fake.state.incident('checkout-amber-falcon').phase).toBe('Resolution');
  });

  it('types in a field without running acts', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByRole('link', { name: 'Volume is 97 % full' }).waitFor();
    await at.keyboard.press('/');
    await at.keyboard.type('jack volume');
    await expect.poll(() => new URL(at.url()).searchParams.get('q')).toBe('jack volume');
    await at.getByRole('heading', { name: 'Nothing matches' }).waitFor();
    await at.getByRole('button', { name: 'Clear filters' }).first().click();
    await at.getByRole('link', { name: 'Volume is 97 % full' }).waitFor();
  });
});

describe('when someone was first', () => {
  it('shows who, when and both values at the field, keeps the text and lets one choose', async () => {
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Edit title' }).click();
    await at.getByRole('textbox', { name: 'Title' }).fill('Checkout is down for everyone');
    stage.fake.state.edit(
      'demo',
      'checkout-amber-falcon',
      { edits: [{ field: 'title', from: 'Checkout answers 5xx in eu-west', to: 'Card payments fail' }] },
      'bo',
    );
    await at.keyboard.press('Enter');
    const refusal = at.getByRole('alert').filter({ hasText: 'bo was first' });
    await refusal.getByText('Card payments fail').waitFor();
    await refusal.getByText('Checkout is down for everyone').waitFor();
    expect(await at.getByRole('textbox', { name: 'Title' }).inputValue()).toBe('Checkout is down for everyone');
    await refusal.getByRole('button', { name: 'Use mine' }).click();
    await at.getByRole('heading', { level: 1, name: 'Checkout is down for everyone' }).waitFor();
    expect(stage.fake.state.incident('checkout-amber-falcon').title).toBe('Checkout is down for everyone');
  });

  it('says in the move dialog that the move is not possible any more', async () => {
    const at = await open('/incidents/demo/postgres-calm-otter');
    await at.getByRole('button', { name: 'Mark mitigated' }).click();
    await at.getByRole('dialog').getByLabel('Why (optional)').fill('moved the data');
    stage.fake.state.edit(
      'demo',
      'postgres-calm-otter',
      { edits: [{ field: 'phase', from: 'Response', to: 'Resolution' }] },
      'bo',
    );
    await at.keyboard.press('Enter');
    await at.getByText('From Resolved it cannot go to Mitigated.').waitFor();
    expect(await at.getByLabel('Why (optional)').inputValue()).toBe('moved the data');
    await at.getByRole('button', { name: 'Keep theirs' }).click();
    await at.getByRole('button', { name: 'Close', exact: true }).waitFor();
  });

  it('shows a refusal of the schema at the field in the API server’s words', async () => {
    stage.fake.state.faults.invalidTitle = true;
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Edit title' }).click();
    await at.getByRole('textbox', { name: 'Title' }).fill('too long');
    await at.keyboard.press('Enter');
    await at.getByText('spec.title: Too long: may not be more than 256 bytes').waitFor();
    expect(await at.getByRole('textbox', { name: 'Title' }).inputValue()).toBe('too long');
  });
});

it('a merged incident says first of all where its alerts are and work goes on', async () => {
  const merged = { phase: 'Closed', mergedInto: 'postgres-calm-otter' } as const;
  stage.fake.state.add(anIncidentItem({ name: 'cart-brave-otter', title: 'Cart is slow', ...merged }));
  const at = await open('/incidents/demo/cart-brave-otter/alerts', { viewport: { width: 360, height: 740 } });
  await at.getByText('Its alerts are in postgres-calm-otter, into which it was merged').waitFor();
  expect(await seriousFindings(at)).toEqual([]);
  await at.getByRole('status').getByRole('link', { name: 'postgres-calm-otter' }).click();
  await at.getByRole('heading', { level: 1, name: 'Volume is 97 % full' }).waitFor();
});

describe('without the right', () => {
  it('says which verb on which resource is missing, with the command that grants it', async () => {
    stage.fake.state.faults.forbidden = true;
    const at = await open('/incidents?namespace=demo');
    await at.getByRole('heading', { name: 'You may not see this' }).waitFor();
    await at.getByText('kubectl create rolebinding ana-views').waitFor();
    // Not being allowed to watch is no outage.
    await at.getByText('no access', { exact: true }).waitFor();
    expect(await at.getByText(/Not live since/).count()).toBe(0);
    // Once it is granted.
    stage.fake.state.faults.forbidden = false;
    await at.getByRole('button', { name: 'Try again' }).click();
    await at.getByRole('table', { name: 'Incidents' }).waitFor();
  });

  it('leaves no button that would only be refused', async () => {
    stage.fake.state.faults.readOnly = true;
    const at = await open(PATH);
    await at.getByRole('heading', { level: 1 }).waitFor();
    const reason = 'Kubernetes does not let you patch incidents in namespace demo';
    await at.getByText(reason).first().waitFor({ state: 'attached' });
    expect(await at.getByRole('button', { name: 'Acknowledge' }).isDisabled()).toBe(true);
    expect(await at.getByRole('button', { name: 'Edit title' }).isDisabled()).toBe(true);
    await at.keyboard.press('a');
    expect(stage.fake.state.incident('checkout-amber-falcon').phase).toBe('Detection');
  });

  it('shows a refused write with the grant, when rights went away a moment ago', async () => {
    stage.fake.state.faults.refuseWrites = true;
    const at = await open(PATH);
    await at.getByRole('button', { name: 'Acknowledge' }).click();
    await at.getByText('kubectl create rolebinding ana-responds').waitFor();
  });
});

describe('live', () => {
  it('shows a change by someone else within a second', async () => {
    const at = await open(PATH);
    await at.getByText('live', { exact: true }).waitFor();
    const before = Date.now();
    stage.fake.state.edit(
      'demo',
      'checkout-amber-falcon',
      { edits: [{ field: 'phase', from: 'Detection', to: 'Response' }] },
      'bo',
    );
    await at.getByRole('button', { name: 'Mark mitigated' }).waitFor();
    expect(Date.now() - before).toBeLessThan(1_000);
    await at.getByText('bo acknowledged: moved from Triggered to Responding').waitFor();
  });

  it('says since when it is stale, and is back within five seconds with what was missed', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByText('live', { exact: true }).waitFor();
    stage.fake.setStreamDown(true);
    await at.getByText(/Not live since \d\d:\d\d:\d\d/).waitFor();
    stage.fake.state.add(
      anIncidentItem({ name: 'cart-ivory-maple', title: 'Cart is empty for everyone', severity: 'Critical' }),
    );
    const before = Date.now();
    stage.fake.setStreamDown(false);
    await at.getByText('Cart is empty for everyone').waitFor();
    await at.getByText(/Not live since/).waitFor({ state: 'hidden' });
    expect(Date.now() - before).toBeLessThan(5_500);
  });

  it('holds new rows behind a pill while the reader is in the list', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByRole('link', { name: 'Volume is 97 % full' }).hover();
    await at.getByText('live', { exact: true }).waitFor();
    stage.fake.state.add(
      anIncidentItem({ name: 'cart-ivory-maple', title: 'Cart is empty for everyone', severity: 'Critical' }),
    );
    await at.getByRole('button', { name: '1 new' }).waitFor();
    expect(await at.getByText('Cart is empty for everyone').count()).toBe(0);
    await at.getByRole('button', { name: '1 new' }).click();
    await at.getByText('Cart is empty for everyone').waitFor();
  });

  it('shares one stream among the tabs of a browser, which outlives the tab that held it', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByText('live', { exact: true }).waitFor();
    const second = await at.context().newPage();
    await second.goto(`${stage.fake.url}${PATH}`);
    await second.getByText('live', { exact: true }).waitFor();
    expect(stage.fake.streams()).toBe(1);
    await at.close();
    stage.fake.state.edit(
      'demo',
      'checkout-amber-falcon',
      { edits: [{ field: 'phase', from: 'Detection', to: 'Response' }] },
      'bo',
    );
    await second.getByRole('button', { name: 'Mark mitigated' }).waitFor();
    expect(stage.fake.streams()).toBe(1);
    page = second;
  });

  it('shows an incident that was deleted under the reader, and what it was', async () => {
    const at = await open(PATH);
    await at.getByText('live', { exact: true }).waitFor();
    stage.fake.state.remove('checkout-amber-falcon');
    await at.getByText('Deleted from the cluster').waitFor();
    expect(await at.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0);
  });
});

describe('in two tabs', () => {
  it('shows the person whose session the browser now has, as soon as the tab is looked at', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByRole('button', { name: 'Signed in as ana' }).waitFor();
    stage.fake.state.user = 'bo';
    await at.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    await at.getByRole('button', { name: 'Signed in as bo' }).waitFor();
    stage.fake.state.user = 'ana';
  });
});

describe('when reading fails', () => {
  it('keeps the old rows, dated, with the request’s id, and recovers on a retry', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByRole('link', { name: 'Volume is 97 % full' }).waitFor();
    stage.fake.state.faults.failing = true;
    await at.getByRole('tab', { name: /Mine/ }).click();
    await at.getByRole('heading', { name: 'Incidents could not be read' }).waitFor();
    await at.getByText('req-7f3a').first().waitFor();
    await at.getByRole('tab', { name: /Open/ }).click();
    // A change makes the list be read again, which fails now.
    stage.fake.state.add(anIncidentItem({ name: 'cart-ivory-maple', title: 'Cart is empty for everyone' }));
    await at.getByText(/Not up to date: read at/).waitFor();
    await at.getByRole('link', { name: 'Volume is 97 % full' }).waitFor();
    stage.fake.state.faults.failing = false;
    await at.getByRole('button', { name: 'Try again' }).click();
    await at.getByText(/Not up to date: read at/).waitFor({ state: 'hidden' });
  });

  it('leads to sign-in when the session has ended, and back', async () => {
    const at = await open(`${PATH}/alerts`, { isSignedOut: true });
    await at.waitForURL(/\/sign-in\?return=/);
    await at.getByLabel('Kubernetes token').fill('wrong');
    await at.keyboard.press('Enter');
    await at.getByText('The API server does not accept this token').waitFor();
    await at.getByLabel('Kubernetes token').fill(stage.fake.state.token);
    await at.keyboard.press('Enter');
    await at.waitForURL(`**${PATH}/alerts`);
    await at.getByText('joined checkout-amber-falcon').waitFor();
  });
});

describe('declaring', () => {
  it('shows similar open incidents and that nobody is paged, then opens what was declared', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.getByRole('button', { name: 'Declare' }).click();
    const dialog = at.getByRole('dialog', { name: 'Declare an incident' });
    await dialog.getByLabel('What is wrong').fill('Checkout is slow');
    await dialog.getByRole('link', { name: 'Checkout answers 5xx in eu-west' }).waitFor();
    await dialog.getByText('Nobody will be paged').waitFor();
    await dialog.getByRole('button', { name: 'Declare' }).click();
    await at.getByRole('heading', { level: 1, name: 'Checkout is slow' }).waitFor();
    await at.getByText('ana (you)').waitFor();
  });

  it('shows a refusal about a field that the dialog does not have, and keeps what was typed', async () => {
    const at = await open('/incidents?namespace=demo');
    await at.route('**/api/incidents/demo', (route) =>
      route.fulfill({
        status: 422,
        json: { code: 'Invalid', message: 'spec.reportedBy: Too long', field: 'spec.reportedBy', requestId: 'req-1' },
      }),
    );
    await at.getByRole('button', { name: 'Declare' }).click();
    const dialog = at.getByRole('dialog', { name: 'Declare an incident' });
    await dialog.getByLabel('What is wrong').fill('Checkout is slow');
    await dialog.getByRole('button', { name: 'Declare' }).click();
    await dialog.getByRole('alert').getByText('spec.reportedBy: Too long').waitFor();
    expect(await dialog.getByLabel('What is wrong').inputValue()).toBe('Checkout is slow');
  });
});
