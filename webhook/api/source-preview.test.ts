import { IndexedCache } from '@funnelai/kube/indexed-cache';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import type { Right } from '../auth/access.ts';
import type { Person } from '../auth/identity.ts';
import { noForesight } from '../intake/foresight.ts';
import { BY_ORIGIN, createRouting, originsOf } from '../intake/routing.ts';
import { createReceivers } from '../receivers/registry.ts';
import { anAlertSource, nothingFolded } from '../testing/builders.ts';
import type { ApiContext } from './context.ts';
import { preview } from './source-preview.ts';

const home = anAlertSource({
  namespace: 'infra',
  spec: { routes: ['pay', 'pay', 'web'].map((namespace) => ({ match: [`team="${namespace}"`], namespace })) },
});
const acceptors = ['pay', 'web'].map((namespace) =>
  anAlertSource({ namespace, name: `of-${namespace}`, spec: { acceptFrom: { namespace: 'infra', name: 'prom' } } }),
);

it('shows a person of other namespaces what they may read there, and asks for each once', async () => {
  const asked: string[] = [];
  const cache = () =>
    new IndexedCache<never>({
      name: 'test',
      clock: new FakeClock(),
      log: silentLog(),
      fresh: () => true,
      indexers: { [BY_ORIGIN]: originsOf as (o: never) => string[] },
    });
  const sources = cache();
  sources.replace([home, ...acceptors] as never[], '1');
  const api = {
    receivers: createReceivers(),
    foresight: noForesight,
    routing: createRouting({ ...nothingFolded(), sources, alerts: cache() }),
    access: {
      may: async (_who: Person, { verb, resource, namespace }: Right) => {
        asked.push(`${verb} ${resource} ${namespace}`);
        return namespace === 'pay';
      },
    },
    clock: new FakeClock(),
  } as unknown as ApiContext;
  const body = JSON.stringify({ alerts: ['pay', 'web'].map((team) => ({ status: 'firing', labels: { team } })) });
  const { alerts } = await preview(api, {} as Person, home, { body });
  expect(alerts.map(({ goes }) => [goes.namespace, goes.source])).toEqual([
    ['pay', 'of-pay'],
    ['web', undefined],
  ]);
  expect(asked.sort()).toEqual(
    ['infra', 'pay', 'web'].flatMap((one) => [`get alertsources ${one}`, `list alerts ${one}`]).sort(),
  );
});
