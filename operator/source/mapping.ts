/** What an AlertSource's conditions say of its mapping: nothing, unless an expression of it does not compile. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { Condition } from '@funnelai/crds/meta';
import { checkMapping } from '@funnelai/domain/mapping';

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** Faults that one message names. */
const FAULTS_NAMED = 5;

/** Ready and, because only an edit can mend it, Stalled beside it: both, or none of them. */
export function mappingVerdicts({ spec }: AlertSource): { Ready?: Verdict; Stalled?: Verdict } {
  const faults = spec.mapping === undefined ? [] : checkMapping(spec.mapping);
  if (faults.length === 0) return {};
  const named = faults.slice(0, FAULTS_NAMED).map(({ field, message }) => `${field}: ${message}`);
  const more = faults.length > FAULTS_NAMED ? `; and ${faults.length - FAULTS_NAMED} more` : '';
  const said = {
    reason: 'MappingDoesNotCompile',
    message: `senders are told 503 until it is mended: ${named.join('; ')}${more}`,
  };
  return { Ready: { status: 'False', ...said }, Stalled: { status: 'True', ...said } };
}
