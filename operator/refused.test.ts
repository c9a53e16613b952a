/** What the operator says of an alert whose incident the API server does not let it open, and what becomes of it afterwards. */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { anAlert } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { underQuota } from './testing/quota.ts';
import { runOperator } from './testing/run.ts';

it('by a quota is on the alert, in the words of the API server, until there is room', async () => {
  const clock = new FakeClock('2026-03-01T10:00:02Z');
  const api = new FakeApi(clock);
  const { bounded, quota } = underQuota(api.client('operator'));
  const operator = runOperator({ client: bounded, clock });
  try {
    await eventually('the operator leads', () => operator.leading());
    await api.client('webhook').create(ALERTS, anAlert());
    const answer = () => api.all<Alert>(ALERTS)[0]?.status;
    for (let i = 0; i < 8; i += 1) await clock.advance(500);
    expect(answer()?.conditions).toMatchObject([{ type: 'Correlated', status: 'False', reason: 'Refused' }]);
    expect(answer()?.explanation).toContain('exceeded quota: team');
    expect(answer()?.incidentRef).toBeUndefined();
    quota.isUsedUp = false;
    for (let i = 0; i < 8; i += 1) await clock.advance(5_000);
    expect(answer()?.conditions).toMatchObject([{ status: 'True', reason: 'Opened' }]);
    expect(api.all<Incident>(INCIDENTS)).toHaveLength(1);
    expect(answer()?.episode).toBe(1);
  } finally {
    await operator.stop();
  }
});
