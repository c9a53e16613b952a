/**
 * The compiled CorrelationRules of each namespace, compiled once per change of the rules and not once per alert. What a rule
 * means, and which are broken, is decided in rules.ts.
 */
import type { CorrelationRule } from '@funnelai/crds/generated/types';
import { type CompiledRules, compileRules } from './rules.ts';

/** Where the rules come from, and how changes of them are told: a cache. */
export interface RuleSource {
  list(): Iterable<CorrelationRule>;
  subscribe(fn: (event: { object: CorrelationRule }) => void): () => void;
}

export interface RuleBook {
  /** Rules of the namespace in the order in which they are asked, the built-in one last. */
  of(namespace: string): CompiledRules;
  stop(): void;
}

const NO_RULES = compileRules([]);
/** Namespaces without rules of their own, of which it is known: looking through all others for each of their alerts would be most of its cost. */
const WITHOUT_REMEMBERED = 10_000;

export function createRuleBook(rules: RuleSource): RuleBook {
  const books = new Map<string, CompiledRules>();
  const without = new Set<string>();
  const stop = rules.subscribe(({ object: { metadata } }) => {
    const { namespace = '' } = metadata;
    books.delete(namespace);
    without.delete(namespace);
  });
  return {
    of(namespace) {
      const held = books.get(namespace);
      if (held !== undefined) return held;
      if (without.has(namespace)) return NO_RULES;
      const own: CorrelationRule[] = [];
      for (const rule of rules.list()) if (rule.metadata.namespace === namespace) own.push(rule);
      if (own.length === 0) {
        // Any name can be asked about: emptied when full.
        if (without.size >= WITHOUT_REMEMBERED) without.clear();
        without.add(namespace);
        return NO_RULES;
      }
      const book = compileRules(own);
      books.set(namespace, book);
      return book;
    },
    stop,
  };
}
