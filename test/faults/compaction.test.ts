/** etcd is compacted while a watch is away and the API server restarts: what it resumes from is gone for good, and it lists anew. */
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { loadConnection } from '@funnelai/kube/config';
import { CONFIG_MAPS, type ConfigMap } from '@funnelai/kube/testing/scripted-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { type FaultProxy, matching, startFaultProxy } from '../harness/fault-proxy.ts';
import { until } from '../harness/wait.ts';
import { aNamespace, type Held, hold, inParallel } from './mirror-of.ts';

const DEADLINE_MS = 60_000;

let environment: Environment;
let direct: KubeClient;
let proxy: FaultProxy;
let held: Held;

beforeAll(async () => {
  environment = await startEnvironment({ say: () => {}, applyConfig: false });
  direct = createKubeClient(await loadConnection({ kubeconfigPath: environment.kubeconfig }));
  proxy = await startFaultProxy(environment.kubeconfig);
}, 120_000);
afterAll(async () => {
  await held?.stop();
  await proxy?.stop();
  await direct?.close();
  // The one that replaced the first is ours to end.
  await environment?.parts.apiserver.stop();
  await environment?.stop();
});

async function compact(revision: string): Promise<void> {
  const response = await fetch(`${environment.etcdUrl}/v3/kv/compaction`, {
    method: 'POST',
    body: JSON.stringify({ revision, physical: true }),
  });
  if (!response.ok) throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
}

it('equals a quorum list again, and calls nothing missed', { timeout: 180_000 }, async () => {
  const namespace = await aNamespace(direct);
  const map = (name: string): ConfigMap => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } });
  for (const name of ['stays', 'goes', 'same']) await direct.create(CONFIG_MAPS, map(name));
  held = hold({ through: await proxy.connection(), direct, namespace });
  await held.cache.waitForSync(AbortSignal.timeout(DEADLINE_MS));
  await held.converged();

  const away = proxy.fault(matching('configmaps'), { cut: 'before' });
  proxy.cut();
  for (const name of ['goes', 'same']) await direct.delete(CONFIG_MAPS, { namespace, name });
  await direct.create(CONFIG_MAPS, map('same'));
  await inParallel(
    Array.from({ length: 50 }, (_, i) => `new-${i}`),
    8,
    (name) => direct.create(CONFIG_MAPS, map(name)),
  );
  const { metadata } = await direct.list(CONFIG_MAPS, { namespace, limit: 1 });
  await compact(metadata.resourceVersion ?? '');
  await environment.parts.apiserver.kill();
  environment.parts.apiserver = await environment.controlPlane.startApiserver();
  await until('the API server to answer', DEADLINE_MS, () => direct.list(CONFIG_MAPS, { namespace, limit: 1 }));
  away.clear();

  await held.converged();
  expect(await held.failures('Gone')).toBeGreaterThanOrEqual(1);
  expect(held.heard.filter((one) => one.endsWith(' same'))).toEqual(['added same', 'deleted same', 'added same']);
  expect(held.heard.filter((one) => one.endsWith(' goes'))).toEqual(['added goes', 'deleted goes']);
  expect(held.heard.filter((one) => one.endsWith(' stays'))).toEqual(['added stays']);
  expect(await held.missed()).toBe(0);
});
