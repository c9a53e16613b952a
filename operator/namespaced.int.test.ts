/** An operator whose service account has rights in one namespace and none outside of it. */

import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS, type KubeObject } from '@funnelai/crds/meta';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { loadConnection } from '@funnelai/kube/config';
import { NAMESPACES } from '@funnelai/kube/core-kinds';
import { staticCredentials } from '@funnelai/kube/credentials';
import { isForbidden } from '@funnelai/kube/errors';
import { EVENTS } from '@funnelai/kube/events';
import { LEASES, type Lease } from '@funnelai/kube/leader';
import { createKubectl } from '@funnelai/test/harness/kubectl';
import { startTcpProxy, type TcpProxy } from '@funnelai/test/harness/tcp-proxy';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { LEASE_NAME } from './manager.ts';
import { anAlert } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { ROLE_BINDINGS } from './testing/namespaces.ts';
import { type Running, runOperator } from './testing/run.ts';

const NAMESPACED = fileURLToPath(new URL('../config/namespaced', import.meta.url));
const DEADLINE_MS = 30_000;

const namespace = `one-${randomBytes(4).toString('hex')}`;
const other = `other-${randomBytes(4).toString('hex')}`;
let admin: KubeClient;
let bound: KubeClient;
let proxy: TcpProxy;
let operator: Running | undefined;

beforeAll(async () => {
  const connection = await loadConnection({ kubeconfigPath: inject('kubeconfig') });
  admin = createKubeClient(connection);
  for (const name of [namespace, other]) {
    await admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  const kubectl = createKubectl({ assets: inject('assets'), kubeconfig: inject('kubeconfig') });
  const manifests = await kubectl.run(['kustomize', NAMESPACED]);
  await kubectl.run(['apply', '-f', '-'], { input: manifests.replaceAll('team-a', namespace) });
  // As the kubelet gives it to a pod.
  const token = await kubectl.run(['create', 'token', 'funnelai-operator', '-n', namespace]);
  const { tls } = await connection.credentials.current();
  proxy = await startTcpProxy(connection.server);
  const credentials = staticCredentials({ headers: { authorization: `Bearer ${token.trim()}` }, tls });
  bound = createKubeClient({ server: proxy.url, context: 'token', namespace, credentials });
});
afterAll(async () => {
  await operator?.stop();
  await Promise.all([bound?.close(), admin?.close()]);
  await proxy?.stop();
});

it('opens incidents there, holds its Lease there, says so in Events, and needs nothing else', async () => {
  const outside = await bound.list(ALERTS, {}).catch((e: unknown) => e);
  expect(isForbidden(outside)).toBe(true);
  operator = runOperator({ client: bound, namespace, leaseNamespace: namespace });
  await eventually('it leads', operator.leading, DEADLINE_MS);
  expect((await admin.get<Lease>(LEASES, { namespace, name: LEASE_NAME })).spec?.holderIdentity).toMatch(/^test-/);

  await admin.create(ALERTS, anAlert({ namespace }));
  await admin.create(ALERTS, anAlert({ namespace: other }));
  const incident = await eventually(
    'its incident is open and numbered',
    async () =>
      (await admin.list<Incident>(INCIDENTS, { namespace })).items.find(({ status }) => status?.phase !== undefined),
    DEADLINE_MS,
  );
  expect(incident.metadata.finalizers).toHaveLength(1);
  const answered = async () => {
    const [alert] = (await admin.list<Alert>(ALERTS, { namespace })).items;
    return alert?.status?.incidentRef?.name === incident.metadata.name;
  };
  await eventually('the alert is answered', answered, DEADLINE_MS);
  await eventually(
    'an Event tells of it',
    async () => (await admin.list<KubeObject>(EVENTS, { namespace })).items.length > 0,
    DEADLINE_MS,
  );
  const text = await operator.registry.metrics();
  expect(text).not.toMatch(/watch_operations_failed_total\{[^}]*reason="Forbidden"/);
  // Somebody else's namespace is somebody else's.
  expect((await admin.list(INCIDENTS, { namespace: other })).items).toEqual([]);
});

it('says which kinds it may not read any more, stays ready, and goes on once its rights are back', {
  timeout: 120_000,
}, async () => {
  const name = 'funnelai-operator';
  const binding = await admin.get<KubeObject & { roleRef: unknown; subjects: unknown }>(ROLE_BINDINGS, {
    namespace,
    name,
  });
  await admin.delete(ROLE_BINDINGS, { namespace, name });
  // Watches that are open stay open: the API server asks for rights at their beginning alone.
  await eventually(
    'it is refused',
    () => bound.list(ALERTS, { namespace }).then(() => false, isForbidden),
    DEADLINE_MS,
  );
  proxy.cut();
  const degraded = () => operator?.condition().degraded;
  await eventually(
    'it says so',
    () => /alerts \(failing for \d+ s: .*403 Forbidden/.test(degraded() ?? ''),
    DEADLINE_MS,
  );
  expect(operator?.condition().waitsFor).toBeUndefined();
  expect(operator?.condition().stuck).toBeUndefined();
  expect(await operator?.registry.metrics()).toMatch(/funnelai_reflector_failing\{kind="Alert"\} 1/);
  const late = anAlert({ namespace, labels: { alertname: 'WhileWeHadNoRights' } });
  await admin.create(ALERTS, late);

  const { roleRef, subjects } = binding;
  const metadata = { name, namespace };
  const again = { apiVersion: binding.apiVersion, kind: binding.kind, metadata, roleRef, subjects };
  await admin.create(ROLE_BINDINGS, again as KubeObject);
  await eventually('it is well', () => degraded() === undefined, 60_000);
  const answered = async () =>
    (await admin.get<Alert>(ALERTS, { namespace, name: late.metadata.name })).status?.incidentRef !== undefined;
  await eventually('the alert of the meantime is answered', answered, 60_000);
});
