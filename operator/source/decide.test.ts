import type { AlertSource } from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { sourceStatus } from './decide.ts';

const NOW = Temporal.Instant.from('2026-03-01T11:00:00Z');
const source: AlertSource = {
  apiVersion: API_VERSION,
  kind: 'AlertSource',
  metadata: { name: 'prom', namespace: 'team', generation: 4 },
  spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: 'prom-token', key: 'token' } } } },
};

describe('the status of a source', () => {
  it('names its path and is ready once its Secret can be used', () => {
    expect(sourceStatus(source, 'Usable', NOW)).toMatchObject({
      observedGeneration: 4,
      path: '/alerts/team/prom',
      conditions: [{ type: 'Ready', status: 'True', observedGeneration: 4 }],
    });
  });

  it('is stalled beside being ready while its heartbeat cannot be read, and no longer once it is mended', () => {
    const beating = (match: string[]): AlertSource => ({
      ...source,
      spec: { ...source.spec, heartbeat: { every: '5m', match } },
    });
    const bad = sourceStatus(beating(['alertname=~"("']), 'Usable', NOW);
    expect(bad.conditions).toMatchObject([
      { type: 'Ready', status: 'True' },
      { type: 'Stalled', status: 'True', reason: 'HeartbeatInvalid' },
    ]);
    const mended = sourceStatus({ ...beating(['alertname="Watchdog"']), status: bad }, 'Usable', NOW);
    expect(mended.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
    expect(mended.conditions).toHaveLength(1);
  });

  it.each([
    ['NotFound', 'SecretNotFound', 'prom-token'],
    ['KeyMissing', 'SecretKeyNotFound', 'token'],
    ['KeyEmpty', 'SecretKeyEmpty', 'token'],
    ['Forbidden', 'SecretForbidden', 'get on secrets'],
  ] as const)('waits, not stalled, when the Secret is %s: %s', (found, reason, names) => {
    const { conditions = [], path } = sourceStatus(source, found, NOW);
    expect(path).toBe('/alerts/team/prom');
    expect(conditions).toMatchObject([{ type: 'Ready', status: 'False', reason }]);
    expect(conditions[0]?.message).toContain(names);
  });
});
