/** The sources as a person meets them: which are in trouble, how to connect one, what a body becomes, a test alert; by keyboard alone. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Stage, seriousFindings, setStage } from '../../testing/browser.ts';
import { ago } from '../../testing/builders.ts';
import { createFakeSources } from '../../testing/fake-sources.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
}, 120_000);
afterAll(() => stage?.close());
beforeEach(() => {
  stage.fake.state.sources = createFakeSources();
  Object.assign(stage.fake.state.faults, { failing: false, readOnly: false, refuseWrites: false });
});

const BODY = JSON.stringify({ alerts: [{ labels: { alertname: 'KubePodCrashLooping', pod: 'checkout-1' } }] });

describe('the list of sources', () => {
  it('shows the ones in trouble first, and counts on under the reader’s eyes', async () => {
    const page = await stage.open('/sources?namespace=*');
    const rows = page.getByRole('table', { name: 'Sources' }).getByRole('row');
    await rows.nth(1).waitFor();
    expect(await rows.nth(1).innerText()).toContain('Not ready');
    expect(await rows.nth(3).innerText()).toContain('4 set aside');
    expect(await rows.nth(4).innerText()).toContain('1,204 wrong or no token, 3 not understood');
    const prom = stage.fake.state.sources.items.find(({ name }) => name === 'prom');
    if (prom) prom.traffic = { ...prom.traffic, stored: 99_123, rejected: {} };
    await page.getByText('99,123').waitFor();
    await page.getByRole('button', { name: 'Ready' }).first().click();
    await page.getByRole('menuitemcheckbox', { name: /Not ready/ }).click();
    await page.keyboard.press('Escape');
    await page.getByText('1 source in all namespaces, not ready').waitFor();
    expect(new URL(page.url()).searchParams.get('ready')).toBe('False');
    await page.context().close();
  });

  it('leads by keyboard to a source, its body field, and back', async () => {
    const page = await stage.open('/incidents?namespace=*');
    await page.getByRole('table', { name: 'Incidents' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('table', { name: 'Sources' }).waitFor();
    for (const key of ['j', 'j', 'j', 'j', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('heading', { name: 'prom', level: 1 }).waitFor();
    await page.keyboard.press('t');
    await page.keyboard.type(BODY);
    await page.keyboard.press('Control+Enter');
    await page.getByText('1 of 1 alert would be stored').waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('test alert');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Test alert sent by ana' }).waitFor();
    await page.context().close();
  });
});

describe('what lies in the inbox', () => {
  it('is told by source, for how long it has waited, and follows within seconds', async () => {
    const page = await stage.open('/sources?namespace=demo');
    const prom = page.getByRole('row', { name: /prom/ });
    await prom.getByText('30,412 wait, oldest 4m').waitFor();
    const item = stage.fake.state.sources.items.find(({ name }) => name === 'prom');
    if (item) item.inbox = { waiting: 0, setAside: 0, reasons: [] };
    await prom.getByText('nothing').waitFor();
    await page.context().close();
  });

  it('of sources that are gone is told with the statement that puts it back', async () => {
    const page = await stage.open('/sources?namespace=demo', { permissions: ['clipboard-read', 'clipboard-write'] });
    const left = page.getByRole('region', { name: 'Left by sources that are gone' });
    await left.getByText('demo/old-cluster').click();
    await left.getByText('Make AlertSource old-cluster in namespace demo again').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await left.getByRole('button', { name: /^Copy: Put them back/ }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toContain("namespace = 'demo' AND source = 'old-cluster'");
    await page.context().close();
  });

  it('and will never be stored as it is stands on the page of its source, each reason with what to do', async () => {
    const page = await stage.open('/sources/payments/grafana-payments');
    const section = page.getByRole('region', { name: 'In the inbox: 4 set aside' });
    const reasons = section.getByRole('list', { name: 'Why they were set aside' }).getByRole('listitem');
    await reasons.nth(1).waitFor();
    expect(await reasons.nth(0).innerText()).toMatch(/^3: .*spec\.labels: Too many.*\n.*Mend what it says/);
    expect(await reasons.nth(1).innerText()).toContain('The source is there again: put them back.');
    await page.context().close();
  });

  it('is said not to be known while Postgres is away, and the rest goes on', async () => {
    stage.fake.state.sources.inbox = { available: false, reason: 'The history database does not answer: ECONNREFUSED' };
    const page = await stage.open('/sources?namespace=demo');
    await page.getByRole('alert').getByText('Whether alerts wait in the inbox is not known').waitFor();
    const prom = page.getByRole('row', { name: /prom/ });
    await prom.getByText('not known').waitFor();
    await prom.getByRole('link', { name: 'prom' }).click();
    await page.getByText('not known. The history database does not answer').waitFor();
    await page.getByText('Connect a sender').waitFor();
    await page.context().close();
  });
});

describe('a source', () => {
  it('has the configuration of its sender with its address in it, also for another address, and copies it', async () => {
    const page = await stage.open('/sources/demo/prom', { permissions: ['clipboard-read', 'clipboard-write'] });
    const panel = page.getByRole('tabpanel');
    await panel.getByText(`- url: ${stage.fake.url}/alerts/demo/prom`).waitFor();
    await page.getByText(/put the new one into the Secret on a line of its own/).waitFor();
    await page.getByLabel('Address at which the sender reaches funnelAI').fill('https://funnel.example:8443/');
    await page.getByRole('tab', { name: 'Prometheus, without an Alertmanager' }).click();
    await panel.getByText("- targets: ['funnel.example:8443']").waitFor();
    await page.getByRole('button', { name: /^Copy: Prometheus/ }).click();
    await page.getByText('Copied').first().waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('path_prefix: /alerts/demo/prom');
    await page.getByLabel('Address at which the sender reaches funnelAI').fill('nowhere');
    await page.getByText('Expected http:// or https:// with a host').waitFor();
    await page.reload();
    await panel.getByText('https://funnel.example:8443/alerts/demo/prom').first().waitFor();
    await page.getByRole('button', { name: 'As this browser' }).click();
    await panel.getByText(`${stage.fake.url}/alerts/demo/prom`).first().waitFor();
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)(
    'with everything on it has no serious accessibility fault in %s',
    async (scheme) => {
      const page = await stage.open('/sources/demo/prom', { colorScheme: scheme });
      await page.getByRole('textbox', { name: 'Body' }).fill(BODY);
      await page.getByRole('button', { name: 'Show the alerts' }).click();
      await page.getByRole('article', { name: 'KubePodCrashLooping' }).waitFor();
      await page.getByRole('button', { name: 'Send a test alert' }).click();
      await page.getByRole('button', { name: 'Resolve the test alert' }).waitFor();
      await page.getByText('The body, secrets taken out').first().click();
      expect(await seriousFindings(page)).toEqual([]);
      await page.context().close();
    },
  );

  it('to which another one routes names it, and offers no address of its own', async () => {
    const acceptFrom = { namespace: 'payments', name: 'grafana-payments' };
    stage.fake.state.sources.objects = { prom: { spec: { acceptFrom } } };
    const page = await stage.open('/sources/demo/prom');
    await page.getByText('Nobody sends to this one').waitFor();
    expect(await page.getByText('/dry-run').count()).toBe(0);
    expect(await page.getByLabel('Sent to').count()).toBe(0);
    await page.getByRole('textbox', { name: 'Body' }).fill(BODY);
    await page.getByRole('button', { name: 'Show the alerts' }).click();
    await page.getByRole('article', { name: 'KubePodCrashLooping' }).waitFor();
    await page.getByRole('link', { name: 'payments/grafana-payments' }).click();
    await page.getByRole('heading', { name: 'grafana-payments', exact: true }).waitFor();
    await page.context().close();
  });

  it('that routes says where to, where nobody takes its alerts, and when it was over its rate', async () => {
    const message = 'alerts for namespace shop stay here: no AlertSource there says acceptFrom';
    const routed = { type: 'Routed', status: 'False' as const, reason: 'NotAccepted', message };
    stage.fake.state.sources.objects = {
      prom: {
        spec: { routes: [{ match: ['team="shop"'], namespace: 'shop' }], limits: { ratePerSecond: 50, burst: 500 } },
        status: { conditions: [{ ...routed, lastTransitionTime: ago(60) }], lastOverRateAt: ago(4_000) },
      },
    };
    const page = await stage.open('/sources/demo/prom');
    const now = page.getByRole('region', { name: 'Now' });
    await now.getByText(message).waitFor();
    expect(await now.textContent()).toContain('team="shop" to shop');
    expect(await now.textContent()).toMatch(/50 alerts a second, 500 at once.*Last over it.*\(1h ago\)/);
    expect(await seriousFindings(page)).toEqual([]);
    await page.context().close();
  });

  it('lets a refused body be tried again, and says in the page what its sender was told', async () => {
    const page = await stage.open('/sources/demo/prom');
    await page.getByText('The body, secrets taken out').first().click();
    await page.getByRole('button', { name: 'Try it above' }).click();
    const field = page.getByRole('textbox', { name: 'Body' });
    expect(await field.inputValue()).toContain('"password": "[redacted]"');
    await field.fill('{"no": "alerts"}');
    await page.keyboard.press('Control+Enter');
    await page.getByText('alerts: found nothing, expected a list of alerts').waitFor();
    await page.getByText('Refused, 400.').waitFor();
    await page.context().close();
  });

  it('says where an alert of a body would go and why, and what its sender should mend', async () => {
    const page = await stage.open('/sources/demo/prom');
    const alert = { labels: { alertname: 'Paid', team: 'pay' }, startsAt: '2036-01-01T00:00:00Z' };
    await page.getByRole('textbox', { name: 'Body' }).fill(JSON.stringify({ alerts: [alert] }));
    await page.keyboard.press('Control+Enter');
    const goes = page
      .getByRole('article', { name: 'Paid' })
      .getByText('Goes to pay: routes[0] leads there; you may not read');
    await goes.waitFor();
    const mend = page.getByRole('list', { name: 'What the sender should mend' });
    expect(await mend.innerText()).toContain('alerts[0].startsAt left out: found 2036-01-01T00:00:00Z');
    expect(await seriousFindings(page)).toEqual([]);
    await page.context().close();
  });

  it('says what the limits would do to a body, and what makes no alert of its own', async () => {
    const page = await stage.open('/sources/demo/prom');
    const field = page.getByRole('textbox', { name: 'Body' });
    await field.fill(JSON.stringify({ alerts: ['A', 'B', 'C'].map((alertname) => ({ labels: { alertname } })) }));
    await page.keyboard.press('Control+Enter');
    await page
      .getByRole('list', { name: 'What the limits of the source do' })
      .getByText('No more room: 1 folded')
      .waitFor();
    await page.getByRole('article', { name: 'A' }).getByText('Makes a new Alert.').waitFor();
    await page.getByRole('article', { name: 'C' }).getByText('Folded: kept in Postgres').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await field.fill('{"event_action": "acknowledge"}');
    await page.keyboard.press('Control+Enter');
    const noted = page.getByRole('list', { name: 'What only says a word of an alert' });
    await noted.getByText('noted on the alert that fires; no other is made').waitFor();
    expect(await noted.getByRole('link').getAttribute('href')).toContain('/alerts/demo/pd-3f9c2a7d51e08b64');
    expect(await page.getByRole('article', { name: 'A', exact: true }).count()).toBe(0);
    await page.context().close();
  });

  it('sends a test alert and resolves it, and shows a refusal where it was asked for', async () => {
    const page = await stage.open('/sources/demo/prom');
    await page.getByRole('button', { name: 'Send a test alert' }).click();
    await page.getByRole('button', { name: 'Resolve the test alert' }).click();
    await page.getByRole('button', { name: 'Send a test alert' }).waitFor();
    stage.fake.state.faults.refuseWrites = true;
    await page.getByRole('button', { name: 'Send a test alert' }).click();
    await page.getByRole('alert').getByText('The test alert is not stored').waitFor();
    await page.context().close();
  });

  it('says why who may not cannot send one', async () => {
    stage.fake.state.faults.readOnly = true;
    const page = await stage.open('/sources/demo/prom');
    const button = page.getByRole('button', { name: 'Send a test alert' });
    await button.waitFor();
    expect(await button.isDisabled()).toBe(true);
    await page
      .getByText('ana may not update alertsources.funnelai.dev in namespace demo.')
      .waitFor({ state: 'attached' });
    await page.context().close();
  });

  it('keeps what was typed while reading fails, and says how old the rest is', async () => {
    const page = await stage.open('/sources/demo/prom');
    await page.getByRole('textbox', { name: 'Body' }).fill('half a thought');
    stage.fake.state.faults.failing = true;
    await page.getByText('Not up to date').first().waitFor();
    expect(await page.getByRole('textbox', { name: 'Body' }).inputValue()).toBe('half a thought');
    stage.fake.state.faults.failing = false;
    await page.context().close();
  });
});
