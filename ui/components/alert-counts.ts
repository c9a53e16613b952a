/** How the alerts of an incident stand, in words. Pure. */
import type { AlertCounts } from '@funnelai/domain/wire';
import { number } from './number.ts';

/** "3 firing, 1 resolved of 4", how many expired or left it where some did, and how many more fire that are folded. */
export function countsInWords({ firing, resolved, expired = 0, total, folded = 0 }: AlertCounts): string {
  const further = folded > 0 ? `, and ${number(folded)} folded that fire` : '';
  const between = expired > 0 ? `${number(expired)} expired, ` : '';
  // Those that a merge, or its end, took away, and those that were deleted while they fired, count in the total alone.
  const elsewhere = total - firing - expired - resolved;
  const left = elsewhere > 0 ? `, ${number(elsewhere)} moved to another incident or deleted,` : '';
  return `${number(firing)} firing, ${between}${number(resolved)} resolved${left} of ${number(total)}${further}`;
}

/** What a person is told once all have resolved, who says whether it is over. */
export const clearedInWords = ({ resolved }: AlertCounts): string =>
  `${resolved === 1 ? 'Its alert has' : `All ${number(resolved)} alerts have`} resolved. It is yours to say whether it is over.`;

/** What a person has to know once nothing fires but some alerts expired; undefined otherwise. */
export function expiredInWords({ firing, expired = 0 }: AlertCounts): string | undefined {
  if (firing > 0 || expired === 0) return undefined;
  const which = expired === 1 ? '1 alert has' : `${expired} alerts have`;
  return `No alert fires, but ${which} expired: the sender fell silent, and nobody said that it is over. It does not resolve by itself.`;
}
