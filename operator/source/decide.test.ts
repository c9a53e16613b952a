import type { AlertSource } from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { isSameToOperator, sourceStatus } from './decide.ts';

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

  it('keeps what the webhook says of what comes in', () => {
    const said = {
      lastReceivedAt: '2026-03-01T10:59:00Z',
      conditions: [
        {
          type: 'Receiving',
          status: 'True' as const,
          reason: 'Accepted',
          message: 'what its senders send is taken',
          lastTransitionTime: '2026-03-01T10:00:00Z',
        },
      ],
    };
    const status = sourceStatus({ ...source, status: { observedGeneration: 3, ...said } }, 'NotFound', NOW);
    expect(status).toMatchObject({ observedGeneration: 4, lastReceivedAt: said.lastReceivedAt });
    expect(status.conditions).toHaveLength(2);
    expect(status.conditions).toEqual(expect.arrayContaining(said.conditions));
  });

  it('is not looked at again for what the webhook writes, but for all else', () => {
    const ready = sourceStatus(source, 'Usable', NOW);
    const old = { ...source, status: ready };
    const with_ = (o: object) => ({ ...old, ...o });
    expect(isSameToOperator(old, with_({ status: { ...ready, lastReceivedAt: '2026-03-01T11:00:00Z' } }))).toBe(true);
    expect(isSameToOperator(old, with_({ metadata: { ...source.metadata, generation: 5 } }))).toBe(false);
    expect(isSameToOperator(old, with_({ status: { ...ready, conditions: [] } }))).toBe(false);
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
