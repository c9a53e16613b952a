/** Leaving where not all is there any more. What the API server itself has to say to it is tried in test/e2e. */
import type { Incident } from '@funnelai/crds/generated/types';
import { HISTORY_FINALIZER, INCIDENTS, type Resource } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { KubeError } from '@funnelai/kube/errors';
import { silentLog } from '@funnelai/kube/log';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { anIncident } from '../testing/builders.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { memoryMirror } from '../testing/memory-mirror.ts';
import { leave } from './leave.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';

/** The kinds of ours that nothing holds are gone, as after a `kubectl delete -k` of all of them. */
function withIncidentsAlone(client: KubeClient): KubeClient {
  const notServed = (r: Resource) => {
    if (r.group !== INCIDENTS.group || r.plural === INCIDENTS.plural) return;
    throw new KubeError({ status: 404, reason: 'NotFound', message: 'not served', transient: false });
  };
  return {
    ...client,
    list: async (r, o) => {
      notServed(r);
      return client.list(r, o);
    },
    async *watch(r, o, signal) {
      notServed(r);
      yield* client.watch(r, o, signal);
    },
  } satisfies KubeClient as KubeClient;
}

/** One that may look at nothing but one namespace. */
function withRightsIn(namespace: string, client: KubeClient): KubeClient {
  const check = (asked: string | undefined) => {
    if (asked === namespace) return;
    throw new KubeError({ status: 403, reason: 'Forbidden', message: 'at the cluster scope', transient: false });
  };
  return {
    ...client,
    list: async (r, o) => {
      check(o?.namespace);
      return client.list(r, o);
    },
    async *watch(r, o, signal) {
      check(o.namespace);
      yield* client.watch(r, o, signal);
    },
  } satisfies KubeClient as KubeClient;
}

const declare = (api: FakeApi, name: string) => {
  const { metadata: _, ...rest } = anIncident();
  const metadata = { namespace: 'team', name, finalizers: [HISTORY_FINALIZER] };
  return api.client('ana').create(INCIDENTS, { ...rest, metadata } as Incident);
};
const leaving = (o: { client: KubeClient; namespace?: string }) =>
  leave({
    clock: systemClock,
    log: silentLog(),
    registry: new Registry(),
    openMirror: memoryMirror,
    waive: false,
    waitMs: 3_000,
    leaseNamespace: 'funnel-system',
    instance: 'leaver',
    signal: new AbortController().signal,
    ...o,
  });

it('lets incidents go though no other kind is served any more', async () => {
  const api = new FakeApi(systemClock);
  await declare(api, 'outage');
  const report = await leaving({ client: withIncidentsAlone(api.client(OPERATOR)) });
  expect(report).toEqual({ mirrored: ['team/outage'], waived: [], held: [] });
  const [left] = api.all<Incident>(INCIDENTS);
  expect(left?.metadata.finalizers ?? []).toEqual([]);
  expect(left?.status?.changeSequence).toBeGreaterThan(0);
});

it('leaves one namespace with rights in that alone', async () => {
  const api = new FakeApi(systemClock);
  await declare(api, 'outage');
  const client = withRightsIn('team', api.client(OPERATOR));
  expect(await leaving({ client, namespace: 'team' })).toMatchObject({ mirrored: ['team/outage'], held: [] });
});

it('lets the others go when the API server forbids one, and names it with the reason', async () => {
  const api = new FakeApi(systemClock);
  for (const name of ['a-stuck', 'b', 'c']) await declare(api, name);
  const client = api.client(OPERATOR);
  const report = await leaving({
    client: {
      ...client,
      jsonPatch: async (r, key, ops, o) => {
        if (key.name !== 'a-stuck' || !ops.some(({ op }) => op === 'remove')) return client.jsonPatch(r, key, ops, o);
        throw new KubeError({ status: 403, reason: 'Forbidden', message: 'denied by a policy', transient: false });
      },
    },
  });
  expect(report.held).toEqual([{ incident: 'team/a-stuck', because: 'denied by a policy' }]);
  expect(report.mirrored.toSorted()).toEqual(['team/b', 'team/c']);
  expect(api.all<Incident>(INCIDENTS).filter(({ metadata }) => metadata.finalizers?.length)).toHaveLength(1);
});
