/** The page of one alert of the fake API: the object made of its row. */
import type { Alert } from '@funnelai/crds/generated/types';
import type { AlertDetail } from '@funnelai/domain/wire';
import { Refusal } from './fake-entry.ts';
import type { FakeState } from './fake-state.ts';

export function alertDetail(state: FakeState, namespace: string, name: string): AlertDetail {
  const item = state.alerts.find((alert) => alert.name === name && alert.namespace === namespace);
  if (item === undefined)
    throw new Refusal(404, { code: 'NotFound', message: `alerts.funnelai.dev "${name}" not found` });
  const alert: Alert = {
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'Alert',
    metadata: { name, namespace, uid: item.uid, creationTimestamp: item.startsAt },
    spec: {
      sourceRef: { name: item.source },
      fingerprint: '3f9c2a7d51e08b64'.repeat(4),
      state: item.state,
      severity: item.severity,
      originalSeverity: 'critical',
      title: item.title,
      labels: item.labels,
      annotations: { summary: item.title, description: 'Back-off restarting failed container.' },
      notes: ['secrets taken out of: annotation description'],
      links: item.links,
      startsAt: item.startsAt,
      acknowledgedUpstream: { at: item.receivedAt, by: 'Sample Monitoring Service' },
      receivedAt: item.receivedAt,
    },
    status: {
      incidentRef: { name: item.incident ?? '' },
      episode: 2,
      explanation: item.explanation ?? '',
      conditions: [],
    },
  };
  const incident = state
    .page(new URLSearchParams({ tab: 'all', limit: '10000' }))
    .items.find((one) => one.name === item.incident);
  const { foldedInto } = item;
  return { alert, ...(foldedInto === undefined ? {} : { foldedInto }), ...(incident ? { incident } : {}) };
}
