/**
 * Whatever is away, over its rate or lost in between, on two replicas of which one drains: what was answered as stored is found in the end,
 * in its latest state.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { AWAITS_INBOX_ANNOTATION } from '@funnelai/crds/meta';
import fc from 'fast-check';
import type { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { INBOX_LOOK_MS } from '../limits.ts';
import { anAlertSource } from '../testing/builders.ts';
import { aRatedWorld } from '../testing/rated-world.ts';

const FAULTS = 3;

interface Said {
  fault: number;
  resolved: boolean;
  severity: 'warning' | 'critical';
}
type Step =
  | { kind: 'body'; alerts: Said[]; replica: number; holdsAt429: boolean }
  | { kind: 'wait'; seconds: number }
  /** Things go wrong, and right again. */
  | { kind: 'apiServer' | 'postgres' | 'lock' | 'commits'; isWell: boolean }
  | { kind: 'lostAnswer' }
  /** What has ended leaves the cluster. */
  | { kind: 'leave' };

const said: fc.Arbitrary<Said> = fc.record({
  fault: fc.integer({ min: 0, max: FAULTS - 1 }),
  resolved: fc.boolean(),
  severity: fc.constantFrom('warning', 'critical'),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('body' as const),
      alerts: fc.array(said, { minLength: 1, maxLength: 3 }),
      replica: fc.integer({ min: 0, max: 1 }),
      holdsAt429: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('apiServer' as const, 'postgres' as const, 'lock' as const, 'commits' as const),
      isWell: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'lostAnswer' as const }, { kind: 'leave' as const }) },
);

/** `named`: its sender names starts and ends. `isHeard`: replicas hear of what others put into the inbox before they look there. Returns, by fault, how it ended and how it may have. */
async function endsOf(steps: readonly Step[], source: AlertSource, o: { named: boolean; isHeard: boolean }) {
  const drainer = await aRatedWorld({ sources: [source], hears: o.isHeard });
  const other = await aRatedWorld({ sources: [source], beside: drainer, hears: o.isHeard });
  const { fake, memory, clock, drain } = drainer;
  const may: (Set<string> | undefined)[] = Array.from({ length: FAULTS });
  const starts: (Temporal.Instant | undefined)[] = Array.from({ length: FAULTS });
  let last = 0;
  drain.start();
  drainer.lettingGo.start();

  async function send({ alerts, replica, holdsAt429 }: Extract<Step, { kind: 'body' }>): Promise<void> {
    // Else it knows that once it has looked.
    await clock.advance(replica === last || o.isHeard ? 5 : 2 * INBOX_LOOK_MS);
    last = replica;
    const received = alerts.map(({ fault, resolved, severity }, index) => {
      const now = clock.now().add({ milliseconds: index });
      const startsAt = starts[fault] ?? now;
      starts[fault] = resolved ? undefined : startsAt;
      const times = o.named ? { startsAt, ...(resolved ? { endsAt: now } : {}) } : {};
      const labels = { alertname: 'Storm', pod: `p${fault}` };
      const state = resolved ? ('Resolved' as const) : ('Firing' as const);
      return { index, input: { labels, annotations: {}, state, severity, links: [], ...times } };
    });
    const sent = (replica === 0 ? drainer : other).ingest.ingest(source, received, { holdsAt429 });
    let isOpen = true;
    const answer = sent.finally(() => {
      isOpen = false;
    });
    while (isOpen) await clock.advance(50);
    const { unavailable } = await answer;
    for (const { fault, resolved, severity } of alerts) {
      const end = resolved ? 'over' : severity;
      if (unavailable === 0) may[fault] = new Set([end]);
      else may[fault] = (may[fault] ?? new Set(['over'])).add(end);
    }
  }

  for (const one of steps) {
    if (one.kind === 'body') await send(one);
    else if (one.kind === 'wait') await clock.advance(one.seconds * 1_000);
    else if (one.kind === 'apiServer') fake.isAway = !one.isWell;
    else if (one.kind === 'postgres') {
      // What was put there a moment before is told; of which faults it was is known after a look.
      if (!one.isWell) await clock.advance(2 * INBOX_LOOK_MS);
      memory.isAway = !one.isWell;
    } else if (one.kind === 'commits') memory.losesAnswers = !one.isWell;
    else if (one.kind === 'lock') memory.holder = one.isWell ? 1 : 2;
    else if (one.kind === 'lostAnswer') fake.faults.push('lostAnswer');
    else {
      // It stays for ten seconds at least.
      await clock.advance(10_000);
      for (const [name, { spec, metadata }] of fake.stored)
        if (spec.state === 'Resolved' && metadata.annotations?.[AWAITS_INBOX_ANNOTATION] === undefined)
          fake.stored.delete(name);
    }
  }
  fake.isAway = false;
  fake.faults = [];
  memory.isAway = false;
  memory.losesAnswers = false;
  memory.holder = 1;
  for (let n = 0; n < 20 && (n < 2 || memory.rows.length > 0); n += 1) await clock.advance(5_000);
  await Promise.all([drain.stop(), drainer.lettingGo.stop(), clock.advance(1_000)]);
  // Whoever ended may leave again.
  for (const { metadata } of fake.stored.values())
    expect(metadata.annotations ?? {}).not.toHaveProperty([AWAITS_INBOX_ANNOTATION]);
  const found = may.map((_, fault) => {
    const specs = [...fake.stored.values()].map(({ spec }) => spec).filter(({ labels }) => labels?.pod === `p${fault}`);
    expect(specs.length).toBeLessThanOrEqual(1);
    const [spec] = specs;
    return spec?.state !== 'Firing' ? 'over' : spec.severity === 'Critical' ? 'critical' : 'warning';
  });
  return { found, may, left: [memory.rows.length, memory.aside.length] };
}

/** Of the second replica's nothing is news in etcd; what came before it lies in the inbox, over the rate, and in doubt or not. */
const NO_NEWS: Step[][] = [true, false].map((isWell) => [
  { kind: 'body', alerts: [{ fault: 1, resolved: false, severity: 'warning' }], replica: 0, holdsAt429: false },
  { kind: 'body', alerts: [{ fault: 2, resolved: false, severity: 'warning' }], replica: 0, holdsAt429: false },
  { kind: 'commits', isWell },
  { kind: 'body', alerts: [{ fault: 1, resolved: false, severity: 'critical' }], replica: 0, holdsAt429: false },
  { kind: 'body', alerts: [{ fault: 1, resolved: false, severity: 'warning' }], replica: 1, holdsAt429: false },
]);

describe('what two replicas answered as stored', () => {
  it.each([
    { named: true, isRated: true, isHeard: true },
    { named: false, isRated: true, isHeard: true },
    { named: true, isRated: false, isHeard: true },
    { named: false, isRated: false, isHeard: true },
    { named: false, isRated: true, isHeard: false },
  ])(
    'is found in the end, in its latest state, whatever was away meanwhile: %j',
    async ({ isRated, ...o }) => {
      const spec = isRated ? { limits: { ratePerSecond: 1, burst: 2 } } : {};
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
          const { found, may, left } = await endsOf(steps, anAlertSource({ spec }), o);
          expect(left).toEqual([0, 0]);
          for (const [fault, end] of found.entries()) expect([...(may[fault] ?? ['over'])]).toContain(end);
        }),
        { numRuns: 60, examples: NO_NEWS.map((steps) => [steps]) },
      );
    },
    120_000,
  );
});
