/** What history is to forget takes its time, and is in nobody's way. */
import { INCIDENTS } from '@funnelai/crds/meta';
import { HistoryUnavailable } from '@funnelai/history/errors';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { anIncident, NAMESPACE } from '../testing/builders.ts';
import { eventually } from '../testing/eventually.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { memoryMirror } from '../testing/memory-mirror.ts';
import { runOperator } from '../testing/run.ts';

it('that fails, as a statement that takes too long, makes nobody compare both sides again and again', async () => {
  const clock = new FakeClock();
  const api = new FakeApi(clock);
  const mirror = memoryMirror();
  const { factsOf } = mirror;
  let compared = 0;
  let tried = 0;
  mirror.factsOf = (kind, uids) => {
    compared += 1;
    return factsOf(kind, uids);
  };
  mirror.keepMonths = async () => {
    tried += 1;
    throw new HistoryUnavailable('canceling statement due to statement timeout', '57014');
  };
  const { metadata: _, ...rest } = anIncident();
  await api.client('ana').create(INCIDENTS, { ...rest, metadata: { name: 'outage', namespace: NAMESPACE } });
  const operator = runOperator({ client: api.client('operator'), mirror, clock });
  try {
    await eventually('it was tried', async () => {
      await clock.advance(100);
      return tried > 0;
    });
    for (let minute = 0; minute < 5; minute += 1) await clock.advance(60_000);
    expect({ compared, tried }).toEqual({ compared: 1, tried: 1 });
    for (let minute = 0; minute < 6; minute += 1) await clock.advance(60_000);
    expect({ compared, tried }).toEqual({ compared: 2, tried: 2 });
  } finally {
    await operator.stop();
  }
});
