/** How the alerts of an incident stand, in words. Pure. */
import type { AlertCounts } from '@funnelai/domain/wire';
import { number } from './number.ts';

/** "3 firing, 1 resolved of 4", how many expired where some did, and how many more fire that are folded. */
export function countsInWords({ firing, resolved, expired = 0, total, folded = 0 }: AlertCounts): string {
  const further = folded > 0 ? `, and ${number(folded)} folded that fire` : '';
  const between = expired > 0 ? `${number(expired)} expired, ` : '';
  return `${number(firing)} firing, ${between}${number(resolved)} resolved of ${number(total)}${further}`;
}

/** What a person has to know once nothing fires but some alerts expired; undefined otherwise. */
export function expiredInWords({ firing, expired = 0 }: AlertCounts): string | undefined {
  if (firing > 0 || expired === 0) return undefined;
  const which = expired === 1 ? '1 alert has' : `${expired} alerts have`;
  return `No alert fires, but ${which} expired: the sender fell silent, and nobody said that it is over. It does not resolve by itself.`;
}
