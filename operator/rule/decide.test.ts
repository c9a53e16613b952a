import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { aRule } from '../testing/builders.ts';
import { ruleStatus } from './decide.ts';

const NOW = Temporal.Instant.from('2026-03-01T11:00:00Z');
const conditionsOf = (rule: Parameters<typeof ruleStatus>[0]) =>
  Object.fromEntries((ruleStatus(rule, NOW).status.conditions ?? []).map((c) => [c.type, c]));

describe('the status of a rule', () => {
  it('is Ready of the generation that was read', () => {
    const rule = aRule('pods', { match: ['alertname=~"Kube.+"'] });
    expect(ruleStatus(rule, NOW)).toMatchObject({ broken: false, status: { observedGeneration: 1 } });
    expect(conditionsOf(rule)).toMatchObject({ Ready: { status: 'True', reason: 'Compiled', observedGeneration: 1 } });
  });

  it('is stalled, with line and column, when only an edit can mend it', () => {
    const conditions = conditionsOf(aRule('pods', { match: ['alertname=~"Kube(Pod"'] }));
    expect(conditions).toMatchObject({ Ready: { status: 'False' }, Stalled: { status: 'True' } });
    expect(conditions.Ready?.message).toMatch(/match\[0\].*(line|1:)/is);
    expect(conditions.Ready?.message).toBe(conditions.Stalled?.message);
  });

  it('is no longer stalled once mended', () => {
    const rule = aRule('pods', { match: ['a=~"("'] });
    const broken = ruleStatus(rule, NOW);
    expect(broken.broken).toBe(true);
    const mended = { ...rule, spec: { match: ['a="b"'] }, status: broken.status };
    const after = ruleStatus(mended, NOW).status.conditions ?? [];
    expect(after.map(({ type, status }) => [type, status])).toEqual([['Ready', 'True']]);
  });

  it('says when it is suspended', () => {
    expect(conditionsOf(aRule('pods', { suspend: true }))).toMatchObject({
      Ready: { status: 'True', reason: 'Suspended' },
    });
  });
});
