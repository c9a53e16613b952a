/** What fires again: into which incident it comes, whoever ended that, and whatever has become of its group meanwhile. */
import { CORRELATION_RULES, INCIDENTS } from '@funnelai/crds/meta';
import { describe, expect, it } from 'vitest';
import { aRule, NAMESPACE } from './testing/builders.ts';
import { groupWorld, now, shopRule } from './testing/group-world.ts';

const MOMENT_MS = 15_000;
const MINUTE_MS = 60_000;

/** One alert, its incident, and a person or the rule that has resolved that. */
async function ended(by: 'person' | 'rule') {
  const w = groupWorld();
  await w.lead();
  await w.report(0, {});
  await w.pass(MOMENT_MS);
  const [first] = w.incidents();
  if (by === 'person' && first) await w.write(first, { phase: 'Resolution' });
  else await w.report(0, { state: 'Resolved', endsAt: now(w) });
  await w.pass(10 * MINUTE_MS);
  expect(w.phases()).toEqual(['Resolution']);
  return w;
}

describe('what fires again', () => {
  it.each(['person', 'rule'] as const)(
    'brings back what a %s resolved within reopenWithin, and opens another after it',
    async (by) => {
      for (const [waitMs, phases] of [
        [MINUTE_MS, ['Detection']],
        [40 * MINUTE_MS, ['Resolution', 'Detection']],
      ] as const) {
        const w = await ended(by);
        await w.pass(waitMs);
        await w.report(0, { startsAt: now(w) });
        await w.pass(MOMENT_MS);
        expect(w.phases()).toEqual(phases);
        await w.away();
      }
    },
  );

  it('under its old start does so too, and what fires on in what a person resolved brings nothing back', async () => {
    const w = await ended('person');
    await w.report(1, {});
    await w.pass(MOMENT_MS);
    expect(w.phases()).toEqual(['Detection']);
    await w.write(w.first(), { phase: 'Resolution' });
    await w.pass(MOMENT_MS);
    expect(w.phases()).toEqual(['Resolution']);
    await w.report(1, {});
    await w.pass(MOMENT_MS);
    expect(w.phases()).toEqual(['Detection']);
    await w.away();
  });

  it('while nobody led is judged as of then: it brings its incident back, and opens no other beside it', async () => {
    const w = await ended('rule');
    await w.away();
    await w.report(0, { startsAt: now(w) });
    await w.pass(40 * MINUTE_MS);
    w.slow(400);
    await w.lead();
    await w.pass(MINUTE_MS);
    expect(w.faults).toEqual([]);
    expect(w.phases()).toEqual(['Detection']);
    await w.away();
  });

  it('brings nothing back where its rule has another group for it by now', async () => {
    const w = await ended('rule');
    await w.api.client('ana').create(CORRELATION_RULES, aRule('pods', { groupBy: [{ label: 'pod' }] }));
    w.slow(400);
    await w.report(0, { startsAt: now(w) });
    await w.pass(MINUTE_MS);
    expect(w.phases()).toEqual(['Resolution', 'Detection']);
    await w.away();
  });

  it('opens the next, and brings no earlier one back, while the last of its group is being deleted', async () => {
    const w = await ended('person');
    await w.write(w.first(), { phase: 'Closed' });
    await w.report(1, {});
    await w.pass(MOMENT_MS);
    const last = w.incidents().find(({ spec }) => spec.phase === 'Detection');
    await w.write(w.first(), { phase: 'Response' });
    await w.write(w.first(), { phase: 'Resolution' });
    for (const pod of [0, 1]) await w.report(pod, { state: 'Resolved', endsAt: now(w) });
    await w.pass(MOMENT_MS);
    await w.api.client('ana').delete(INCIDENTS, { namespace: NAMESPACE, name: last?.metadata.name ?? '' });
    w.slow(400);
    await w.report(0, { startsAt: now(w) });
    await w.pass(MINUTE_MS);
    expect(w.faults).toEqual([]);
    expect(w.phases()).toEqual(['Resolution', 'Detection', 'Detection']);
    await w.away();
  });

  it('brings back what its own was merged into only while that has no later one of its group', async () => {
    const w = groupWorld();
    await w.api.client('ana').create(CORRELATION_RULES, shopRule());
    await w.lead();
    await w.report(0, {});
    await w.report(2, {});
    await w.pass(MOMENT_MS);
    const of = (what: string) => w.incidents().find(({ spec }) => spec.origin?.groupKey.includes(`"${what}"`));
    const [pay, shop] = [of('pay'), of('shop')];
    if (pay === undefined || shop === undefined) throw new Error('expected two incidents');
    await w.write(pay, { phase: 'Closed', mergedInto: { name: shop.metadata.name } });
    for (const pod of [0, 2]) await w.report(pod, { state: 'Resolved', endsAt: now(w) });
    await w.pass(2 * MINUTE_MS);
    expect(w.phases()).toEqual(['Closed', 'Resolution']);
    // The rule of the shop brings nothing back, that of the other group would.
    await w.report(2, { startsAt: now(w) });
    await w.pass(MOMENT_MS);
    await w.report(0, { startsAt: now(w) });
    await w.pass(MOMENT_MS);
    expect(w.faults).toEqual([]);
    expect(w.phases()).toEqual(['Closed', 'Resolution', 'Detection', 'Detection']);
    await w.away();
  });
});
