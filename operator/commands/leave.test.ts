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
const KEY = { namespace: 'team', name: 'outage' };

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

it('lets incidents go though no other kind is served any more', async () => {
  const api = new FakeApi(systemClock);
  const { metadata: _, ...rest } = anIncident();
  await api
    .client('ana')
    .create<Incident>(INCIDENTS, { ...rest, metadata: { ...KEY, finalizers: [HISTORY_FINALIZER] } });
  const report = await leave({
    client: withIncidentsAlone(api.client(OPERATOR)),
    clock: systemClock,
    log: silentLog(),
    registry: new Registry(),
    openMirror: memoryMirror,
    waive: false,
    waitMs: 3_000,
    leaseNamespace: 'funnel-system',
    instance: 'leaver',
    signal: new AbortController().signal,
  });
  expect(report).toEqual({ mirrored: ['team/outage'], waived: [], held: [] });
  const [left] = api.all<Incident>(INCIDENTS);
  expect(left?.metadata.finalizers ?? []).toEqual([]);
  expect(left?.status?.changeSequence).toBeGreaterThan(0);
});
