import type { CorrelationRule } from '@funnelai/crds/generated/types';
import type { Condition } from '@funnelai/crds/meta';
import { aRule } from '@funnelai/domain/testing/builders';
import { describe, expect, it } from 'vitest';
import { anAlert, anIncident } from '../testing/builders.ts';
import { parseRuleQuery, ruleItem, rulePage } from './rule-list.ts';
import { takesByRule } from './rule-takes.ts';

const condition = (type: string, status: Condition['status'], message: string): Condition => ({
  type,
  status,
  reason: 'Because',
  message,
  lastTransitionTime: '2026-03-01T10:00:00Z',
});
function seen(name: string, spec: CorrelationRule['spec'], ...conditions: Condition[]): CorrelationRule {
  const rule = aRule(name, spec);
  return { ...rule, metadata: { ...rule.metadata, generation: 3 }, status: { observedGeneration: 3, conditions } };
}
const READY = condition('Ready', 'True', 'asked in its turn');
const RULES = [
  seen(
    'pods',
    { order: 50, match: ['alertname=~"Kube.+"'], groupBy: [{ label: 'cluster' }], description: 'By cluster' },
    READY,
  ),
  seen('broken', { order: 60 }, condition('Ready', 'False', 'match[0], column 12: expected a closing parenthesis')),
  seen('Zulu', { order: 50 }, READY, condition('IncidentPerFlap', 'True', 'ends at once')),
  seen('off', { order: 5, suspend: true }, READY),
  aRule('new', { order: 70, action: 'Record' }),
];
const takes = takesByRule(
  [
    anAlert({ name: 'a', status: { observedGeneration: 1, explanation: 'x', ruleRef: { name: 'pods' } } as never }),
    anAlert({
      name: 'b',
      spec: { state: 'Resolved' },
      status: { observedGeneration: 1, explanation: 'x', ruleRef: { name: 'pods' } } as never,
    }),
    anAlert({ name: 'c', status: { observedGeneration: 1, explanation: 'x' } as never }),
    anAlert({ name: 'not answered yet' }),
  ],
  [
    anIncident({ spec: { origin: { ruleRef: { name: 'pods' }, groupKey: '[]', opening: 1 } } }),
    anIncident({ spec: { origin: { ruleRef: { name: 'pods' }, groupKey: '[]', opening: 2 }, phase: 'Closed' } }),
    anIncident({ spec: { origin: { groupKey: '[]', opening: 1 } } }),
    anIncident({ name: 'declared' }),
  ],
);
const items = RULES.map((rule) => ruleItem(rule, takes.of('demo', rule.metadata.name)));
const list = (query: Record<string, string | string[]>) => {
  const page = rulePage(items, parseRuleQuery(query), { asOf: '' });
  return { ...page, names: page.items.map(({ name }) => name) };
};

describe('the list of rules', () => {
  it('has them in the order in which they are tried', () => {
    expect(list({}).names).toEqual(['off', 'Zulu', 'pods', 'broken', 'new']);
  });

  it('says of each whether it works, and if not why', () => {
    const said = Object.fromEntries(items.map(({ name, state, message }) => [name, [state, message]]));
    expect(said).toEqual({
      pods: ['Ready', 'asked in its turn'],
      broken: ['NotReady', 'match[0], column 12: expected a closing parenthesis'],
      Zulu: ['Warns', 'ends at once'],
      off: ['Suspended', 'asked in its turn'],
      new: ['Unknown', undefined],
    });
  });

  it('does not say of an edited rule what was said of it before the edit', () => {
    const rule = seen('pods', {}, READY);
    rule.metadata.generation = 4;
    expect(ruleItem(rule, undefined)).toMatchObject({ state: 'Unknown' });
    expect(ruleItem(rule, undefined).message).toBeUndefined();
  });

  it('counts what each took, and what none of them took', () => {
    expect(items[0]?.takes).toEqual({ alerts: 2, firing: 1, openIncidents: 1 });
    expect(items[1]?.takes).toEqual({ alerts: 0, firing: 0, openIncidents: 0 });
    expect(takes.builtIn).toEqual({ alerts: 1, firing: 1, openIncidents: 1 });
  });

  it.each([
    [{ sort: 'state' }, ['broken', 'Zulu', 'new', 'off', 'pods']],
    [{ sort: '-tried' }, ['new', 'broken', 'pods', 'Zulu', 'off']],
    [{ sort: 'firing', limit: '1' }, ['pods']],
    [{ state: ['NotReady', 'Suspended'] }, ['off', 'broken']],
    [{ action: 'Record' }, ['new']],
    [{ q: 'kube CLUSTER' }, ['pods']],
  ])('%j', (query, names) => {
    expect(list(query as Record<string, string>).names).toEqual(names);
  });

  it('counts before the filters, and all that match before the limit', () => {
    expect(list({ state: 'Ready' }).facets.state).toEqual({
      Ready: 1,
      NotReady: 1,
      Warns: 1,
      Suspended: 1,
      Unknown: 1,
    });
    expect(list({ limit: '2' }).total).toBe(5);
  });
});
