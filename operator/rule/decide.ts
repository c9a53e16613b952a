/** What a CorrelationRule's status says: whether the rule works, and if not where it is wrong. Compiling is `domain/rules`. */
import type { CorrelationRule, CorrelationRuleStatus } from '@funnelai/crds/generated/types';
import type { Condition } from '@funnelai/crds/meta';
import { compileRules } from '@funnelai/domain/rules';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';

const NOT_COMPILED = 'DoesNotCompile';

/**
 * Ready and, for what only an edit can mend, Stalled beside it: to Flux's kstatus `Ready=False` alone would mean "in progress".
 * @returns the status that the rule should have, and whether it is skipped.
 */
export function ruleStatus(
  rule: CorrelationRule,
  now: Temporal.Instant,
): { status: CorrelationRuleStatus; broken: boolean } {
  const observedGeneration = rule.metadata.generation ?? 0;
  const held = rule.status?.conditions;
  const fault = compileRules([rule]).broken[0];
  const ready = (status: Condition['status'], reason: string, message: string, before: Condition[] | undefined) =>
    setCondition(before, { type: 'Ready', status, reason, message, observedGeneration }, now);
  if (fault !== undefined) {
    const message = `skipped until it is mended: ${fault.message}`;
    const conditions = setCondition(
      ready('False', NOT_COMPILED, message, held),
      { type: 'Stalled', status: 'True', reason: NOT_COMPILED, message, observedGeneration },
      now,
    );
    return { status: { observedGeneration, conditions }, broken: true };
  }
  const working = held?.filter(({ type }) => type !== 'Stalled');
  const conditions =
    rule.spec.suspend === true
      ? ready('True', 'Suspended', 'suspended: alerts pass on to the next rule', working)
      : ready('True', 'Compiled', `asked in its turn, at order ${rule.spec.order ?? DEFAULT_ORDER}`, working);
  return { status: { observedGeneration, conditions }, broken: false };
}

const DEFAULT_ORDER = 100;
