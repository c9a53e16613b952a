/** CorrelationRules made ready to be asked: sorted, matchers and durations read once, the built-in rule last. */
import type { CorrelationRule, CorrelationRuleSpec, Severity } from '@funnelai/crds/generated/types';
import { compileTitle, TitleSyntaxError, type TitleTemplate } from './incident-title.ts';
import { parseDuration } from './instants.ts';
import { byCodeUnit } from './labels.ts';
import { type Matcher, parseMatchers } from './matcher.ts';
import { MatcherSyntaxError } from './matcher-syntax.ts';

export type Missing = 'Separate' | 'Empty' | 'NoMatch';
export interface CompiledRule {
  /** Absent for the built-in rule. */
  name: string | undefined;
  matchers: readonly Matcher[];
  groupBy: readonly { label: string; missing: Missing }[];
  action: 'Open' | 'Record';
  /** Only for the built-in rule: what is less bad is recorded and opens nothing. */
  opensFrom: Severity | undefined;
  reopenWithinMs: number;
  resolve: ResolvePolicy;
  title: TitleTemplate | undefined;
  incident: NonNullable<CorrelationRuleSpec['incident']>;
}
export interface ResolvePolicy {
  when: 'Unacknowledged' | 'AllAlertsResolved' | 'Manual';
  afterMs: number;
  closeAfterMs: number;
}
export interface CompiledRules {
  /** In the order in which they are asked; suspended and broken ones are not among them. */
  rules: CompiledRule[];
  broken: { name: string; message: string }[];
}

/** How people name the rule that is there when no other is. */
export const BUILT_IN_NAME = 'built-in';

/** What holds where a rule does not say. */
export const DEFAULTS = {
  order: 100,
  reopenWithin: '30m',
  when: 'Unacknowledged',
  after: '5m',
  closeAfter: '24h',
} as const;

/** The last rule: what no other takes is grouped by what nearly every alert has. */
export const BUILT_IN_RULE: CompiledRule = {
  name: undefined,
  matchers: [],
  groupBy: ['alertname', 'namespace', 'cluster'].map((label) => ({ label, missing: 'Empty' })),
  action: 'Open',
  opensFrom: 'Medium',
  reopenWithinMs: parseDuration(DEFAULTS.reopenWithin),
  resolve: {
    when: DEFAULTS.when,
    afterMs: parseDuration(DEFAULTS.after),
    closeAfterMs: parseDuration(DEFAULTS.closeAfter),
  },
  title: undefined,
  incident: {},
};

/** Returns the rules sorted by order and name with the built-in one last, and what is wrong with those that cannot be used. */
export function compileRules(rules: readonly CorrelationRule[]): CompiledRules {
  const broken: CompiledRules['broken'] = [];
  const working: CompiledRule[] = [];
  for (const rule of [...rules].sort(byOrder)) {
    try {
      const compiled = compileRule(rule);
      if (rule.spec.suspend !== true) working.push(compiled);
    } catch (e) {
      if (!(e instanceof RuleError)) throw e;
      broken.push({ name: rule.metadata.name, message: e.message });
    }
  }
  return { rules: [...working, BUILT_IN_RULE], broken };
}

/** What an incident's own rule says about ending it; the built-in one's word when that rule is gone, broken or none. */
export function ruleOf(rules: readonly CompiledRule[], name: string | undefined): CompiledRule {
  return rules.find((rule) => rule.name === name) ?? BUILT_IN_RULE;
}

function byOrder(a: CorrelationRule, b: CorrelationRule): number {
  const difference = (a.spec.order ?? DEFAULTS.order) - (b.spec.order ?? DEFAULTS.order);
  return difference || byCodeUnit(a.metadata.name, b.metadata.name);
}

class RuleError extends Error {}

function compileRule({ metadata, spec }: CorrelationRule): CompiledRule {
  const at = <T>(path: string, read: () => T): T => {
    try {
      return read();
    } catch (e) {
      if (!(e instanceof MatcherSyntaxError || e instanceof RangeError || e instanceof TitleSyntaxError)) throw e;
      throw new RuleError(`${path}: ${e.message}`);
    }
  };
  const resolve = spec.resolve ?? {};
  const title = spec.incident?.title;
  return {
    name: metadata.name,
    matchers: (spec.match ?? []).flatMap((text, i) => at(`spec.match[${i}]`, () => parseMatchers(text))),
    groupBy: (spec.groupBy ?? []).map(({ label, missing = 'Separate' }) => ({ label, missing })),
    action: spec.action ?? 'Open',
    opensFrom: undefined,
    reopenWithinMs: at('spec.reopenWithin', () => parseDuration(spec.reopenWithin ?? DEFAULTS.reopenWithin)),
    resolve: {
      when: resolve.when ?? DEFAULTS.when,
      afterMs: at('spec.resolve.after', () => parseDuration(resolve.after ?? DEFAULTS.after)),
      closeAfterMs: at('spec.resolve.closeAfter', () => parseDuration(resolve.closeAfter ?? DEFAULTS.closeAfter)),
    },
    title: title === undefined ? undefined : at('spec.incident.title', () => compileTitle(title)),
    incident: spec.incident ?? {},
  };
}
