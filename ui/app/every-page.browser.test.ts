/** What holds for every page in every state: no serious accessibility fault in either scheme, and no sideways scrolling on a phone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stage, seriousFindings, setStage } from '../testing/browser.ts';
import { anAlertItem, manyIncidents } from '../testing/builders.ts';
import { demoAlerts } from '../testing/fake-state.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
  stage.fake.state.reset(manyIncidents(60), demoAlerts());
  stage.fake.state.faults.welcome = true;
}, 120_000);
afterAll(() => stage?.close());

const PAGES = [
  { name: 'sign-in', path: '/sign-in', sign: 'Sign in to funnelAI', isSignedOut: true },
  { name: 'incidents', path: '/incidents?namespace=demo', sign: 'Try it from a shell' },
  { name: 'nothing matches', path: '/incidents?namespace=demo&q=nosuchword', sign: 'Nothing matches' },
  { name: 'incident', path: '/incidents/demo/checkout-amber-falcon', sign: 'Times in' },
  { name: 'its alerts', path: '/incidents/demo/checkout-amber-falcon/alerts', sign: 'joined checkout-amber-falcon' },
  { name: 'its YAML', path: '/incidents/demo/checkout-amber-falcon/yaml', sign: 'kubectl edit incidents.funnelai.dev' },
  { name: 'alerts', path: '/alerts?namespace=demo', sign: 'alerts in demo' },
  { name: 'alert', path: '/alerts/demo/prom-3f9c2a7d51e08b64', sign: 'secrets taken out of: annotation description' },
  { name: 'sources', path: '/sources?namespace=*', sign: 'sources in all namespaces' },
  { name: 'no sources', path: '/sources?namespace=empty', sign: 'No sources yet' },
  { name: 'source', path: '/sources/demo/prom', sign: 'Connect a sender' },
  { name: 'no such source', path: '/sources/demo/nobody', sign: 'There is no such source' },
  { name: 'rules', path: '/rules?namespace=demo', sign: '4 rules in demo' },
  { name: 'no rules', path: '/rules?namespace=empty', sign: 'No rules yet' },
  { name: 'rule', path: '/rules/demo/disks', sign: 'What it took' },
  { name: 'no such rule', path: '/rules/demo/nobody', sign: 'There is no such rule' },
  { name: 'not found', path: '/nowhere', sign: 'There is no such page' },
  { name: 'no such incident', path: '/incidents/demo/nobody', sign: 'There is no such incident' },
] as const;

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each(PAGES)('$name has no serious accessibility fault', async ({ path, sign, ...page }) => {
    const at = await stage.open(path, { colorScheme, isSignedOut: 'isSignedOut' in page });
    await at.getByText(sign).first().waitFor();
    expect(await seriousFindings(at)).toEqual([]);
    await at.context().close();
  });

  it.each([
    { name: 'declaring', keys: ['c'], sign: 'Declare an incident' },
    { name: 'the palette', keys: ['Control+k'], sign: 'Places and acts' },
    { name: 'the keys', keys: ['?'], sign: 'Close, or leave a field' },
  ])('$name has no serious accessibility fault', async ({ keys, sign }) => {
    const at = await stage.open('/incidents?namespace=demo', { colorScheme });
    await at.getByRole('table', { name: 'Incidents' }).waitFor();
    await at.getByRole('button', { name: 'Declare' }).isEnabled();
    await expect.poll(() => at.getByRole('button', { name: 'Declare' }).isEnabled()).toBe(true);
    for (const key of keys) await at.keyboard.press(key);
    await at.getByRole('dialog').getByText(sign).first().waitFor();
    // Dialogs fade in; a colour in between is nobody's choice.
    await at.waitForFunction(() =>
      [...document.querySelectorAll('.MuiDialog-container')].every((one) => getComputedStyle(one).opacity === '1'),
    );
    expect(await seriousFindings(at)).toEqual([]);
    await at.context().close();
  });
});

describe('by keyboard alone', () => {
  it.each([
    { name: 'the list', path: '/incidents?namespace=demo', sign: 'incidents in demo' },
    { name: 'an incident', path: '/incidents/demo/checkout-amber-falcon', sign: 'Times in' },
    { name: 'a source', path: '/sources/demo/prom', sign: 'Connect a sender' },
  ])('one sees on the page of $name where the focus is', async ({ path, sign }) => {
    const at = await stage.open(path);
    await at.getByText(sign).first().waitFor();
    const seen: string[] = [];
    const unseen: string[] = [];
    for (let n = 0; n < 25; n++) {
      await at.keyboard.press('Tab');
      const { name, isSeen } = await at.evaluate(() => {
        const one = document.activeElement ?? document.body;
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return {
          name: one.getAttribute('aria-label') ?? one.textContent?.trim() ?? '',
          // Fields have a frame that shows it.
          isSeen:
            (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2) ||
            one.closest('.MuiInputBase-root, [role=search]') !== null,
        };
      });
      (isSeen ? seen : unseen).push(name);
    }
    expect(unseen).toEqual([]);
    expect(new Set(seen).size).toBeGreaterThan(15);
    await at.context().close();
  });
});

describe('on a phone', () => {
  it.each(PAGES)('$name does not scroll sideways', async ({ path, sign, ...page }) => {
    const at = await stage.open(path, { viewport: { width: 390, height: 800 }, isSignedOut: 'isSignedOut' in page });
    await at.getByText(sign).first().waitFor();
    expect(await at.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await at.context().close();
  });

  it('leads from the head of an incident past its story to the runbook', async () => {
    const at = await stage.open('/incidents/demo/checkout-amber-falcon', { viewport: { width: 390, height: 500 } });
    const runbook = at.getByRole('complementary', { name: 'Details' }).getByRole('link', { name: /Runbook/ });
    await runbook.waitFor();
    const top = async () => (await runbook.boundingBox())?.y ?? 0;
    expect(await top()).toBeGreaterThan(500);
    await at.getByRole('button', { name: 'Owner, links' }).click();
    expect(await top()).toBeLessThan(500);
    await at.keyboard.press('Tab');
    await at.getByRole('button', { name: 'Edit owner' }).and(at.locator(':focus')).waitFor();
    await at.context().close();
  });

  it('shows an incident in two lines', async () => {
    const at = await stage.open('/incidents?namespace=demo', { viewport: { width: 390, height: 800 } });
    const row = at.getByRole('row').nth(1);
    await row.waitFor();
    expect((await row.boundingBox())?.height).toBeLessThan(64);
    await at.context().close();
  });
});

describe('a row on a narrow screen', () => {
  it('breaks in the same place whatever stands in it, and the heads show who comes to them by keyboard', async () => {
    const at = await stage.open('/alerts?namespace=demo', { viewport: { width: 360, height: 740 } });
    const rows = at.getByRole('table', { name: 'Alerts' }).locator('tbody tr');
    await rows.filter({ hasText: 'Info' }).first().waitFor();
    for (const width of [360, 390, 768]) {
      await at.setViewportSize({ width, height: 740 });
      const shapes = await rows.evaluateAll((all) =>
        all.map((row) => {
          const boxOf = (part: string) => row.querySelector(part)?.getBoundingClientRect() ?? new DOMRect();
          const [title, name] = [boxOf('.title'), boxOf('.name')];
          return `${row.getBoundingClientRect().height} ${title.left} ${name.top >= title.bottom ? 'below' : 'beside'}`;
        }),
      );
      expect(new Set(shapes).size, `${width}: ${[...new Set(shapes)].join(', ')}`).toBe(1);
      expect(shapes[0]).toMatch(/below$/);
    }
    const head = at.getByRole('button', { name: 'Since' });
    await head.focus();
    const isSeen = await head.evaluate((one) => {
      const { left, top, width, height } = one.getBoundingClientRect();
      return one.contains(document.elementFromPoint(left + width / 2, top + height / 2));
    });
    expect(isSeen).toBe(true);
    await at.context().close();
  });
});

describe('the page', () => {
  it('asks nobody but its own server for anything', async () => {
    const asked: string[] = [];
    const at = await stage.open('/sign-in', { isSignedOut: true });
    at.on('request', (request) => asked.push(request.url()));
    await at.goto(`${stage.fake.url}/sign-in`);
    await at.getByLabel('Kubernetes token').fill(stage.fake.state.token);
    await at.keyboard.press('Enter');
    await at.getByRole('table', { name: 'Incidents' }).waitFor();
    expect(asked.filter((url) => !url.startsWith(stage.fake.url))).toEqual([]);
    await at.context().close();
  });

  it('remembers that the welcome card was dismissed', async () => {
    const at = await stage.open('/incidents?namespace=demo');
    await at.getByRole('button', { name: 'Dismiss this card' }).click();
    await at.reload();
    await at.getByRole('table', { name: 'Incidents' }).waitFor();
    expect(await at.getByText('Try it from a shell').count()).toBe(0);
    await at.context().close();
  });

  it('says of an alert that someone has taken it in the system that sent it', async () => {
    const at = await stage.open('/alerts/demo/prom-3f9c2a7d51e08b64');
    await at.getByText('in the system that sent it, by Sample Monitoring Service').waitFor();
    // On a phone nothing else says how long ago that was.
    await at.getByText(/UTC\+0\d:00 \(\d+m ago\) in the system/).waitFor();
    await at.context().close();
  });

  it('of an incident in a storm shows the most urgent alerts, and more when they are wanted', async () => {
    const storm = Array.from({ length: 1_200 }, (_, n) =>
      anAlertItem({ name: `prom-${n}`, title: `Pod ${n} is down` }),
    );
    stage.fake.state.reset(manyIncidents(3), storm);
    const at = await stage.open('/incidents/demo/checkout-amber-falcon/alerts');
    await at.getByText('The 200 most urgent of 1,200').waitFor();
    const rows = at.getByRole('table', { name: 'Alerts' }).locator('tbody tr');
    expect(await rows.count()).toBe(200);
    await at.getByRole('button', { name: 'Show more' }).click();
    await at.getByText('The 400 most urgent of 1,200').waitFor();
    expect(await rows.count()).toBe(400);
    await at.context().close();
  });

  it('of an alert with a text of ten thousand characters shows its beginning, and the rest when it is wanted', async () => {
    const title = 'Nothing to be seen here, and then some more of it. '.repeat(200);
    stage.fake.state.alerts = [anAlertItem({ name: 'long', title })];
    const at = await stage.open('/alerts/demo/long');
    const text = at.getByRole('definition').getByText('Nothing to be seen here');
    await at.getByRole('button', { name: 'Show all' }).waitFor();
    expect((await text.boundingBox())?.height).toBeLessThan(200);
    await at.getByRole('button', { name: 'Show all' }).click();
    await at.getByRole('button', { name: 'Show less' }).waitFor();
    expect((await text.boundingBox())?.height).toBeGreaterThan(200);
    await at.context().close();
  });
});
