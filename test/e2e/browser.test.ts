/**
 * One incident worked by two people with two tools: ana in the browser, bo with kubectl, on the real pages, the real webhook and
 * the real API server. Each sees what the other did without a reload, also when the webhook went away in between.
 */

import { CHROMIUM_FLAGS, chromiumPath, seriousFindings } from '@funnelai/ui/testing/browser';
import { buildPages, PAGES } from '@funnelai/ui/testing/build';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/wait.ts';
import { createWorld, tokenOf, type World } from './world.ts';

const SOON_MS = 20_000;
/** What is promised is one second; a busy machine may take longer, a page that must be reloaded never gets there. */
const LIVE_MS = 5_000;

let world: World;
let browser: Browser;
let name = '';

const body = (pods: string[]) => ({
  version: '4',
  status: 'firing',
  alerts: pods.map((pod) => ({
    status: 'firing',
    labels: { alertname: 'KubePodCrashLooping', namespace: 'checkout', pod, severity: 'critical' },
    annotations: { summary: 'Pod is crash looping.', runbook_url: 'https://runbooks.example/crashlooping' },
    startsAt: new Date().toISOString(),
  })),
});

async function signIn(person: 'ana' | 'viewer' | 'stranger'): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, timezoneId: 'Europe/Oslo' });
  context.setDefaultTimeout(SOON_MS);
  const page = await context.newPage();
  await page.goto(`${world.webhook.url}/incidents/${world.namespace}/${name}`);
  await page.getByLabel('Kubernetes token').fill(tokenOf(person));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`**/incidents/${world.namespace}/${name}`);
  return page;
}

const patch = (spec: object) =>
  world.kubectl.run(
    ['patch', 'incidents.funnelai.dev', name, '-n', world.namespace, '--type=merge', '-p', JSON.stringify({ spec })],
    { as: 'bo' },
  );

beforeAll(async () => {
  await buildPages();
  world = await createWorld({ uiDirectory: PAGES });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_FLAGS });
  await until(
    'the intake to take alerts',
    SOON_MS,
    async () => (await world.post(body(['a', 'b', 'c']))).status === 200,
  );
  const incident = await until('the incident', SOON_MS, async () => (await world.incidents())[0]);
  name = incident.metadata.name;
});

afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

describe('one incident, two tools', () => {
  let page: Page;

  it('is taken in the browser, and kubectl shows whose it is', async () => {
    page = await signIn('ana');
    await page.getByText('Nobody is being paged: no escalation policy').waitFor();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText(`${name} acknowledged`).waitFor();
    const incident = await until('the operator to have recorded it', SOON_MS, async () => {
      const found = await world.incident(name);
      return found.status?.phase === 'Response' ? found : undefined;
    });
    expect(incident.spec.owner).toEqual({ name: 'ana' });
    expect(incident.status?.changes?.find((change) => change.to === 'Response')).toMatchObject({
      by: 'ana',
      verified: true,
    });
  });

  it('shows what kubectl does without a reload', async () => {
    await page.evaluate(() => Object.assign(globalThis, { stillTheSamePage: true }));
    await patch({ severity: 'Low' });
    await page.getByRole('main').getByText('Low', { exact: false }).first().waitFor({ timeout: LIVE_MS });
    await patch({ phase: 'Mitigation', phaseReason: 'drained the bad node' });
    await page.getByText('drained the bad node').first().waitFor({ timeout: LIVE_MS });
    expect(await page.evaluate(() => 'stillTheSamePage' in globalThis)).toBe(true);
  });

  it('lists the alerts with why each is here', async () => {
    await page.getByRole('tab', { name: /Alerts/ }).click();
    await page.getByText('rule "pods"').first().waitFor();
    expect(new URL(page.url()).pathname).toBe(`/incidents/${world.namespace}/${name}/alerts`);
    expect(await seriousFindings(page)).toEqual([]);
  });

  it('is back within seconds after the webhook was restarted, and has missed nothing', async () => {
    await world.webhook.kill();
    await patch({ title: 'Checkout pods crash since the node was drained' });
    await world.restartWebhook();
    await page
      .getByRole('heading', { level: 1, name: 'Checkout pods crash since the node was drained' })
      .waitFor({ timeout: SOON_MS });
    await patch({ title: 'Checkout pods crash, and the stream is back' });
    await page
      .getByRole('heading', { level: 1, name: 'Checkout pods crash, and the stream is back' })
      .waitFor({ timeout: LIVE_MS });
    expect(await page.evaluate(() => 'stillTheSamePage' in globalThis)).toBe(true);
  });

  it('is resolved in the browser with a reason, and Postgres has it under her name', async () => {
    await page.getByRole('tab', { name: /Timeline/ }).click();
    await page.getByRole('button', { name: 'Resolve', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Why (optional)').fill('node replaced');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    const uid = (await world.incident(name)).metadata.uid ?? '';
    const row = await until('the row', SOON_MS, async () =>
      (await world.changes(uid)).find((change) => change.to_value === 'Resolution'),
    );
    expect(row).toMatchObject({ kind: 'Phase', from_value: 'Mitigation', by: 'ana', reason: 'node replaced' });
  });

  it('gives a viewer the page without its acts, and a stranger neither', async () => {
    const viewer = await signIn('viewer');
    await viewer.getByRole('heading', { level: 1, name: /Checkout pods crash/ }).waitFor();
    await expect.poll(() => viewer.getByRole('button', { name: 'Close', exact: true }).isEnabled()).toBe(false);
    await viewer.context().close();
    const stranger = await signIn('stranger');
    await stranger
      .getByText(/may not|not allowed|cannot|forbidden|missing/i)
      .first()
      .waitFor();
    expect(await stranger.getByText('Checkout pods crash').count()).toBe(0);
    await stranger.context().close();
  });
});
