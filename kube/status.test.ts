import type { Condition, KubeObject } from '@funnelai/crds/meta';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeClient } from './client.ts';
import { sameJson } from './same-json.ts';
import { putStatus, setCondition } from './status.ts';
import { CONFIG_MAPS } from './testing/scripted-server.ts';

describe('the same JSON', () => {
  it('is what reads the same, whatever the order of keys; a key that is undefined is none', () => {
    expect(sameJson({ a: 1, b: [{ c: null }], d: undefined }, { b: [{ c: null }], a: 1 })).toBe(true);
    for (const other of [{ a: 2 }, { a: 1, b: 2 }, { a: '1' }, {}, [1], null, { a: [1] }]) {
      expect(sameJson({ a: 1 }, other)).toBe(false);
    }
    expect(sameJson([1, 2], [2, 1])).toBe(false);
  });

  it('is what JSON.stringify makes of both once their keys are sorted', () => {
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(sorted);
      if (value === null || typeof value !== 'object') return value;
      return Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([k, v]) => ({ [k]: sorted(v) }));
    };
    const words = (value: unknown) => JSON.stringify([typeof value, Array.isArray(value), sorted(value)]);
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(sameJson(a, structuredClone(a))).toBe(true);
        if (sameJson(a, b)) expect(words(a)).toBe(words(b));
      }),
    );
  });
});

interface Thing extends KubeObject {
  status?: { phase?: string; conditions?: Condition[]; note?: string };
}
const aThing = (status?: Thing['status']): Thing => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { namespace: 'ns', name: 'x', uid: 'u', resourceVersion: '7' },
  ...(status ? { status } : {}),
});

describe('writing a status', () => {
  const recorded = () => {
    const puts: unknown[] = [];
    const client: Pick<KubeClient, 'replace'> = {
      replace: async <T extends KubeObject>(_r: unknown, body: T, o?: { subresource?: string | undefined }) => {
        puts.push([o?.subresource, body]);
        return body;
      },
    };
    return { client, puts };
  };

  it('sends nothing when nothing changed', async () => {
    const { client, puts } = recorded();
    expect(await putStatus(client, CONFIG_MAPS, aThing({ phase: 'A' }), { phase: 'A' })).toBeUndefined();
    expect(await putStatus(client, CONFIG_MAPS, aThing(), {})).toBeUndefined();
    expect(puts).toEqual([]);
  });

  it('sends the whole status and nothing else, bound to the object and the version that were read', async () => {
    const { client, puts } = recorded();
    const read = { ...aThing({ phase: 'A', note: 'x' }), spec: { large: 'very' } };
    await putStatus(client, CONFIG_MAPS, read, { phase: 'B' });
    const metadata = { namespace: 'ns', name: 'x', uid: 'u', resourceVersion: '7' };
    expect(puts).toEqual([['status', { apiVersion: 'v1', kind: 'Thing', metadata, status: { phase: 'B' } }]]);
  });
});

describe('conditions', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'Compiled', message: '' } as const;
  it('move their time only with their status, and keep their place', () => {
    const one = setCondition(undefined, ready, '2026-01-01T00:00:00Z');
    const both = setCondition(one, { ...ready, type: 'Stalled', status: 'False' }, '2026-01-01T00:00:01Z');
    const reworded = setCondition(
      both,
      { ...ready, message: 'two rules', observedGeneration: 3 },
      '2026-01-01T00:00:02Z',
    );
    expect(reworded.map((c) => [c.type, c.message, c.lastTransitionTime, c.observedGeneration])).toEqual([
      ['Ready', 'two rules', '2026-01-01T00:00:00Z', 3],
      ['Stalled', '', '2026-01-01T00:00:01Z', undefined],
    ]);
    const flipped = setCondition(reworded, { ...ready, status: 'False' }, '2026-01-01T00:00:03Z');
    expect(flipped[0]).toMatchObject({
      status: 'False',
      lastTransitionTime: '2026-01-01T00:00:03Z',
      observedGeneration: 3,
    });
    expect(one[0]?.message).toBe('');
  });

  it('said again change nothing', () => {
    const one = setCondition(undefined, ready, '2026-01-01T00:00:00Z');
    expect(setCondition(one, ready, '2026-01-02T00:00:00Z')).toEqual(one);
  });
});
