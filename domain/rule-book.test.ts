import type { CorrelationRule } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { createRuleBook, type RuleSource } from './rule-book.ts';
import { aRule } from './testing/builders.ts';

/** Rules that people add and take away, and how often somebody looked through all of them. */
function someRules() {
  const rules = new Map<string, CorrelationRule>();
  const listeners = new Set<(event: { object: CorrelationRule }) => void>();
  let looks = 0;
  const source: RuleSource = {
    list() {
      looks += 1;
      return rules.values();
    },
    subscribe(fn) {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
  };
  const tell = (object: CorrelationRule) => {
    for (const fn of listeners) fn({ object });
  };
  return {
    source,
    looks: () => looks,
    add(namespace: string, name: string) {
      const rule = aRule(name, { match: ['a="1"'] });
      rule.metadata.namespace = namespace;
      rules.set(`${namespace}/${name}`, rule);
      tell(rule);
    },
    remove(namespace: string, name: string) {
      const rule = rules.get(`${namespace}/${name}`);
      rules.delete(`${namespace}/${name}`);
      if (rule !== undefined) tell(rule);
    },
  };
}

describe('rules by namespace', () => {
  const named = (rules: readonly { name?: string | undefined }[]) => rules.map(({ name }) => name);

  it('are those that stand there now, the built-in one last, also where there was none when it was asked before', () => {
    const rules = someRules();
    const book = createRuleBook(rules.source);
    expect(named(book.of('pay').rules)).toEqual([undefined]);
    rules.add('pay', 'pods');
    expect(named(book.of('pay').rules)).toEqual(['pods', undefined]);
    rules.add('pay', 'zones');
    expect(named(book.of('pay').rules)).toEqual(['pods', 'zones', undefined]);
    rules.remove('pay', 'pods');
    rules.remove('pay', 'zones');
    expect(named(book.of('pay').rules)).toEqual([undefined]);
  });

  it('are not looked through for each alert of a namespace that has none', () => {
    const rules = someRules();
    for (let i = 0; i < 100; i += 1) rules.add('other', `rule-${i}`);
    const book = createRuleBook(rules.source);
    for (let i = 0; i < 1_000; i += 1) book.of('pay');
    expect(rules.looks()).toBe(1);
  });

  it('of more namespaces without any than are remembered are right all the same', () => {
    const rules = someRules();
    const book = createRuleBook(rules.source);
    for (let i = 0; i < 25_000; i += 1) book.of(`empty-${i}`);
    rules.add('empty-3', 'pods');
    expect(named(book.of('empty-3').rules)).toEqual(['pods', undefined]);
    expect(named(book.of('empty-4').rules)).toEqual([undefined]);
  });
});
