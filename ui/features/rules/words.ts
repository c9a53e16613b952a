/** A correlation rule in words. Pure. */
import type { CorrelationRule } from '@funnelai/crds/generated/types';
import type { RuleItem, RuleTakes } from '@funnelai/domain/wire-rules';
import { number } from '../../components/number.ts';

/** What it takes, in one line. */
export const matchWords = ({ match }: Pick<RuleItem, 'match'>): string =>
  match.length === 0 ? 'every alert' : match.join(', ');

/** What makes one group of them, in one line. */
export const groupWords = ({ groupBy, action }: Pick<RuleItem, 'groupBy' | 'action'>): string => {
  if (action === 'Record') return '';
  return groupBy.length === 0 ? 'all together' : groupBy.join(', ');
};

const many = (count: number, one: string): string => `${number(count)} ${one}${count === 1 ? '' : 's'}`;

/** "12 alerts, 3 of them firing; 2 open incidents". */
export const takesWords = ({ alerts, firing, openIncidents }: RuleTakes): string =>
  `${alerts === 0 ? 'no alerts' : `${many(alerts, 'alert')}, ${number(firing)} of them firing`}; ${
    openIncidents === 0 ? 'no open incident' : many(openIncidents, 'open incident')
  }`;

type Group = NonNullable<CorrelationRule['spec']['groupBy']>[number];
const MISSING: Record<NonNullable<Group['missing']>, string> = {
  Separate: 'an alert without it is a group of its own',
  Empty: 'without it the value is empty',
  NoMatch: 'an alert without it is left to the next rule',
};
export const missingWords = ({ missing = 'Separate' }: Group): string => MISSING[missing];

type Resolve = NonNullable<CorrelationRule['spec']['resolve']>;
/** When the operator ends what the rule opened. */
export function resolveWords({ when = 'Unacknowledged', after = '5m' }: Resolve): string {
  if (when === 'Manual') return 'only by a person';
  const rest = when === 'Unacknowledged' ? ', while no person has it' : ', whoever has it';
  return `${after} after all its alerts resolved${rest}`;
}

/** What becomes of a fault that comes back. */
export const reopenWords = (within: string): string =>
  /^0+(ms|s|m|h)$/.test(within)
    ? 'opens a new incident each time'
    : `comes back into the same incident within ${within} of its resolution`;
