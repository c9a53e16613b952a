/** What a new leader knows when it begins: all that the one before it wrote, though its own watch has not told it yet. */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { expect, it } from 'vitest';
import { anAlert } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { runOperator } from './testing/run.ts';

const DEADLINE_MS = 20_000;

/** Its watches are open and bring nothing; how often it asked for an incident to be opened. */
function hardOfHearing(client: KubeClient): { client: KubeClient; creates: number } {
  const deaf = {
    creates: 0,
    client: {
      ...client,
      create: (r, object, o) => {
        if (r.plural === INCIDENTS.plural) deaf.creates++;
        return client.create(r, object, o);
      },
      async *watch(_r, o, signal) {
        if (o.sendInitialEvents) yield* client.watch(_r, o, signal);
        o.onOpen?.();
        await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
      },
    } satisfies KubeClient as KubeClient,
  };
  return deaf;
}

it('sees what the leader before it wrote before it decides', { timeout: 60_000 }, async () => {
  const api = new FakeApi(systemClock);
  const deaf = hardOfHearing(api.client('operator'));
  const first = runOperator({ client: api.client('operator'), leaseNamespace: 'team' });
  const second = runOperator({ client: deaf.client, leaseNamespace: 'team' });
  try {
    await eventually('one leads', () => first.leading() || second.leading(), DEADLINE_MS);
    if (second.leading()) throw new Error('expected the first to be first');
    await api.client('webhook').create(ALERTS, anAlert());
    const answered = () =>
      api.all<Alert>(ALERTS).every(({ status }) => status?.conditions?.[0]?.reason === 'Opened') &&
      api.all<Incident>(INCIDENTS).length === 1;
    await eventually('the alert is answered', answered, DEADLINE_MS);
    await first.stop();
    await eventually('the other leads', second.leading, DEADLINE_MS);
    // It goes through what is there, and finds nothing to do.
    await eventually('it has looked', async () => (await looked(second.registry)) > 0, DEADLINE_MS);
    await second.stop();
    expect(deaf.creates).toBe(0);
    expect(api.all<Incident>(INCIDENTS)).toHaveLength(1);
  } finally {
    await Promise.all([first.stop(), second.stop()]);
  }
});

async function looked(registry: { getSingleMetricAsString(name: string): Promise<string> }): Promise<number> {
  const text = await registry.getSingleMetricAsString('controller_runtime_reconcile_total');
  return Number(/controller="correlation",result="success"\} (\d+)/.exec(text)?.[1] ?? 0);
}
