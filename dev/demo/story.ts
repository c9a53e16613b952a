/**
 * The outage that the demo plays: which alerts, in which order. Names and labels are those of real rules (kube-prometheus,
 * the exporters' mixins, awesome-prometheus-alerts); the shop is made up. Pure: the same base time gives the same story.
 */

export interface DemoAlert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt?: string;
  generatorURL: string;
}

const STEADY_MS = 60_000;

interface Kind {
  severity: string;
  summary: string;
  runbook?: string;
  /** Labels that the exporter adds on the way, which name the exporter and not what is broken. */
  exporter: Record<string, string>;
}

const stateMetrics = { job: 'kube-state-metrics', instance: '10.244.1.17:8443' };
const KUBERNETES_RUNBOOKS = 'https://runbooks.prometheus-operator.dev/runbooks/kubernetes';

const KINDS = {
  KubePodCrashLooping: {
    severity: 'warning',
    summary: 'Pod is crash looping.',
    runbook: `${KUBERNETES_RUNBOOKS}/kubepodcrashlooping`,
    exporter: stateMetrics,
  },
  KubePodNotReady: {
    severity: 'warning',
    summary: 'Pod has been in a non-ready state for more than 15 minutes.',
    runbook: `${KUBERNETES_RUNBOOKS}/kubepodnotready`,
    exporter: { job: 'kube-state-metrics' },
  },
  KubeDeploymentReplicasMismatch: {
    severity: 'warning',
    summary: 'Deployment has not matched the expected number of replicas.',
    runbook: `${KUBERNETES_RUNBOOKS}/kubedeploymentreplicasmismatch`,
    exporter: { ...stateMetrics, container: 'kube-rbac-proxy-main' },
  },
  KubePersistentVolumeFillingUp: {
    severity: 'critical',
    summary: 'PersistentVolume is filling up.',
    runbook: `${KUBERNETES_RUNBOOKS}/kubepersistentvolumefillingup`,
    exporter: { job: 'kubelet', service: 'kubelet', endpoint: 'https-metrics', instance: '10.0.3.21:10250' },
  },
  PostgresqlTooManyConnections: {
    severity: 'warning',
    summary: 'Postgresql too many connections',
    exporter: { job: 'postgres-exporter' },
  },
  PostgresqlReplicationLag: {
    severity: 'warning',
    summary: 'Postgresql replication lag',
    exporter: { job: 'postgres-exporter', service: 'postgres-exporter' },
  },
  PostgresqlDown: {
    severity: 'critical',
    summary: 'Postgresql down',
    exporter: { job: 'postgres-exporter', service: 'postgres-exporter' },
  },
  BlackboxProbeFailed: {
    severity: 'critical',
    summary: 'Probe has failed for the past 1m interval.',
    exporter: { job: 'blackbox' },
  },
  BlackboxSlowProbe: {
    severity: 'warning',
    summary: 'Probe takes longer than a second.',
    exporter: { job: 'blackbox' },
  },
  CPUThrottlingHigh: {
    severity: 'info',
    summary: 'Processes experience elevated CPU throttling.',
    exporter: { instance: '10.0.3.22:10250' },
  },
} satisfies Record<string, Kind>;

export type DemoAlertName = keyof typeof KINDS;

function alert(name: DemoAlertName, labels: Record<string, string>, startsAt: number): DemoAlert {
  const kind: Kind = KINDS[name];
  return {
    status: 'firing',
    labels: { alertname: name, severity: kind.severity, ...kind.exporter, ...labels },
    annotations: { summary: kind.summary, ...(kind.runbook ? { runbook_url: kind.runbook } : {}) },
    startsAt: new Date(startsAt).toISOString(),
    generatorURL: `http://prometheus.example.com:9090/graph?g0.expr=${encodeURIComponent(`ALERTS{alertname="${name}"}`)}`,
  };
}

export function resolved(firing: DemoAlert, endsAt: number): DemoAlert {
  return { ...firing, status: 'resolved', endsAt: new Date(endsAt).toISOString() };
}

/** Pod names as a ReplicaSet gives them; the same ones in each play. */
function pod(deployment: string, index: number): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  const letter = (salt: number) => alphabet[(index * 7 + salt * 11 + deployment.length * 5) % alphabet.length] ?? 'b';
  return `${deployment}-6d5f7c9b8-${[1, 2, 3, 4, 5].map(letter).join('')}`;
}

const DEPLOYMENTS = ['checkout', 'cart', 'orders', 'payments'] as const;

function crashing(deployment: string, index: number, at: number): DemoAlert {
  return alert(
    'KubePodCrashLooping',
    { namespace: 'shop', pod: pod(deployment, index), container: deployment, reason: 'CrashLoopBackOff' },
    at,
  );
}

function notReady(deployment: string, index: number, at: number): DemoAlert {
  return alert('KubePodNotReady', { namespace: 'shop', pod: pod(deployment, index), owner_kind: 'ReplicaSet' }, at);
}

export interface Story {
  /** The outage nobody has taken yet, as far as it had grown when the demo began. */
  workloads: DemoAlert[];
  /** Fires, resolves, fires again: still the same incident. */
  flap: DemoAlert[];
  /** One more each few seconds, for two minutes. */
  growth: DemoAlert[];
  databases: DemoAlert[];
  /** Of the databases: what got better after the failover. */
  recovered: DemoAlert[];
  edge: DemoAlert[];
  /** Of the edge: all but one resolve while people work on it. */
  edgeResolved: DemoAlert[];
  /** The last one, whose resolve arrives when the incident is closed already. */
  lateResolve: DemoAlert[];
  /** Belongs to none of it, and is worth no incident. */
  unrelated: DemoAlert[];
}

export const GROWTH_STEPS = 24;

/** `base` is when the demo was first played, in milliseconds since the epoch. */
export function tellStory(base: number): Story {
  const ago = (minutes: number) => base - minutes * STEADY_MS;
  const workloads = [
    alert('KubePersistentVolumeFillingUp', { namespace: 'shop', persistentvolumeclaim: 'orders-db-data' }, ago(9)),
    ...DEPLOYMENTS.slice(0, 3).map((deployment) =>
      alert('KubeDeploymentReplicasMismatch', { namespace: 'shop', deployment }, ago(4)),
    ),
    ...[0, 1, 2, 3, 4, 5].map((i) => crashing('checkout', i, ago(6) + i * 9_000)),
    ...[0, 1, 2, 3, 4, 5].map((i) => notReady('checkout', i, ago(5) + i * 9_000)),
  ];
  const flapping = notReady('cart', 0, ago(8));
  const again = { ...flapping, startsAt: new Date(ago(2)).toISOString() };
  const databases = [
    alert('PostgresqlDown', { namespace: 'data', pod: 'orders-db-0', instance: 'orders-db-0.data:9187' }, ago(31)),
    ...[1, 2, 3].map((i) =>
      alert(
        'PostgresqlReplicationLag',
        { namespace: 'data', pod: `orders-db-${i}`, instance: `orders-db-${i}.data:9187` },
        ago(30),
      ),
    ),
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((i) =>
      alert(
        'PostgresqlTooManyConnections',
        { instance: `pool-${i}.data:9187`, server: `pool-${i}:5432` },
        ago(29) + i * 4_000,
      ),
    ),
  ];
  const sites = ['shop', 'api', 'account', 'search', 'media', 'status'];
  const edge = [
    ...sites.map((site, i) =>
      alert('BlackboxProbeFailed', { instance: `https://${site}.example.com` }, ago(95) + i * 7_000),
    ),
    ...sites.map((site, i) =>
      alert('BlackboxSlowProbe', { instance: `https://${site}.example.com` }, ago(97) + i * 5_000),
    ),
  ];
  return {
    workloads,
    flap: [flapping, resolved(flapping, ago(5)), again],
    growth: Array.from({ length: GROWTH_STEPS }, (_, step) => {
      const deployment = DEPLOYMENTS[1 + (step % 3)] ?? 'cart';
      const index = 1 + Math.floor(step / 3);
      return step % 2 === 0
        ? crashing(deployment, index, base + step * 5_000)
        : notReady(deployment, index, base + step * 5_000);
    }),
    databases,
    recovered: databases.slice(4, 9).map((firing) => resolved(firing, ago(1))),
    edge,
    edgeResolved: edge.slice(1).map((firing) => resolved(firing, ago(60))),
    lateResolve: edge.slice(0, 1).map((firing) => resolved(firing, ago(58))),
    unrelated: [
      alert(
        'CPUThrottlingHigh',
        { namespace: 'reporting', pod: pod('report-render', 3), container: 'render' },
        ago(20),
      ),
    ],
  };
}
