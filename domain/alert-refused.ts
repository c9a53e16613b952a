/** Whether the API server refused the incident of an alert. Pure. */
import type { Alert } from '@funnelai/crds/generated/types';

/** The condition that holds the answer to an alert, and its reason where the incident was refused. */
export const CORRELATED = 'Correlated';
export const REFUSED = 'Refused';

/** Whether an incident of this alert was refused, so that the operator asks again now and then. */
export const isRefused = ({ status }: Pick<Alert, 'status'>): boolean =>
  status?.conditions?.some(({ type, reason }) => type === CORRELATED && reason === REFUSED) ?? false;
