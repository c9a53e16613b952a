import type { Incident, IncidentSpec, IncidentStatus } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideIncident, ruleFor } from './correlate.ts';
import { incidentName, lengthen } from './incident-name.ts';
import { ADJECTIVES, ANIMALS } from './incident-words.ts';
import { newIncident } from './opening.ts';
import { BUILT_IN_RULE, compileRules } from './rules.ts';
import { anAlertSpec, anIncident, aRule, at, time } from './testing/builders.ts';
import { anyText } from './testing/text.ts';

const alertWith = (labels: Record<string, string>, severity = 'Medium' as const) => anAlertSpec({ labels, severity });
const rule = (...rules: Parameters<typeof aRule>[]) => compileRules(rules.map((r) => aRule(...r))).rules;
const rulingOf = (labels: Record<string, string>, ...rules: Parameters<typeof aRule>[]) =>
  ruleFor(alertWith(labels), 'prom-1', rule(...rules));

describe('compileRules', () => {
  it('sorts by order and name, skips suspended and broken ones, and says what is wrong and where', () => {
    const compiled = compileRules([
      aRule('b'),
      aRule('a'),
      aRule('first', { order: 1 }),
      aRule('off', { suspend: true }),
      aRule('bad-match', { match: ['a=b', 'c="'] }),
      aRule('bad-time', { resolve: { after: '5 minutes' } }),
      aRule('bad-title', { incident: { title: '{{ x | nope }}' } }),
      aRule('reads-files', { incident: { title: '{% include "/etc/passwd" %}' } }),
    ]);
    expect(compiled.rules.map((r) => r.name)).toEqual(['first', 'a', 'b', undefined]);
    expect(Object.fromEntries(compiled.broken.map((b) => [b.name, b.message]))).toEqual({
      'bad-match': expect.stringMatching(/^spec\.match\[1\]: line 1, column 3: expected a closing quote/),
      'bad-time': expect.stringMatching(/^spec\.resolve\.after: expected a duration/),
      'bad-title': expect.stringMatching(/^spec\.incident\.title: undefined filter: nope, line:1/),
      'reads-files': expect.stringMatching(/^spec\.incident\.title: /),
    });
  });
});

describe('ruleFor', () => {
  it('gives the alert to the first rule that matches, in words', () => {
    const labels = { alertname: 'KubePodCrashLooping', namespace: 'pay' };
    const found = rulingOf(
      labels,
      ['pods', { match: ['alertname=~"KubePod.+"'], groupBy: [{ label: 'namespace' }, { label: 'alertname' }] }],
      ['zz', {}],
    );
    expect(found).toMatchObject({
      record: false,
      groupKey: '[["namespace","pay"],["alertname","KubePodCrashLooping"]]',
      explanation: 'rule "pods" on namespace=pay, alertname=KubePodCrashLooping',
    });
  });

  it('missing: Separate, Empty or NoMatch', () => {
    const by = (missing: 'Separate' | 'Empty' | 'NoMatch') =>
      rulingOf({ alertname: 'A' }, ['r', { groupBy: [{ label: 'cluster', missing }] }]);
    expect(by('Separate')).toMatchObject({ groupKey: '[["cluster",""],["alert","prom-1"]]' });
    expect(by('Empty')).toMatchObject({ groupKey: '[["cluster",""]]' });
    expect(by('NoMatch').rule).toBe(BUILT_IN_RULE);
    expect(rulingOf({ alertname: 'A' }, ['r', {}])).toMatchObject({ groupKey: '[]' });
  });

  it('puts twelve crash-looping pods without a cluster into one group, and Watchdog into none', () => {
    const keys = Array.from({ length: 12 }, (_, i) =>
      rulingOf({ alertname: 'KubePodCrashLooping', namespace: 'pay', pod: `p${i}` }),
    );
    expect(new Set(keys.map((k) => !k.record && k.groupKey))).toEqual(
      new Set(['[["alertname","KubePodCrashLooping"],["namespace","pay"],["cluster",""]]']),
    );
    const watchdog = ruleFor(
      anAlertSpec({ labels: { alertname: 'Watchdog', severity: 'none' }, severity: 'Info' }),
      'w',
      rule(),
    );
    expect(watchdog).toMatchObject({
      record: true,
      explanation: expect.stringContaining('severity Info is below Medium'),
    });
    expect(rulingOf({ a: '1' }, ['quiet', { action: 'Record' }])).toMatchObject({ record: true });
  });

  it('keeps group keys within 512 bytes and different for different values', () => {
    const value = fc.oneof(
      anyText(),
      fc.nat(300).map((n) => '界'.repeat(n)),
    );
    const rules = rule(['r', { groupBy: ['x', 'y'].map((label) => ({ label, missing: 'Empty' })) }]);
    const key = (x: string, y: string) => {
      const found = ruleFor(alertWith({ x, y }), 'prom-1', rules);
      return found.record ? '' : found.groupKey;
    };
    const pairs = fc.sample(fc.tuple(value, value), { numRuns: 60, seed: 7 });
    const keys = new Map(pairs.map(([x, y]) => [JSON.stringify([x, y]), key(x, y)]));
    expect([...keys.values()].filter((k) => Buffer.byteLength(k) > 512)).toEqual([]);
    expect(new Set(keys.values()).size).toBe(keys.size);
    expect(key('界'.repeat(300), '')).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('decideIncident', () => {
  const make = (
    name: string,
    opening: number,
    phase: IncidentSpec['phase'],
    o: { into?: string; resolvedAt?: number; dying?: boolean } = {},
  ): Incident =>
    anIncident({
      name,
      spec: { phase, origin: { groupKey: 'k', opening }, ...(o.into ? { mergedInto: { name: o.into } } : {}) },
      status: {
        observedGeneration: 1,
        phase,
        ...(o.resolvedAt === undefined ? {} : { resolvedAt: time(o.resolvedAt) }),
      } satisfies IncidentStatus,
      ...(o.dying ? { metadata: { deletionTimestamp: time(0) } } : {}),
    });
  const ofOther = (...parts: Parameters<typeof make>): Incident => {
    const incident = make(...parts);
    const [, opening] = parts;
    return { ...incident, spec: { ...incident.spec, origin: { groupKey: 'other', opening } } };
  };
  const ask = (second: number, ...incidents: Incident[]) => askOf(undefined, second, ...incidents);
  /** @param over when the last word of an alert came that has fired and is over; undefined of one that fires. */
  const askOf = (over: number | undefined, second: number, ...incidents: Incident[]) => {
    const byName = new Map(incidents.map((i) => [i.metadata.name, i]));
    const answer = decideIncident(
      {
        rule: BUILT_IN_RULE,
        groupKey: 'k',
        ofGroup: () => incidents,
        lookup: (name) => byName.get(name),
        isOver: over !== undefined,
      },
      at(over ?? second),
    );
    return answer.kind === 'open'
      ? `open ${answer.open}`
      : `${answer.kind} ${(answer.kind === 'join' ? answer.join : answer.reopen).metadata.name}`;
  };
  it.each<[string, string, Incident[]]>([
    ['open 1', 'nothing yet', []],
    ['join a', 'an open one', [make('a', 1, 'Mitigation')]],
    ['join b', 'the highest opening', [make('b', 2, 'Detection'), make('a', 1, 'Detection')]],
    ['open 3', 'an older open one behind a closed one', [make('a', 1, 'Response'), make('b', 2, 'Closed')]],
    ['reopen a', 'resolved a moment ago', [make('a', 1, 'Resolution', { resolvedAt: 0 })]],
    ['open 2', 'in Postmortem', [make('a', 1, 'Postmortem', { resolvedAt: 0 })]],
    ['open 2', 'being deleted', [make('a', 1, 'Response', { dying: true })]],
    ['join t', 'merged into an open one', [make('a', 1, 'Closed', { into: 't' }), ofOther('t', 9, 'Response')]],
    [
      'reopen t',
      'merged into the last of another group, resolved a moment ago',
      [make('a', 1, 'Closed', { into: 't' }), ofOther('s', 8, 'Closed'), ofOther('t', 9, 'Resolution')],
    ],
    [
      'open 2',
      'merged into one of another group that has a later one',
      [make('a', 1, 'Closed', { into: 't' }), ofOther('t', 9, 'Resolution'), ofOther('u', 10, 'Detection')],
    ],
    [
      'open 2',
      'merged into one of another group of which a later one is being deleted',
      [
        make('a', 1, 'Closed', { into: 't' }),
        ofOther('t', 9, 'Resolution'),
        ofOther('u', 10, 'Detection', { dying: true }),
      ],
    ],
    [
      'reopen a',
      'merged into an earlier one of its group, resolved a moment ago',
      [make('a', 1, 'Resolution', { resolvedAt: 0 }), make('b', 2, 'Closed', { into: 'a' })],
    ],
    [
      'open 3',
      'resolved a moment ago, and the later one is being deleted',
      [make('a', 1, 'Resolution', { resolvedAt: 0 }), make('b', 2, 'Detection', { dying: true })],
    ],
    ['open 3', 'merged in a circle', [make('a', 1, 'Closed', { into: 'b' }), make('b', 2, 'Closed', { into: 'a' })]],
    ['open 2', 'merged into what is gone', [make('a', 1, 'Closed', { into: 'nowhere' })]],
  ])('%s: %s', (answer, _what, incidents) => expect(ask(60, ...incidents)).toBe(answer));

  it('never reopens with reopenWithin 0s, though the operator has not yet answered the resolve', () => {
    const [never] = compileRules([aRule('never', { reopenWithin: '0s' })]).rules;
    const incident = make('a', 1, 'Resolution');
    incident.spec.origin = { groupKey: 'k', opening: 1, ruleRef: { name: 'never' } };
    incident.status = { observedGeneration: 1, phase: 'Detection' };
    const answer = decideIncident(
      { rule: never ?? BUILT_IN_RULE, groupKey: 'k', ofGroup: () => [incident], lookup: () => incident },
      at(0),
    );
    expect(answer).toEqual({ kind: 'open', open: 2 });
  });

  it('puts what was over before the incident ended into that one, and wakes nobody for it', () => {
    for (const phase of ['Resolution', 'Postmortem', 'Closed'] as const)
      for (const over of [-3600, -5]) expect(askOf(over, 60, make('a', 1, phase, { resolvedAt: 0 }))).toBe('join a');
    // The clocks of a webhook and of the API server may differ by so much.
    expect(askOf(-4, 60, make('a', 1, 'Resolution', { resolvedAt: 0 }))).toBe('reopen a');
    const unanswered = (at: string): Incident => {
      const incident = make('a', 1, 'Resolution');
      const changes = `2;phase|Detection|robot|${time(-600)};phase|Resolution|ana|${at}`;
      const status = { observedGeneration: 1, phase: 'Detection' as const };
      return {
        ...incident,
        metadata: { ...incident.metadata, annotations: { [CHANGES_ANNOTATION]: changes } },
        status,
      };
    };
    expect(askOf(10, 60, unanswered(time(20)))).toBe('join a');
    expect(askOf(30, 60, unanswered(time(20)))).toBe('reopen a');
  });

  it('judges what fired and resolved unseen after the end of an incident by when it did, however late that is found', () => {
    const resolved = make('a', 1, 'Resolution', { resolvedAt: 0 });
    expect(askOf(1, 60, resolved)).toBe('reopen a');
    expect(askOf(1800, 86_400, resolved)).toBe('reopen a');
    expect(askOf(1801, 86_400, resolved)).toBe('open 2');
    expect(askOf(1, 60, make('a', 1, 'Closed', { resolvedAt: 0 }))).toBe('open 2');
    expect(askOf(1, 60, make('a', 1, 'Detection'))).toBe('join a');
    expect(askOf(1, 60)).toBe('open 1');
  });

  it('lets reopenWithin run out', () => {
    expect(ask(1800, make('a', 1, 'Resolution', { resolvedAt: 0 }))).toBe('reopen a');
    expect(ask(1801, make('a', 1, 'Resolution', { resolvedAt: 0 }))).toBe('open 2');
  });
});

describe('newIncident', () => {
  const open = (compiled = BUILT_IN_RULE, alert = anAlertSpec(), isDemo = false) =>
    newIncident({
      namespace: 'pay',
      alert,
      rule: compiled,
      group: { alertname: 'KubePodCrashLooping', namespace: 'pay' },
      groupKey: 'k',
      opening: 1,
      isDemo,
      now: at(0),
    });
  it('carries the mark of the played outage when the alert that opened it does', () => {
    expect(open().metadata.labels).toBeUndefined();
    expect(open(BUILT_IN_RULE, anAlertSpec(), true).metadata.labels).toEqual({ 'funnelai.dev/demo': 'true' });
  });
  it('is born with its origin, and named alike by every alert of the group', () => {
    const incident = open();
    expect(incident.metadata.name).toMatch(/^kube-pod-crash-looping-[a-z]+-[a-z]+$/);
    expect(incident.spec).toEqual({
      title: 'Pod is crash looping.',
      severity: 'Medium',
      priority: 'P3',
      phase: 'Detection',
      origin: { groupKey: 'k', opening: 1 },
    });
    expect(open(BUILT_IN_RULE, anAlertSpec({ title: 'other', labels: { service: 'x' } })).metadata.name).toBe(
      incident.metadata.name,
    );
  });
  it('follows the template, and does without it when it yields nothing', () => {
    const [templated] = rule([
      'r',
      {
        incident: {
          title: '{{ group.namespace }}:\n {{ alerts.size }} × {{ alert.labels.alertname }}',
          severity: { fixed: 'High' },
          links: [{ title: 'R', url: 'https://r' }],
        },
      },
    ]);
    expect(open(templated).spec).toMatchObject({
      title: 'pay: 1 × KubePodCrashLooping',
      severity: 'High',
      priority: 'P2',
      origin: { ruleRef: { name: 'r' } },
      links: [{ title: 'R', url: 'https://r' }],
    });
    expect(open(rule(['r', { incident: { title: '{{ nothing }}' } }])[0]).spec.title).toBe('Pod is crash looping.');
    expect(open(rule(['r', { incident: { title: '{% for i in (1..99999999) %}x{% endfor %}' } }])[0]).spec.title).toBe(
      'Pod is crash looping.',
    );
  });
  it('always has a title that can be seen, or the API server would refuse it', () => {
    const unseen = '\u00a0\u200b\u202e\u2003';
    const blank = anAlertSpec({ title: unseen });
    expect(open(BUILT_IN_RULE, blank).spec.title).toBe('Alert without a title');
    expect(open(rule(['r', { incident: { title: unseen } }])[0]).spec.title).toBe('Pod is crash looping.');
    expect(open(BUILT_IN_RULE, anAlertSpec({ title: '\u200f🔥 خادم' })).spec.title).toContain('🔥 خادم');
  });
});

describe('names', () => {
  it('are made of at least 200 words each, none twice', () => {
    for (const words of [ADJECTIVES, ANIMALS]) {
      expect(words.length).toBeGreaterThanOrEqual(200);
      expect(words.filter((w, i) => words.indexOf(w) !== i)).toEqual([]);
      expect(words.filter((w) => !/^[a-z]{2,12}$/.test(w))).toEqual([]);
    }
  });
  it('are DNS labels of at most 63 characters for anything, also when lengthened', () => {
    fc.assert(
      fc.property(anyText(), fc.nat(), (base, opening) => {
        const name = incidentName({ namespace: 'n', rule: undefined, groupKey: 'k', opening }, base);
        const names = [name, ...[1, 2, 3, 9].map((n) => lengthen(name, n))];
        for (const n of names) expect(n).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
        expect(new Set(names.slice(0, 4)).size).toBe(4);
      }),
    );
  });
});
