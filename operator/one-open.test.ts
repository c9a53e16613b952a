/**
 * At most one incident of a group is open, whatever alerts, people and operators do: the operator makes none beside one that is. A
 * person may put one back to work while a later one is open; that is their will, and the only way to two.
 */
import type { Phase } from '@funnelai/crds/generated/types';
import { CORRELATION_RULES, INCIDENTS } from '@funnelai/crds/meta';
import { canMove } from '@funnelai/domain/lifecycle';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NAMESPACE } from './testing/builders.ts';
import { type GroupWorld, groupWorld, now, shopRule } from './testing/group-world.ts';

const SECOND_MS = 1_000;
const MOMENT_MS = 15_000;

type Step =
  | { kind: 'fire' | 'fireOld' | 'end'; pod: number }
  | { kind: 'pass'; seconds: number }
  | { kind: 'lead' | 'away' }
  | { kind: 'slow'; ms: number }
  | { kind: 'move'; incident: number; to: Phase }
  | { kind: 'merge'; incident: number; into: number }
  | { kind: 'delete'; incident: number };

const fire = (pod: number): Step => ({ kind: 'fire', pod });
const end = (pod: number): Step => ({ kind: 'end', pod });
const pass = (seconds: number): Step => ({ kind: 'pass', seconds });
const move = (incident: number, to: Phase): Step => ({ kind: 'move', incident, to });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('fire', 'fireOld', 'end'), pod: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass'), seconds: fc.constantFrom(0.3, 2, 60, 400, 1_795, 2_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('lead', 'away') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('slow'), ms: fc.constantFrom(0, 100, 400, 3_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('move'),
      incident: fc.nat(3),
      to: fc.constantFrom('Detection', 'Response', 'Resolution', 'Resolution', 'Closed'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('merge'), incident: fc.nat(3), into: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), incident: fc.nat(3) }) },
) as fc.Arbitrary<Step>;

/** What has happened before: nothing; two groups; one with an earlier incident that a person put back to work and ended again; a merge. */
const BEGINNINGS: Step[][] = [
  [],
  [fire(0), fire(2), pass(15)],
  [
    fire(0),
    fire(1),
    pass(15),
    move(0, 'Resolution'),
    move(0, 'Closed'),
    end(1),
    fire(1),
    pass(15),
    move(0, 'Response'),
  ].concat(move(0, 'Resolution'), end(1), pass(15)),
  [fire(0), fire(2), pass(15), { kind: 'merge', incident: 0, into: 1 }, end(0), end(2), pass(60)],
];

/** What was found once: two groups of which one was merged into the other, and a write that takes its time. */
const FOUND: [Step[], Step[]][] = [0, 100].map((ms) => [
  BEGINNINGS[3] ?? [],
  [{ kind: 'slow', ms }, fire(2), ...(ms === 0 ? [pass(0.3)] : []), fire(0)],
]);

describe('whatever alerts, people and operators do', () => {
  it('the operator opens and reopens none beside one of the group that is open', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...BEGINNINGS),
        fc.array(step, { minLength: 3, maxLength: 12 }),
        async (before, story) => {
          const w = groupWorld();
          await w.api.client('ana').create(CORRELATION_RULES, shopRule());
          await w.lead();
          const play = player(w);
          for (const one of [...before, ...story]) {
            await play(one);
            await w.pass(1);
          }
          await w.lead();
          await w.pass(MOMENT_MS);
          await w.away();
          expect(w.faults).toEqual([]);
        },
      ),
      { numRuns: 100, examples: FOUND },
    );
  });
});

/** Plays one step after another; what cannot be done is left out. */
function player(w: GroupWorld): (one: Step) => Promise<unknown> {
  const starts = new Map<number, string>();
  const chosen = (n: number) => w.incidents()[n % Math.max(1, w.incidents().length)];
  return async (one) => {
    switch (one.kind) {
      case 'fire':
        starts.set(one.pod, now(w));
        return w.report(one.pod, { startsAt: now(w) });
      case 'fireOld':
        return w.report(one.pod, { startsAt: starts.get(one.pod) ?? now(w) });
      case 'end': {
        const startsAt = starts.get(one.pod);
        return startsAt && w.report(one.pod, { startsAt, state: 'Resolved', endsAt: now(w) });
      }
      case 'pass':
        return w.pass(one.seconds * SECOND_MS);
      case 'lead':
        return w.lead();
      case 'away':
        return w.away();
      case 'slow':
        return w.slow(one.ms);
      case 'move': {
        const incident = chosen(one.incident);
        if (incident === undefined || !canMove(incident.spec.phase, one.to)) return;
        if (incident.spec.mergedInto === undefined) return w.write(incident, { phase: one.to });
        return w.patch(incident, [
          { op: 'add', path: '/spec/phase', value: one.to },
          { op: 'remove', path: '/spec/mergedInto' },
        ]);
      }
      case 'merge': {
        const [incident, into] = [chosen(one.incident), chosen(one.into)];
        if (incident === undefined || into === undefined || incident.metadata.name === into.metadata.name) return;
        if (incident.spec.phase === 'Closed') return;
        return w.write(incident, { phase: 'Closed', mergedInto: { name: into.metadata.name } });
      }
      case 'delete': {
        const incident = chosen(one.incident);
        if (incident === undefined || incident.metadata.deletionTimestamp !== undefined) return;
        return w.api.client('ana').delete(INCIDENTS, { namespace: NAMESPACE, name: incident.metadata.name });
      }
    }
  };
}
