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

  describe('warns of an incident for each flap', () => {
    const ending = (spec: Parameters<typeof aRule>[1]) => conditionsOf(aRule('pods', spec)).IncidentPerFlap;

    it('where what resolved at once can neither come back nor wait', () => {
      expect(ending({ resolve: { after: '0s' }, reopenWithin: '0s' })).toMatchObject({
        status: 'True',
        reason: 'EndsAtOnce',
        message: expect.stringMatching(/each time.*resolve\.after is 0s and spec\.reopenWithin is 0s/),
      });
      expect(ending({ resolve: { after: '20s', closeAfter: '30s' } })?.message).toMatch(
        /resolve\.after is 20s and spec\.resolve\.closeAfter is 30s/,
      );
    });

    it('and is Ready all the same', () => {
      const rule = aRule('pods', { resolve: { after: '0s' }, reopenWithin: '0s' });
      expect(conditionsOf(rule).Ready).toMatchObject({ status: 'True', reason: 'Compiled' });
      expect(ruleStatus(rule, NOW).broken).toBe(false);
    });

    it.each<[string, Parameters<typeof aRule>[1]]>([
      ['nothing said, as the defaults are long', {}],
      ['one of them that is long', { resolve: { after: '1m' }, reopenWithin: '0s' }],
      ['the other that is long', { resolve: { after: '0s' }, reopenWithin: '30m' }],
      ['incidents that only people resolve', { resolve: { when: 'Manual', after: '0s' }, reopenWithin: '0s' }],
      ['nothing opened', { action: 'Record', resolve: { after: '0s' }, reopenWithin: '0s' }],
      ['a rule that is suspended', { suspend: true, resolve: { after: '0s' }, reopenWithin: '0s' }],
    ])('but not with %s', (_, spec) => {
      expect(ending(spec)).toBeUndefined();
    });

    it('since when it is so, until it is mended or does not compile', () => {
      const spec = { resolve: { after: '0s' }, reopenWithin: '0s' };
      const before = { ...aRule('pods', spec), status: ruleStatus(aRule('pods', spec), NOW).status };
      const later = NOW.add({ hours: 1 });
      const [, warned] = ruleStatus(before, later).status.conditions ?? [];
      expect(warned).toMatchObject({ type: 'IncidentPerFlap', lastTransitionTime: '2026-03-01T11:00:00Z' });
      for (const mended of [{}, { ...spec, match: ['a=~"("'] }]) {
        const after = ruleStatus({ ...before, spec: mended }, later).status.conditions ?? [];
        expect(after.map(({ type }) => type)).not.toContain('IncidentPerFlap');
      }
    });
  });

  it('says when it is suspended', () => {
    expect(conditionsOf(aRule('pods', { suspend: true }))).toMatchObject({
      Ready: { status: 'True', reason: 'Suspended' },
    });
  });
});
