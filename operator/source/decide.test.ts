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

  it('is stalled, with field, line and column, by a mapping that does not compile, and no longer once it is mended', () => {
    const mapping = { key: 'item.id', labels: { host: 'item.host +\n  hots' }, when: 'item.kind ==' };
    const broken = sourceStatus({ ...source, spec: { ...source.spec, format: 'Generic', mapping } }, 'Usable', NOW);
    expect(broken.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'MappingDoesNotCompile' },
      { type: 'Stalled', status: 'True', reason: 'MappingDoesNotCompile' },
    ]);
    expect(broken.conditions?.[0]?.message).toContain('mapping.labels["host"]: line 2, column 3: unknown name "hots"');
    expect(broken.conditions?.[0]?.message).toContain('mapping.when: line 1, column 11');
    const mended = { ...source, spec: { ...source.spec, mapping: { key: 'item.id' } }, status: broken };
    expect(sourceStatus(mended, 'Usable', NOW).conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
  });
});
