import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Alert } from '@funnelai/crds/generated/types';
import type { KubeList } from '@funnelai/crds/meta';
import { until } from '@funnelai/test/harness/wait';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { aTeam, type Running, startInProcess, type Team } from '../testing/world.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
const PAGES = new URL('../../docs/senders/', import.meta.url);
/** Of no sender of its own. */
const INDEX = 'README.md';

/** What a page tells its reader to apply first, and to send then. */
const pages = readdirSync(PAGES)
  .filter((page) => page.endsWith('.md') && page !== INDEX)
  .map((page) => {
    const text = readFileSync(new URL(page, PAGES), 'utf8');
    const blocks = [...text.matchAll(/^```(yaml|sh)\n([\s\S]*?)^```/gm)].map(([, kind, body = '']) => ({ kind, body }));
    const manifest = blocks.find(({ kind, body }) => kind === 'yaml' && body.includes('kind: AlertSource'))?.body ?? '';
    // All that it prints, in its order.
    const curls = blocks.filter(({ kind, body }) => kind === 'sh' && body.includes('curl '));
    const script = curls.map(({ body }) => body).join('\n');
    // Of a sender whose signature nobody else can make there is only the dry run to try.
    const stores = /\/alerts\/(?!\S*\/dry-run)/.test(script);
    return { page, manifest, script, stores };
  })
  // Some senders can only be set up on their own side: theirs tell no line to send.
  .filter(({ script }) => script !== '');

let webhook: Running;
beforeAll(async () => {
  webhook = await startInProcess(stage.kubeconfig);
});
afterAll(() => webhook?.stop());

/** Status of each answer that the page's lines bring, less what asks the cluster. */
function statuses(team: Team, script: string): Promise<number[]> {
  const lines = script.split('\n').filter((line) => !line.startsWith('kubectl '));
  const here = lines
    .join('\n')
    .replaceAll('http://localhost:8484', webhook.url)
    .replaceAll('/alerts/demo/', `/alerts/${team.namespace}/`);
  return new Promise((resolve, reject) => {
    execFile('bash', ['-euc', here], { timeout: 20_000 }, (error, stdout) => {
      if (error) reject(error);
      else resolve([...stdout.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status)));
    });
  });
}

async function alertsOf(team: Team, source: string): Promise<Alert[]> {
  const list: KubeList<Alert> = JSON.parse(
    await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']),
  );
  return list.items.filter(({ spec }) => spec.sourceRef.name === source);
}

describe.each(pages.map((page) => [page.page, page] as const))('whoever follows %s word by word', (_name, page) => {
  it(page.stores ? 'has an alert' : 'is told what alert it would be', async () => {
    // Of its own: two pages may call their source by one name.
    const team = await aTeam(stage);
    const input = page.manifest.replaceAll('namespace: demo', `namespace: ${team.namespace}`);
    await team.kubectl.run(['apply', '--server-side', '-f', '-'], { input });
    const [, source = ''] = /kind: AlertSource\nmetadata: \{name: ([a-z-]+),/.exec(page.manifest) ?? [];
    // Until the webhook has heard of the source it answers 404.
    const answers = await until('the source to be known', 20_000, async () => {
      const found = await statuses(team, page.script);
      return found.includes(404) ? undefined : found;
    });
    expect(answers.length).toBeGreaterThan(0);
    for (const status of answers) expect(status >= 200 && status < 300, `${answers}`).toBe(true);
    const [alert] = await alertsOf(team, source);
    if (!page.stores) expect(alert).toBeUndefined();
    else expect(alert?.spec).toMatchObject({ title: expect.any(String), labels: { alertname: expect.any(String) } });
  });
});
