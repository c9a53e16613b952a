/** The test alert of a source: what a person sends to see the whole way work. One for each source, whoever sends it. Pure. */
import type { Alert } from '@funnelai/crds/generated/types';
import type { AlertInput } from '@funnelai/domain/alert-input';
import { msBetween } from '@funnelai/domain/instants';
import type { Temporal } from 'temporal-polyfill';
import { TEST_ALERT_MS } from '../limits.ts';

/** The mark that rules and people tell it by. */
export const TEST_LABEL = 'funnelai_test';
/** The identity within its source, whatever labels `dedup` names. */
export const TEST_KEY = 'funnelai-test';

/** `title`: of the one that fires, when it is resolved; who sent it stays said. */
export function testAlert(
  o: { title: string; state: 'Firing' | 'Resolved'; severity?: string | undefined },
  now: Temporal.Instant,
): AlertInput {
  const { title, state, severity = 'info' } = o;
  return {
    dedupKey: TEST_KEY,
    labels: { alertname: 'FunnelAITest', [TEST_LABEL]: 'true' },
    annotations: {},
    state,
    title,
    description: `Sent from the page of this source to see the whole way work. It resolves by itself after ${TEST_ALERT_MS / 60_000} minutes.`,
    severity,
    links: [],
    ...(state === 'Resolved' ? { endsAt: now } : {}),
  };
}

/** Is this a test alert of ours that has fired for long enough? */
export function isTestAlertOver(alert: Alert, now: Temporal.Instant): boolean {
  const { spec } = alert;
  if (spec.state !== 'Firing' || !isTestAlert(alert)) return false;
  return (msBetween(spec.receivedAt, now.toString()) ?? 0) >= TEST_ALERT_MS;
}

export function isTestAlert({ spec }: Alert): boolean {
  return spec.dedupKey === TEST_KEY && spec.labels?.[TEST_LABEL] === 'true';
}
