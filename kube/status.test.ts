import type { Condition, KubeObject } from '@funnelai/crds/meta';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeClient } from './client.ts';
import { mergePatchBetween, sameJson } from './merge-patch.ts';
import { patchStatus, setCondition } from './status.ts';
import { CONFIG_MAPS } from './testing/scripted-server.ts';

/** RFC 7386, section 2, word for word. */
function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    target !== null && typeof target === 'object' && !Array.isArray(target) ? { ...(target as object) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}

describe('merge patches', () => {
  it('turn one status into another, and are empty exactly when nothing differs', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.string(), fc.integer(), fc.boolean(), tie('list'), tie('map')),
      list: fc.array(tie('any'), { maxLength: 3 }),
      map: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__x'), tie('any'), { maxKeys: 4 }),
    })).map;
    fc.assert(
      fc.property(value, value, (from, to) => {
        const patch = mergePatchBetween(from, to);
        expect(patch === undefined).toBe(sameJson(from, to));
        if (patch !== undefined) expect(applyMergePatch(from, JSON.parse(JSON.stringify(patch)))).toEqual(to);
      }),
    );
  });

  it('leave out what did not change, and remove what is gone', () => {
    const from = { phase: 'Detection', alerts: { firing: 3, total: 4 }, at: 'x', list: [1, 2] };
    const to = { phase: 'Detection', alerts: { firing: 2, total: 4 }, at: undefined, list: [1, 2] };
    expect(mergePatchBetween(from, to)).toEqual({ alerts: { firing: 2 }, at: null });
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
    const patches: unknown[] = [];
    const client: Pick<KubeClient, 'mergePatch'> = {
      mergePatch: async <T extends KubeObject>(
        _r: unknown,
        _k: unknown,
        patch: unknown,
        o?: { subresource?: string | undefined },
      ) => {
        patches.push([o?.subresource, patch]);
        return aThing() as unknown as T;
      },
    };
    return { client, patches };
  };

  it('sends nothing when nothing changed', async () => {
    const { client, patches } = recorded();
    expect(await patchStatus(client, CONFIG_MAPS, aThing({ phase: 'A' }), { phase: 'A' })).toBeUndefined();
    expect(await patchStatus(client, CONFIG_MAPS, aThing(), {})).toBeUndefined();
    expect(patches).toEqual([]);
  });

  it('sends the difference, bound to the version that was read unless told otherwise', async () => {
    const { client, patches } = recorded();
    await patchStatus(client, CONFIG_MAPS, aThing({ phase: 'A', note: 'x' }), { phase: 'B' });
    await patchStatus(client, CONFIG_MAPS, aThing(), { phase: 'B' }, { precondition: false });
    expect(patches).toEqual([
      ['status', { metadata: { resourceVersion: '7' }, status: { phase: 'B', note: null } }],
      ['status', { status: { phase: 'B' } }],
    ]);
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
