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

export function createRuleBook(rules: RuleSource): RuleBook {
  const books = new Map<string, CompiledRules>();
  const stop = rules.subscribe(({ object }) => books.delete(object.metadata.namespace ?? ''));
  return {
    of(namespace) {
      const held = books.get(namespace);
      if (held !== undefined) return held;
      const own: CorrelationRule[] = [];
      for (const rule of rules.list()) if (rule.metadata.namespace === namespace) own.push(rule);
      const book = compileRules(own);
      // A namespace without rules of its own costs nothing to compile: it is not held, so the map is bounded by the rules.
      if (own.length > 0) books.set(namespace, book);
      return book;
    },
    stop,
  };
}
