/** A webhook whose service account has rights in one namespace and none outside of it, as the process that it is. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startWebhook, type WebhookProcess } from '@funnelai/test/harness/processes';
import { userOf } from '@funnelai/test/harness/users';
import { until } from '@funnelai/test/harness/wait';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { aTeam, type Team } from './testing/world.ts';

const NAMESPACED = fileURLToPath(new URL('../config/namespaced', import.meta.url));
const SOON_MS = 20_000;

let folder: string;
let own: Team;
let other: Team;
let webhook: WebhookProcess;

interface Kubeconfig {
  users: { name: string; user: { token: string } }[];
  contexts: { name: string; context: { cluster: string; user: string } }[];
}

/** The shared kubeconfig, in which the webhook is that service account, as the kubelet would tell a pod. */
function kubeconfigWith(token: string): string {
  const file = parse(readFileSync(inject('kubeconfig'), 'utf8')) as Kubeconfig;
  const of = file.contexts.find(({ name }) => name === 'webhook')?.context.user;
  const webhookUser = file.users.find(({ name }) => name === of);
  if (webhookUser === undefined) throw new Error('the kubeconfig has no webhook');
  webhookUser.user = { token };
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, stringify(file), { mode: 0o600 });
  return path;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'funnelai-namespaced-'));
  const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
  [own, other] = await Promise.all([aTeam(stage), aTeam(stage)]);
  const manifests = await own.kubectl.run(['kustomize', NAMESPACED]);
  await own.kubectl.run(['apply', '-f', '-'], { input: manifests.replaceAll('team-a', own.namespace) });
  const token = await own.kubectl.run(['create', 'token', 'funnelai-webhook', '-n', own.namespace]);
  webhook = await startWebhook({
    kubeconfig: kubeconfigWith(token.trim()),
    extraArgs: ['--namespace', own.namespace],
  });
});
afterAll(async () => {
  await webhook?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const post = ({ namespace, token }: Team) =>
  fetch(`${webhook.url}/alerts/${namespace}/prom`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      version: '4',
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'KubePodCrashLooping', namespace },
          startsAt: new Date().toISOString(),
        },
      ],
    }),
  });
const ask = async (path: string) => {
  const answer = await fetch(`${webhook.url}${path}`, { headers: { authorization: `Bearer ${userOf('ana').token}` } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { namespaces?: string[]; items?: unknown[] };
};

it('takes alerts in there, shows them to people there, and asks for nothing else', async () => {
  await until('its alert to be taken in', SOON_MS, async () => (await post(own)).status === 200);
  // Somebody else's namespace is somebody else's.
  expect((await post(other)).ok).toBe(false);
  await until('it to be shown', SOON_MS, async () => {
    const { items = [] } = await ask(`/api/alerts?namespace=${own.namespace}`);
    return items.length === 1;
  });
  expect(await ask('/api/namespaces')).toEqual({ namespaces: [own.namespace], all: false });
  const metrics = await (await fetch(webhook.metricsUrl)).text();
  expect(metrics).not.toMatch(/watch_operations_failed_total\{[^}]*reason="Forbidden"/);
  expect(metrics).toMatch(/^funnelai_cache_objects\{kind="AlertSource"\} 1$/m);
});
