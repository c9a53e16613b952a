/** Deleted incidents of which the API server does not let one go. */
import { HISTORY_FINALIZER, INCIDENTS } from '@funnelai/crds/meta';
import { KubeError } from '@funnelai/kube/errors';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { anIncident, NAMESPACE } from '../testing/builders.ts';
import { eventually } from '../testing/eventually.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { memoryMirror } from '../testing/memory-mirror.ts';
import { runOperator } from '../testing/run.ts';

const forbidden = { status: 403, reason: 'Forbidden', message: 'denied by a policy of this cluster', transient: false };
const broken = { status: 500, reason: 'InternalError', message: 'failed calling webhook', transient: true };

it.each([forbidden, broken])('hold up neither the deletion nor the history of others: $message', async (answer) => {
  const clock = new FakeClock();
  const api = new FakeApi(clock);
  const ana = api.client('ana');
  const plain = api.client('operator');
  let refused = 0;
  const client: typeof plain = {
    ...plain,
    jsonPatch: async (r, key, ops, o) => {
      const isRelease = r.plural === INCIDENTS.plural && ops.some(({ op }) => op === 'remove');
      if (!isRelease || key.name !== 'a-stuck') return plain.jsonPatch(r, key, ops, o);
      refused += 1;
      throw new KubeError(answer);
    },
  };
  const mirror = memoryMirror();
  const { metadata: _, ...rest } = anIncident();
  const declare = (name: string) =>
    ana.create(INCIDENTS, { ...rest, metadata: { name, namespace: NAMESPACE, finalizers: [HISTORY_FINALIZER] } });
  // They come to the operator in one batch, the stuck one first.
  for (const name of ['a-stuck', 'b', 'c']) {
    await declare(name);
    await ana.delete(INCIDENTS, { namespace: NAMESPACE, name });
  }
  const operator = runOperator({ client, mirror, clock });
  /** Within that much time of the operator's own. */
  const within = (ms: number, what: string, look: () => boolean) => {
    const deadline = clock.monotonicMs() + ms;
    return eventually(what, async () => {
      if (look()) return true;
      if (clock.monotonicMs() >= deadline) throw new Error(`not within ${ms} ms`);
      await clock.advance(50);
      return false;
    });
  };
  try {
    await eventually('the operator leads', () => operator.leading());
    await within(4_000, 'the others are gone', () => api.all(INCIDENTS).length === 1);
    expect(refused).toBeGreaterThan(0);
    await declare('later');
    await within(1_000, 'history goes on at its pace', () => mirror.versions.size === 4);
    const before = refused;
    await within(8_000, 'it is tried again', () => refused > before);
  } finally {
    await operator.stop();
  }
});
