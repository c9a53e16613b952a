/**
 * At most one incident of a group is open, whatever alerts, people and operators do: the operator makes none beside one that is. A
 * person may put one back to work while a later one is open; that is their will, and the only way to two.
 */
import type { Alert, AlertSpec, Incident, IncidentSpec, Phase } from '@funnelai/crds/generated/types';
import { ALERTS, CORRELATION_RULES, INCIDENTS } from '@funnelai/crds/meta';
import { canMove, isOpen } from '@funnelai/domain/lifecycle';
import type { JsonPatchOp, KubeClient } from '@funnelai/kube/client';
import { isConflict } from '@funnelai/kube/errors';
import { FakeClock } from '@funnelai/kube/test-clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anAlert, aRule, NAMESPACE } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { type Running, runOperator } from './testing/run.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const SECOND_MS = 1_000;
const MOMENT_MS = 15_000;
const MINUTE_MS = 60_000;

const groupOf = ({ spec: { origin } }: Incident) => origin && `${origin.ruleRef?.name ?? ''} ${origin.groupKey}`;
const isLiveOpen = ({ metadata, spec }: Incident) => isOpen(spec.phase) && metadata.deletionTimestamp === undefined;
/** What each answers to is another pod; pods of a namespace are a group. */
const podOf = (pod: number, o: Partial<AlertSpec> = {}) =>
  anAlert({ labels: { alertname: 'PodCrashes', namespace: pod < 2 ? 'pay' : 'shop', pod: `p${pod}` }, ...o });

function world() {
  const clock = new FakeClock('2026-03-01T10:00:02Z');
  const api = new FakeApi(clock);
  const incidents = () => api.all<Incident>(INCIDENTS);
  /** What the operator opened beside one that was open. */
  const faults: string[] = [];
  /** What people put back to work after it had ended. */
  const backAtWork = new Set<string | undefined>();
  /** How long a write of the operator is under way. */
  let latencyMs = 0;
  let operator: Running | undefined;

  async function checked<T>(write: () => Promise<T>): Promise<T> {
    if (latencyMs > 0) await clock.sleep(latencyMs);
    const before = new Set(
      incidents()
        .filter(isLiveOpen)
        .map(({ metadata }) => metadata.uid),
    );
    const answer = await write();
    const open = incidents().filter(isLiveOpen);
    for (const incident of open.filter(({ metadata }) => !before.has(metadata.uid))) {
      backAtWork.delete(incident.metadata.uid);
      const others = open.filter(
        (other) => other !== incident && groupOf(other) === groupOf(incident) && !backAtWork.has(other.metadata.uid),
      );
      if (groupOf(incident) !== undefined && others.length > 0)
        faults.push(`${incident.metadata.name} (${incident.spec.phaseReason}) beside ${others[0]?.metadata.name}`);
    }
    return answer;
  }
  const plain = api.client(OPERATOR);
  const client: KubeClient = {
    ...plain,
    create: (r, object, o) => checked(() => plain.create(r, object, o)),
    jsonPatch: (r, key, ops, o) => checked(() => plain.jsonPatch(r, key, ops, o)),
  };

  async function report(pod: number, spec: Partial<AlertSpec>): Promise<void> {
    const { metadata, ...alert } = podOf(pod, { receivedAt: clock.now().toString(), ...spec });
    for (;;) {
      const stored = api.all<Alert>(ALERTS).find((one) => one.metadata.name === metadata.name);
      try {
        if (stored === undefined) await api.client('webhook').create(ALERTS, { ...alert, metadata });
        else await api.client('webhook').replace(ALERTS, { ...stored, spec: alert.spec });
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }
  const patch = ({ spec, metadata: { name, uid } }: Incident, ops: JsonPatchOp[]) => {
    const opens = ops.some((op) => 'value' in op && op.path === '/spec/phase' && isOpen(op.value as Phase));
    if (opens && !isOpen(spec.phase)) backAtWork.add(uid);
    return api.client('ana').jsonPatch<Incident>(INCIDENTS, { namespace: NAMESPACE, name }, ops);
  };
  const write = (incident: Incident, spec: Partial<IncidentSpec>) =>
    patch(
      incident,
      Object.entries(spec).map(([field, value]) => ({ op: 'add', path: `/spec/${field}`, value })),
    );
  async function pass(ms: number): Promise<void> {
    for (let i = 0; i < 4; i += 1) await clock.advance(ms / 4);
  }
  async function lead(): Promise<void> {
    operator ??= runOperator({ client, clock });
    await eventually('the operator leads', () => operator?.leading() === true);
    await pass(SECOND_MS);
  }
  async function away(): Promise<void> {
    let isOver = false;
    const stopped = operator?.stop().finally(() => {
      isOver = true;
    });
    operator = undefined;
    for (let i = 0; stopped !== undefined && !isOver && i < 200; i += 1) await clock.advance(SECOND_MS / 2);
    await stopped;
  }
  const slow = (ms: number) => {
    latencyMs = ms;
  };
  const phases = () => incidents().map(({ spec }) => spec.phase);
  const first = (): Incident => {
    const [incident] = incidents();
    if (incident === undefined) throw new Error('no incident');
    return incident;
  };
  return { clock, api, incidents, phases, first, faults, report, patch, write, pass, lead, away, slow };
}
/** Nothing comes back by it. */
const shopRule = () =>
  aRule('shop', {
    match: ['namespace="shop"'],
    groupBy: [{ label: 'namespace' }],
    reopenWithin: '0s',
    resolve: { after: '30s' },
  });
const now = ({ clock }: Pick<ReturnType<typeof world>, 'clock'>) => clock.now().toString();

/** One alert, its incident, and a person or the rule that has resolved that. */
async function ended(by: 'person' | 'rule') {
  const w = world();
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
    const w = world();
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

describe('whatever alerts, people and operators do', () => {
  it('the operator opens and reopens none beside one of the group that is open', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...BEGINNINGS),
        fc.array(step, { minLength: 3, maxLength: 12 }),
        async (before, story) => {
          const w = world();
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
      { numRuns: 100 },
    );
  });
});

/** Plays one step after another; what cannot be done is left out. */
function player(w: ReturnType<typeof world>): (one: Step) => Promise<unknown> {
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
