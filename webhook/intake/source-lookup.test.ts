import type { AlertSource } from '@funnelai/crds/generated/types';
import type { KubeClient } from '@funnelai/kube/client';
import { KubeError } from '@funnelai/kube/errors';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { SOURCE_LOOKUPS_PER_SECOND, SOURCE_MISSING_BELIEVED_MS } from '../limits.ts';
import { anAlertSource } from '../testing/builders.ts';
import { type EntranceDeps, findSource } from './entrance.ts';
import { createSourceLookup } from './source-lookup.ts';

/** A cache whose watch brings nothing any more, and an API server that has what a test puts there. */
function aStaleCache() {
  const clock = new FakeClock();
  const there = new Map<string, AlertSource>();
  const held = new Map<string, AlertSource>();
  const api = { asked: 0, fails: undefined as number | undefined };
  const limits: string[] = [];
  let missed = 0;
  const get = async (_: unknown, { name }: { name: string }) => {
    api.asked += 1;
    const found = there.get(name);
    if (api.fails === undefined && found !== undefined) return found;
    const status = api.fails ?? 404;
    throw new KubeError({ status, reason: 'Fault', message: 'no', transient: status === 0, perhapsStored: false });
  };
  const sources = {
    get: (_: string, name: string) => held.get(name),
    observe: (source: AlertSource) => held.set(source.metadata.name, source),
    synced: true,
    fresh: () => true,
  } as unknown as EntranceDeps['sources'];
  const client = { get } as unknown as KubeClient;
  const lookup = createSourceLookup({ client, sources, clock, metrics: { limitReached: (one) => limits.push(one) } });
  const leases = { missed: () => (missed += 1) } as unknown as NonNullable<EntranceDeps['leases']>;
  const deps: EntranceDeps = { sources, lookup, leases, auth: { check: async () => 'ok' } };
  return {
    clock,
    api,
    limits,
    missed: () => missed,
    make: (name: string) => there.set(name, anAlertSource({ name, namespace: 'pay' })),
    find: (source: string) => findSource(deps, { namespace: 'pay', source }),
    answer: (source: string) =>
      findSource(deps, { namespace: 'pay', source }).then(
        () => 'found',
        (error: { code: string }) => error.code,
      ),
  };
}

describe('a source that the cache does not know', () => {
  it('is found where it is, once for all who ask, and known from then on', async () => {
    const { api, make, find } = aStaleCache();
    make('new');
    const found = await Promise.all([find('new'), find('new'), find('new')]);
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['new', 'new', 'new']);
    await find('new');
    expect(api.asked).toBe(1);
  });

  it('is said not to exist only when the API server says so, and is looked for again soon', async () => {
    const { clock, api, make, answer, missed } = aStaleCache();
    expect(await answer('later')).toBe('NotFound');
    expect(await answer('later')).toBe('NotFound');
    expect(api.asked).toBe(1);
    make('later');
    await clock.advance(SOURCE_MISSING_BELIEVED_MS);
    expect(await answer('later')).toBe('found');
    expect(missed()).toBe(0);
  });

  it('is none of ours where we may not read', async () => {
    const { api, answer } = aStaleCache();
    api.fails = 403;
    expect(await answer('elsewhere')).toBe('NotFound');
  });

  it('is unknown, and its sender told to come again, when the API server does not answer', async () => {
    const { api, make, answer, missed } = aStaleCache();
    make('there');
    api.fails = 0;
    expect(await answer('there')).toBe('Unavailable');
    expect(missed()).toBe(1);
    api.fails = undefined;
    expect(await answer('there')).toBe('found');
  });

  it('is not looked for by whoever tries names, beyond so many a second', async () => {
    const { clock, api, limits, answer } = aStaleCache();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => answer(`try-${i}`)));
    expect(api.asked).toBe(SOURCE_LOOKUPS_PER_SECOND);
    expect(answers.filter((one) => one === 'NotFound')).toHaveLength(SOURCE_LOOKUPS_PER_SECOND);
    expect(answers.filter((one) => one === 'Unavailable')).toHaveLength(100 - SOURCE_LOOKUPS_PER_SECOND);
    expect(new Set(limits)).toEqual(new Set(['SOURCE_LOOKUPS_PER_SECOND']));
    await clock.advance(1_000);
    expect(await answer('try-99')).toBe('NotFound');
  });
});
