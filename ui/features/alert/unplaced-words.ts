/** What is said in the place of an alert's incident where it has none: three different things, one of which nobody should sleep through. Pure. */
import type { Alert } from '@funnelai/crds/generated/types';
import { isRefused } from '@funnelai/domain/alert-refused';
import type { AlertItem } from '@funnelai/domain/wire';

type Placed = Pick<AlertItem, 'explanation' | 'isRefused'>;

/** In a row. */
export const unplacedInShort = ({ explanation, isRefused }: Placed): string =>
  isRefused ? 'incident refused' : explanation === undefined ? 'no rule yet' : 'recorded only';

/** On the alert's own page, beside the explanation. */
export const unplacedInWords = ({ explanation, isRefused }: Placed): string =>
  isRefused
    ? 'none: the API server refuses it, and is asked again and again'
    : explanation === undefined
      ? 'none yet: no rule has answered'
      : 'none: it is recorded only';

/** The same of an object. */
export const placedOf = (alert: Pick<Alert, 'status'>): Placed => ({
  ...(alert.status?.explanation === undefined ? {} : { explanation: alert.status.explanation }),
  ...(isRefused(alert) ? { isRefused: true } : {}),
});
