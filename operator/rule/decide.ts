/** What a CorrelationRule's status says: whether the rule works, if not where it is wrong, and what it will do that nobody may want. Compiling is `domain/rules`. */
import type { CorrelationRule, CorrelationRuleStatus } from '@funnelai/crds/generated/types';
import type { Condition } from '@funnelai/crds/meta';
import { type CompiledRule, compileRules, DEFAULTS } from '@funnelai/domain/rules';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';

const NOT_COMPILED = 'DoesNotCompile';
const PER_FLAP = 'IncidentPerFlap';
/** What comes and goes has pauses of about this length at least: Prometheus asks its rules once or twice a minute. */
const FLAP_PAUSE_MS = 60_000;

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
  const { rules, broken } = compileRules([rule]);
  const fault = broken[0];
  const ready = (status: Condition['status'], reason: string, message: string, before: Condition[] | undefined) =>
    setCondition(before, { type: 'Ready', status, reason, message, observedGeneration }, now);
  if (fault !== undefined) {
    const message = `skipped until it is mended: ${fault.message}`;
    const conditions = setCondition(
      ready('False', NOT_COMPILED, message, without(held, PER_FLAP)),
      { type: 'Stalled', status: 'True', reason: NOT_COMPILED, message, observedGeneration },
      now,
    );
    return { status: { observedGeneration, conditions }, broken: true };
  }
  const working = without(without(held, 'Stalled'), PER_FLAP);
  const conditions =
    rule.spec.suspend === true
      ? ready('True', 'Suspended', 'suspended: alerts pass on to the next rule', working)
      : ready('True', 'Compiled', `asked in its turn, at order ${rule.spec.order ?? DEFAULTS.order}`, working);
  const warning = rule.spec.suspend === true ? undefined : perFlap(rule, rules[0]);
  if (warning === undefined) return { status: { observedGeneration, conditions }, broken: false };
  const warned = {
    type: PER_FLAP,
    status: 'True',
    reason: 'EndsAtOnce',
    message: warning,
    observedGeneration,
  } as const;
  const since = held?.filter(({ type }) => type === PER_FLAP) ?? [];
  const all = setCondition([...conditions, ...since], warned, now);
  return { status: { observedGeneration, conditions: all }, broken: false };
}

const without = (conditions: Condition[] | undefined, gone: string) => conditions?.filter(({ type }) => type !== gone);

/** Why one fault that comes and goes will open an incident each time; undefined when it will not. */
function perFlap({ spec }: CorrelationRule, compiled: CompiledRule | undefined): string | undefined {
  if (compiled === undefined || compiled.action === 'Record' || compiled.resolve.when === 'Manual') return undefined;
  const { resolve, reopenWithinMs } = compiled;
  if (resolve.afterMs + Math.min(reopenWithinMs, resolve.closeAfterMs) >= FLAP_PAUSE_MS) return undefined;
  const after = `spec.resolve.after is ${spec.resolve?.after ?? DEFAULTS.after}`;
  const ends =
    reopenWithinMs <= resolve.closeAfterMs
      ? `spec.reopenWithin is ${spec.reopenWithin ?? DEFAULTS.reopenWithin}`
      : `spec.resolve.closeAfter is ${spec.resolve?.closeAfter ?? DEFAULTS.closeAfter}`;
  return `a fault that comes and goes opens an incident each time: ${after} and ${ends}, together less than a minute; expected one of them to be longer than the pauses of such a fault, as the defaults are`;
}
