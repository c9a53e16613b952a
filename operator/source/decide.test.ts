import type { AlertSource } from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { isSameToOperator, type SecretState, sourceStatus } from './decide.ts';

const NOW = Temporal.Instant.from('2026-03-01T11:00:00Z');
const source: AlertSource = {
  apiVersion: API_VERSION,
  kind: 'AlertSource',
  metadata: { name: 'prom', namespace: 'team', generation: 4 },
  spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: 'prom-token', key: 'token' } } } },
};

const read = (
  found: SecretState,
  spec: Partial<AlertSource['spec']> = {},
  previous: AlertSource['status'] = undefined,
) =>
  sourceStatus(
    { ...source, spec: { ...source.spec, ...spec }, ...(previous === undefined ? {} : { status: previous }) },
    found,
    {},
    NOW,
  );

describe('the status of a source', () => {
  it('names its path and is ready once its Secret can be used', () => {
    expect(read({ state: 'Usable' })).toMatchObject({
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
    const status = read({ state: 'NotFound' }, {}, { observedGeneration: 3, ...said });
    expect(status).toMatchObject({ observedGeneration: 4, lastReceivedAt: said.lastReceivedAt });
    expect(status.conditions).toHaveLength(2);
    expect(status.conditions).toEqual(expect.arrayContaining(said.conditions));
  });

  it('is not looked at again for what the webhook writes, but for all else', () => {
    const ready = read({ state: 'Usable' });
    const old = { ...source, status: ready };
    const with_ = (o: object) => ({ ...old, ...o });
    expect(isSameToOperator(old, with_({ status: { ...ready, lastReceivedAt: '2026-03-01T11:00:00Z' } }))).toBe(true);
    expect(isSameToOperator(old, with_({ metadata: { ...source.metadata, generation: 5 } }))).toBe(false);
    expect(isSameToOperator(old, with_({ status: { ...ready, conditions: [] } }))).toBe(false);
  });

  it('is stalled beside being ready while its heartbeat cannot be read, and no longer once it is mended', () => {
    const beating = (match: string[]) => ({ heartbeat: { every: '5m', match } });
    const bad = read({ state: 'Usable' }, beating(['alertname=~"("']));
    expect(bad.conditions).toMatchObject([
      { type: 'Ready', status: 'True' },
      { type: 'Stalled', status: 'True', reason: 'HeartbeatInvalid' },
    ]);
    const mended = read({ state: 'Usable' }, beating(['alertname="Watchdog"']), bad);
    expect(mended.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
    expect(mended.conditions).toHaveLength(1);
  });

  it.each([
    [{ state: 'NotFound' }, 'SecretNotFound', 'prom-token'],
    [{ state: 'KeyMissing', key: 'token' }, 'SecretKeyNotFound', 'token'],
    [{ state: 'KeyEmpty', key: 'token' }, 'SecretKeyEmpty', 'token'],
    [{ state: 'Forbidden' }, 'SecretForbidden', 'get on secrets'],
  ] as const)('waits, not stalled, when of the Secret is found %j: %s', (found, reason, names) => {
    const { conditions = [], path } = read(found);
    expect(path).toBe('/alerts/team/prom');
    expect(conditions).toMatchObject([{ type: 'Ready', status: 'False', reason }]);
    expect(conditions[0]?.message).toContain(names);
  });

  it('speaks of what the source asks for: users, or a key', () => {
    const basic = { auth: { basic: { secretRef: { name: 'users' } } } };
    expect(read({ state: 'NotFound' }, basic).conditions?.[0]?.message).toContain('keys username and password');
    expect(read({ state: 'NoColon', key: 'users' }, basic).conditions?.[0]).toMatchObject({
      status: 'False',
      reason: 'SecretKeyMalformed',
    });
    const hmac = { auth: { hmac: { secretRef: { name: 'sentry', key: 'key' }, header: 'X-Signature' } } };
    expect(read({ state: 'KeyMissing', key: 'key' }, hmac).conditions?.[0]?.message).toContain(
      'auth.hmac.secretRef.key',
    );
    expect(read({ state: 'Usable' }, hmac).conditions?.[0]?.message).toContain(
      'signature under the key of Secret sentry',
    );
  });

  it('leaves alone what others say there', () => {
    const said = {
      type: 'Receiving',
      status: 'True',
      reason: 'Accepted',
      message: '',
      lastTransitionTime: '',
    } as const;
    const { conditions = [] } = read({ state: 'Usable' }, {}, { observedGeneration: 3, conditions: [said] });
    expect(conditions[0]).toBe(said);
    expect(conditions.map(({ type }) => type)).toEqual(['Receiving', 'Ready']);
  });

  it('says so while anyone may send, and no longer once that is over', () => {
    const open = read({ state: 'Usable' }, { auth: { none: {} } });
    expect(open.conditions?.map(({ type, status }) => [type, status])).toEqual([
      ['Ready', 'True'],
      ['Unauthenticated', 'True'],
    ]);
    expect(read({ state: 'Usable' }, {}, open).conditions?.map(({ type }) => type)).toEqual(['Ready']);
  });

  it('is stalled, with field, line and column, by a mapping that does not compile, and no longer once it is mended', () => {
    const mapping = { key: 'item.id', labels: { host: 'item.host +\n  hots' }, when: 'item.kind ==' };
    const broken = read({ state: 'Usable' }, { format: 'Generic', mapping });
    expect(broken.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'MappingDoesNotCompile' },
      { type: 'Stalled', status: 'True', reason: 'MappingDoesNotCompile' },
    ]);
    expect(broken.conditions?.[0]?.message).toContain('mapping.labels["host"]: line 2, column 3: unknown name "hots"');
    expect(broken.conditions?.[0]?.message).toContain('mapping.when: line 1, column 11');
    const mended = read({ state: 'Usable' }, { mapping: { key: 'item.id' } }, broken);
    expect(mended.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
  });
});
