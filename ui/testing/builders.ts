/** Objects for the fake API and the tests: sensible as they are, any part replaceable. */
import type { Incident, IncidentChange, Phase, Severity } from '@funnelai/crds/generated/types';
import type { AlertItem, IncidentItem, TimelineEntry } from '@funnelai/domain/wire';

const SEVERITIES: readonly Severity[] = ['Critical', 'High', 'Medium', 'Low', 'Info'];
const WORDS_A = ['amber', 'brisk', 'calm', 'dusty', 'early', 'faint', 'grand', 'hazel', 'ivory', 'jolly'] as const;
const WORDS_B = [
  'falcon',
  'otter',
  'maple',
  'comet',
  'harbor',
  'lantern',
  'meadow',
  'pebble',
  'quartz',
  'willow',
] as const;
const FAULTS = [
  ['KubePodCrashLooping', 'Pods of checkout crash in a loop', 'checkout'],
  ['KubePersistentVolumeFillingUp', 'Volume data-postgres-0 is 97 % full and will be full in four days', 'postgres'],
  ['NodeFilesystemAlmostOutOfSpace', 'node-7 has 3 % of its disk left', 'node-7'],
  ['TargetDown', '42 % of the payments targets are down', 'payments'],
  ['KubeDeploymentReplicasMismatch', 'cart has fewer replicas than asked for, since fifteen minutes', 'cart'],
  ['PrometheusRemoteWriteBehind', 'Remote write is 160 s behind', 'prometheus'],
  ['etcdHighCommitDurations', 'etcd commits take 0.6 s at the 99th percentile', 'etcd'],
] as const;

let serial = 0;
export const nextUid = (): string => `00000000-0000-4000-8000-${String(++serial).padStart(12, '0')}`;
export const ago = (seconds: number, now = Date.now()): string => new Date(now - seconds * 1000).toISOString();

export function anIncidentItem(part: Partial<IncidentItem> = {}): IncidentItem {
  return {
    namespace: 'demo',
    name: 'checkout-amber-falcon',
    uid: nextUid(),
    resourceVersion: '100',
    title: 'Checkout answers 5xx in eu-west',
    severity: 'High',
    priority: 'P2',
    phase: 'Detection',
    phaseSince: ago(300),
    createdAt: ago(300),
    rule: 'pods',
    alerts: { firing: 3, resolved: 1, total: 4 },
    alertsCleared: false,
    demo: false,
    ...part,
  };
}

export function anAlertItem(part: Partial<AlertItem> = {}): AlertItem {
  return {
    namespace: 'demo',
    name: 'prom-3f9c2a7d51e08b64',
    uid: nextUid(),
    state: 'Firing',
    severity: 'High',
    title: 'Pod checkout-7d9f-x2x is crash looping',
    source: 'prom',
    startsAt: ago(290),
    receivedAt: ago(288),
    episode: 1,
    incident: 'checkout-amber-falcon',
    explanation: 'rule "pods" on alertname=KubePodCrashLooping, namespace=shop; joined checkout-amber-falcon',
    labels: {
      alertname: 'KubePodCrashLooping',
      namespace: 'shop',
      pod: 'checkout-7d9f-x2x',
      container: 'checkout',
      severity: 'critical',
    },
    links: [
      {
        title: 'Runbook',
        url: 'https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodcrashlooping',
        kind: 'Runbook',
      },
      { title: 'Graph', url: 'https://prometheus.example/graph?g0.expr=up', kind: 'Graph' },
    ],
    demo: false,
    ...part,
  };
}

/** The object behind a row. */
export function anIncident(item: IncidentItem, changes: IncidentChange[] = []): Incident {
  return {
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'Incident',
    metadata: {
      name: item.name,
      namespace: item.namespace,
      uid: item.uid,
      resourceVersion: item.resourceVersion,
      creationTimestamp: item.createdAt,
      finalizers: ['funnelai.dev/history'],
    },
    spec: {
      title: item.title,
      severity: item.severity,
      ...(item.priority ? { priority: item.priority } : {}),
      phase: item.phase,
      ...(item.owner ? { owner: { name: item.owner } } : {}),
      links: [{ title: 'Checkout dashboard', url: 'https://grafana.example/d/checkout', kind: 'Dashboard' }],
      ...(item.rule
        ? { origin: { ruleRef: { name: item.rule }, groupKey: '[["namespace","shop"]]', opening: 1 } }
        : {}),
    },
    status: {
      observedGeneration: 1,
      phase: item.phase,
      phaseSince: item.phaseSince,
      detectedAt: item.createdAt,
      round: 1,
      changes,
      conditions: item.alertsCleared
        ? [
            {
              type: 'AlertsCleared',
              status: 'True',
              reason: 'AllResolved',
              message: 'all alerts have resolved',
              lastTransitionTime: ago(60),
            },
          ]
        : [],
    },
  };
}

/** `count` incidents of every severity, phase and owner, the same ones every time. */
export function manyIncidents(count: number): IncidentItem[] {
  const phases: Phase[] = ['Detection', 'Response', 'Mitigation', 'Resolution', 'Response', 'Closed'];
  const owners = [undefined, 'ana', 'bo', 'system:serviceaccount:payments:on-call-rotation-bot'];
  return Array.from({ length: count }, (_, i) => {
    const [rule, title, thing] = FAULTS[i % FAULTS.length] ?? FAULTS[0];
    const phase = phases[(i * 7) % phases.length] ?? 'Detection';
    const owner = phase === 'Detection' ? undefined : owners[i % owners.length];
    const age = 40 + i * 437;
    return anIncidentItem({
      name: `${thing}-${WORDS_A[i % 10]}-${WORDS_B[Math.floor(i / 10) % 10]}${i >= 100 ? `-${i}` : ''}`,
      title,
      rule: rule.toLowerCase(),
      severity: SEVERITIES[(i * 3) % 5] ?? 'Medium',
      priority: `P${((i * 3) % 5) + 1}` as 'P1',
      phase,
      createdAt: ago(age),
      phaseSince: ago(age * 0.6),
      ...(phase === 'Detection' ? {} : { acknowledgedAt: ago(age * 0.9) }),
      ...(owner ? { owner } : {}),
      alerts: { firing: i % 13, resolved: i % 5, total: (i % 13) + (i % 5) },
      alertsCleared: phase === 'Response' && i % 13 === 0,
    });
  });
}

/** The story of one incident as its page tells it. */
export function aTimeline(item: IncidentItem): TimelineEntry[] {
  const opened = Date.parse(item.createdAt);
  const at = (s: number): string => new Date(opened + s * 1000).toISOString();
  const entries: TimelineEntry[] = [
    {
      at: at(0),
      kind: 'Opened',
      text: `opened by rule ${item.rule ?? 'built-in'}`,
      by: 'system:serviceaccount:funnel-system:funnelai-operator',
    },
    {
      at: at(1),
      kind: 'AlertJoined',
      text: 'Pod checkout-7d9f-x2x is crash looping joined',
      alert: 'prom-3f9c2a7d51e08b64',
    },
  ];
  if (item.phase !== 'Detection') {
    entries.push({
      at: at(95),
      kind: 'Phase',
      text: 'moved from Triggered to Responding',
      from: 'Detection',
      to: 'Response',
      by: item.owner ?? 'ana',
      sequence: 1,
      verified: true,
    });
    entries.push({
      at: at(95),
      kind: 'Owner',
      text: `owner set to ${item.owner ?? 'ana'}`,
      from: '',
      to: item.owner ?? 'ana',
      by: item.owner ?? 'ana',
      sequence: 2,
      verified: true,
    });
  }
  return entries;
}
