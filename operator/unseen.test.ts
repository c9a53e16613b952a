/**
 * Alerts that fire and resolve while nobody looks: both in one body, or while no operator leads, for however long. Each belongs to an
 * incident as if it had been seen, and what is told again, or found again by the next operator, opens nothing more.
 */
import type { Alert, AlertSpec, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import { mergeAlert, sameAlert } from '@funnelai/domain/merge';
import type { KubeClient } from '@funnelai/kube/client';
import { isConflict } from '@funnelai/kube/errors';
import { FakeClock } from '@funnelai/kube/test-clock';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlert } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { mortal } from './testing/mortal-client.ts';
import { underQuota } from './testing/quota.ts';
import { type Running, runOperator } from './testing/run.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const BEGIN = Temporal.Instant.from('2026-03-01T10:00:00Z');
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** For all that the operator does at once. */
const MOMENT_MS = 20_000;

const at = (second: number): string =>
  BEGIN.add({ milliseconds: Math.round(second * SECOND_MS) }).toString({ fractionalSecondDigits: 6 });
const podOf = (pod: string, o: Partial<AlertSpec> = {}): Alert =>
  anAlert({ labels: { alertname: 'KubePodCrashLooping', namespace: 'pay', pod }, ...o });
const firing = (start: number, received = start): Partial<AlertSpec> => ({
  state: 'Firing',
  startsAt: at(start),
  receivedAt: at(received),
});
const resolved = (start: number, end: number, received = end): Partial<AlertSpec> => ({
  state: 'Resolved',
  startsAt: at(start),
  endsAt: at(end),
  receivedAt: at(received),
});

function world() {
  const clock = new FakeClock(BEGIN.toString());
  const api = new FakeApi(clock);
  const webhook = api.client('webhook');
  let operator: Running | undefined;
  const alerts = () => api.all<Alert>(ALERTS);
  const incidents = () => api.all<Incident>(INCIDENTS);
  const alertOf = (pod: string): Alert => {
    const found = alerts().find(({ spec }) => spec.labels?.pod === pod);
    if (found === undefined) throw new Error(`no alert of ${pod}`);
    return found;
  };

  /** One body about one pod, as the webhook stores it: merged whole, written once, and only where that is news. */
  async function report(pod: string, ...reports: Partial<AlertSpec>[]): Promise<void> {
    const { metadata } = podOf(pod);
    const { name } = metadata;
    const specs = reports.map((spec) => podOf(pod, spec).spec);
    for (;;) {
      const stored = alerts().find((alert) => alert.metadata.name === name);
      const next = specs.reduce<AlertSpec | undefined>((before, spec) => mergeAlert(before, spec), stored?.spec);
      if (next === undefined || (stored && sameAlert(stored.spec, next))) return;
      try {
        if (stored === undefined) await webhook.create(ALERTS, { ...podOf(pod), spec: next });
        else await webhook.replace(ALERTS, { ...stored, spec: next });
        return;
      } catch (error) {
        // The operator has answered in between: as the webhook, it reads and merges anew.
        if (!isConflict(error)) throw error;
      }
    }
  }

  async function lead(client: KubeClient = api.client(OPERATOR)): Promise<void> {
    operator = runOperator({ client, clock });
    await eventually('the operator leads', () => operator?.leading() === true);
    await pass(MOMENT_MS);
  }
  async function away(): Promise<void> {
    let isOver = false;
    const stopped = operator?.stop().finally(() => {
      isOver = true;
    });
    operator = undefined;
    // What it has under way may wait for the clock.
    for (let i = 0; stopped !== undefined && !isOver && i < 100; i += 1) await clock.advance(SECOND_MS / 10);
    await stopped;
  }
  async function pass(ms: number): Promise<void> {
    for (let i = 0; i < 4; i += 1) await clock.advance(ms / 4);
  }
  const answers = () =>
    alerts()
      .map(({ spec, status }) => `${spec.labels?.pod} ${status?.conditions?.[0]?.reason} ${status?.episode}`)
      .sort();
  const phases = () => incidents().map(({ spec }) => spec.phase);
  return { clock, api, alerts, incidents, alertOf, report, lead, away, pass, answers, phases };
}

describe('an alert that fired and resolved unseen', () => {
  it.each([
    ['in one body', [[firing(0), resolved(0, 30)]]],
    ['while no operator led', [[firing(0)], [resolved(0, 30)]]],
    ['the end before the firing, which waited in the inbox', [[resolved(0, 30, 30)], [firing(0, 1)]]],
  ])('%s opens its incident, which resolves as its rule says', async (_how, bodies) => {
    const { report, lead, away, pass, alertOf, incidents, phases, answers, clock } = world();
    for (const body of bodies) await report('a', ...body);
    await clock.advance(3 * 3_600_000);
    await lead();
    expect(answers()).toEqual(['a Opened 1']);
    const { status, spec } = alertOf('a');
    expect(spec).toMatchObject({ state: 'Resolved', startsAt: at(0), endsAt: at(30) });
    expect(status?.explanation).toMatch(/; opened .*, as it had fired and resolved unseen$/);
    expect(incidents()).toHaveLength(1);
    expect(incidents()[0]?.status?.alerts).toMatchObject({ firing: 0, resolved: 1, total: 1 });
    expect(phases()).toEqual(['Detection']);
    await pass(4 * MINUTE_MS);
    expect(phases()).toEqual(['Detection']);
    await pass(2 * MINUTE_MS);
    expect(phases()).toEqual(['Resolution']);
    await pass(25 * 60 * MINUTE_MS);
    expect(phases()).toEqual(['Closed']);
    await away();
  });

  it('opens nothing more when its body is sent again, nor when the next operator finds it', async () => {
    const { report, lead, away, pass, incidents, api, answers } = world();
    const body = [firing(0), resolved(0, 30)];
    await lead();
    for (let i = 0; i < 3; i += 1) await report('a', ...body.map((one) => ({ ...one, receivedAt: at(60 + i) })));
    await pass(MINUTE_MS);
    const writes = new Map(api.writes);
    await report('a', ...body.map((one) => ({ ...one, receivedAt: at(600) })));
    await away();
    await lead();
    const ofAlerts = (all: Map<string, number>) => [...all].filter(([key]) => key.startsWith(ALERTS.plural));
    expect(ofAlerts(api.writes)).toEqual(ofAlerts(writes));
    await pass(10 * MINUTE_MS);
    await report('a', ...body.map((one) => ({ ...one, receivedAt: at(3_600) })));
    await pass(10 * MINUTE_MS);
    expect(incidents()).toHaveLength(1);
    expect(incidents()[0]?.spec.phase).toBe('Resolution');
    expect(answers()).toEqual(['a Opened 1']);
    await away();
  });

  it('is recorded and opens none where the rule says so, as what fires is', async () => {
    const { report, lead, away, incidents, answers } = world();
    const mild = { severity: 'Info' as const };
    await report('a', { ...firing(0), ...mild }, { ...resolved(0, 30), ...mild });
    await lead();
    expect(answers()).toEqual(['a Recorded 1']);
    expect(incidents()).toEqual([]);
    await away();
  });

  it('opens none when all that was ever said is that it is over', async () => {
    const { report, lead, away, incidents, answers } = world();
    await report('a', resolved(0, 30));
    await lead();
    expect(answers()).toEqual(['a ResolvedFirst 1']);
    // A second end of which nobody said that it fires, too.
    await report('a', resolved(60, 90));
    await away();
    await lead();
    expect(answers()).toEqual(['a ResolvedFirst 2']);
    expect(incidents()).toEqual([]);
    await away();
  });

  it('is in its incident also where the firing comes to be known after its end was waved off', async () => {
    const { report, lead, away, pass, incidents, answers } = world();
    await lead();
    await report('a', resolved(0, 30));
    await pass(MOMENT_MS);
    expect(answers()).toEqual(['a ResolvedFirst 1']);
    await report('a', firing(0, 1));
    await pass(MOMENT_MS);
    expect(answers()).toEqual(['a Opened 1']);
    expect(incidents()).toHaveLength(1);
    await away();
  });

  it('is in one incident when it did so twice, and when only the first of two was ever said to fire', async () => {
    for (const second of [[firing(60), resolved(60, 90)], [resolved(60, 90)]]) {
      const { report, lead, away, incidents, alertOf } = world();
      await report('a', firing(0), resolved(0, 30));
      for (const one of second) await report('a', one);
      await lead();
      expect(incidents()).toHaveLength(1);
      expect(alertOf('a').status).toMatchObject({ episode: 1, incidentRef: { name: incidents()[0]?.metadata.name } });
      await away();
    }
  });

  it('joins the incident of its group, and brings it back only where it fired after that had ended', async () => {
    const { report, lead, away, pass, incidents, phases, answers, clock } = world();
    await lead();
    await report('a', firing(0));
    await pass(MINUTE_MS);
    await away();
    await report('b', firing(90), resolved(90, 95));
    await report('a', resolved(0, 100));
    await clock.advance(20 * MINUTE_MS);
    // The incident may have ended by the time that b is looked at: b was over before that, and wakes nobody.
    await lead();
    await pass(10 * MINUTE_MS);
    expect(phases()).toEqual(['Resolution']);
    expect(answers()).toEqual(['a Opened 1', 'b Joined 1']);
    const { round, changes = [] } = incidents()[0]?.status ?? {};
    expect(round).toBe(1);
    expect(changes.filter(({ kind }) => kind === 'Phase').map(({ to }) => to)).toEqual(['Detection', 'Resolution']);
    await away();
    const now = (clock.now().epochMilliseconds - BEGIN.epochMilliseconds) / SECOND_MS;
    await report('c', firing(now), resolved(now, now + 5));
    await clock.advance(3 * 60 * MINUTE_MS);
    await lead();
    expect(answers()).toContain('c Reopened 1');
    expect(incidents()[0]?.spec).toMatchObject({
      phase: 'Detection',
      phaseReason: expect.stringMatching(/fired again, and resolved unseen$/),
    });
    await pass(6 * MINUTE_MS);
    expect(phases()).toEqual(['Resolution']);
    await away();
  });

  it('a thousand of them in one body are one incident', async () => {
    const { api, lead, away, incidents, alerts } = world();
    for (let i = 0; i < 1_000; i += 1) {
      const { spec } = podOf(`p${i}`, resolved(0, 30));
      await api
        .client('webhook')
        .create(ALERTS, { ...podOf(`p${i}`), spec: mergeAlert(podOf(`p${i}`, firing(0)).spec, spec) });
    }
    await lead();
    expect(incidents()).toHaveLength(1);
    expect(new Set(alerts().map(({ status }) => status?.incidentRef?.name)).size).toBe(1);
    expect(incidents()[0]?.status?.alerts).toMatchObject({ firing: 0, resolved: 1_000, total: 1_000 });
    await away();
  });

  it('is looked for again where a quota refuses its incident, though it is over', async () => {
    const { report, lead, away, pass, incidents, answers, api } = world();
    const { bounded, quota } = underQuota(api.client(OPERATOR));
    await report('a', firing(0), resolved(0, 30));
    await lead(bounded);
    expect(answers()).toEqual(['a Refused 1']);
    quota.isUsedUp = false;
    await pass(11 * MINUTE_MS);
    expect(answers()).toEqual(['a Opened 1']);
    expect(incidents()).toHaveLength(1);
    await away();
  });
});

describe('two operators that both believe to lead', () => {
  it('open one incident for each group of what they find', async () => {
    const { api, clock, report, pass, alerts, incidents } = world();
    for (const pod of ['a', 'b', 'c', 'd']) await report(pod, firing(0), resolved(0, 30));
    const operators = [1, 2].map(() => runOperator({ client: api.client(OPERATOR), clock }));
    await eventually('both lead', () => operators.every((operator) => operator.leading()));
    await pass(MOMENT_MS);
    const [incident, ...others] = incidents();
    expect(others).toEqual([]);
    const names = new Set(alerts().map(({ status }) => status?.incidentRef?.name));
    expect([...names]).toEqual([incident?.metadata.name]);
    await pass(10 * MINUTE_MS);
    expect(incidents()[0]?.spec.phase).toBe('Resolution');
    expect(incidents()[0]?.status).toMatchObject({ round: 1, alerts: { firing: 0, resolved: 4, total: 4 } });
    await Promise.all(operators.map((operator) => operator.stop()));
  });
});

/** What happens at one step of a story. */
type Step =
  | { kind: 'flap' | 'body' | 'fire' | 'end' | 'endOnly'; pod: number; seconds: number }
  | { kind: 'lead' | 'away' | 'twice'; seconds: number }
  | { kind: 'dies'; atWrite: number; when: 'before' | 'after'; seconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('flap', 'body', 'fire', 'end'),
      pod: fc.nat(2),
      seconds: fc.integer({ min: 1, max: 900 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('endOnly' as const),
      pod: fc.constant(3),
      seconds: fc.integer({ min: 1, max: 60 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('lead', 'away', 'twice'), seconds: fc.integer({ min: 1, max: 900 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('dies' as const),
      atWrite: fc.integer({ min: 1, max: 4 }),
      when: fc.constantFrom('before' as const, 'after' as const),
      seconds: fc.constant(1),
    }),
  },
) as fc.Arbitrary<Step>;

describe('whatever comes while operators come, go and die', () => {
  it('all that was ever said to fire is in an incident, nothing else is, and no group has two that are open', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (story) => {
        const { report, lead, away, pass, clock, incidents, alerts, api } = world();
        const since = new Map<number, number>();
        const everFired = new Set<string>();
        const sent: [string, Partial<AlertSpec>[]][] = [];
        const now = () => (clock.now().epochMilliseconds - BEGIN.epochMilliseconds) / SECOND_MS;
        async function send(pod: number, ...reports: Partial<AlertSpec>[]): Promise<void> {
          if (reports.some(({ state }) => state === 'Firing')) everFired.add(`p${pod}`);
          sent.push([`p${pod}`, reports]);
          await report(`p${pod}`, ...reports);
        }
        let leads = false;
        for (const one of story) {
          await pass(one.seconds * SECOND_MS);
          switch (one.kind) {
            case 'fire':
              if (!since.has(one.pod)) since.set(one.pod, now());
              await send(one.pod, firing(since.get(one.pod) ?? 0, now()));
              break;
            case 'end': {
              const start = since.get(one.pod);
              since.delete(one.pod);
              if (start !== undefined) await send(one.pod, resolved(start, now()));
              break;
            }
            case 'endOnly':
              await send(one.pod, resolved(now() - 0.5, now()));
              break;
            case 'flap':
            case 'body': {
              if (since.has(one.pod)) break;
              const both = [firing(now() - 0.9, now() - 0.001), resolved(now() - 0.9, now())];
              if (one.kind === 'body') await send(one.pod, ...both);
              else for (const report of both) await send(one.pod, report);
              break;
            }
            case 'twice': {
              const [pod, last] = sent.at(-1) ?? [];
              if (pod !== undefined && last !== undefined) await report(pod, ...last);
              break;
            }
            case 'lead':
              if (!leads) await lead();
              leads = true;
              break;
            case 'away':
              await away();
              leads = false;
              break;
            case 'dies': {
              await away();
              leads = false;
              const victim = mortal(api.client(OPERATOR), one);
              await lead(victim.client);
              await away();
            }
          }
        }
        for (const [pod, start] of since) await send(pod, resolved(start, now()));
        await away();
        await lead();
        await pass(MINUTE_MS);
        const names = new Set(incidents().map(({ metadata }) => metadata.name));
        for (const { spec, status } of alerts()) {
          const pod = spec.labels?.pod ?? '';
          const where = status?.incidentRef?.name;
          const what = `${pod}: ${status?.conditions?.[0]?.reason} ${where}`;
          if (everFired.has(pod)) expect(names.has(where ?? ''), what).toBe(true);
          // But into what a death has left without any alert: that one has to end.
          else if (!story.some(({ kind }) => kind === 'dies')) expect(where, what).toBeUndefined();
          expect(status?.episodeStartedAt, what).toBe(spec.startsAt);
        }
        expect(incidents().filter(({ spec }) => spec.phase === 'Detection').length).toBeLessThanOrEqual(1);
        const count = incidents().length;
        // A sender that heard no answer sends all of it again, and nothing comes of that.
        for (const [pod, reports] of sent) await report(pod, ...reports);
        await pass(10 * MINUTE_MS);
        expect(incidents()).toHaveLength(count);
        for (const { spec, status } of alerts()) {
          const ended = incidents().find(({ metadata }) => metadata.name === status?.incidentRef?.name)?.status
            ?.resolvedAt;
          // Nothing is put to rest in what had ended before it fired.
          if (everFired.has(spec.labels?.pod ?? ''))
            expect(Date.parse(ended ?? '')).toBeGreaterThanOrEqual(Date.parse(spec.startsAt) - SECOND_MS);
        }
        for (const { spec, status } of incidents()) {
          expect(spec.phase).not.toBe('Detection');
          const members = alerts().filter((alert) => alert.status?.incidentRef?.name === names.values().next().value);
          if (count === 1) expect(status?.alerts).toMatchObject({ firing: 0, total: members.length });
        }
        await away();
      }),
      { numRuns: 200 },
    );
  });
});
