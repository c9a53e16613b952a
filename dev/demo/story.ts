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

type Labels = Record<string, string>;

interface Kind {
  severity: string;
  /** As its rule words them, with the alert's own labels filled in. */
  summary: (labels: Labels) => string;
  description: (labels: Labels) => string;
  runbook?: string;
  /** Labels that the exporter adds on the way, which name the exporter and not what is broken. */
  exporter: Labels;
}

const CLUSTER = 'eu-west-1';
const stateMetrics = { job: 'kube-state-metrics', instance: '10.244.1.17:8443' };
const postgresExporter = {
  job: 'postgres-exporter',
  service: 'postgres-exporter',
  container: 'postgres-exporter',
  endpoint: 'metrics',
};
const KUBERNETES_RUNBOOKS = 'https://runbooks.prometheus-operator.dev/runbooks/kubernetes';

const KINDS = {
  KubePodCrashLooping: {
    severity: 'warning',
    summary: () => 'Pod is crash looping.',
    description: ({ namespace, pod, container, reason }) =>
      `Pod ${namespace}/${pod} (${container}) is in waiting state (reason: "${reason}") on cluster ${CLUSTER}.`,
    runbook: `${KUBERNETES_RUNBOOKS}/kubepodcrashlooping`,
    exporter: stateMetrics,
  },
  KubePodNotReady: {
    severity: 'warning',
    summary: () => 'Pod has been in a non-ready state for more than 15 minutes.',
    description: ({ namespace, pod }) =>
      `Pod ${namespace}/${pod} has been in a non-ready state for longer than 15 minutes on cluster ${CLUSTER}.`,
    runbook: `${KUBERNETES_RUNBOOKS}/kubepodnotready`,
    exporter: { job: 'kube-state-metrics' },
  },
  KubeDeploymentReplicasMismatch: {
    severity: 'warning',
    summary: () => 'Deployment has not matched the expected number of replicas.',
    description: ({ namespace, deployment }) =>
      `Deployment ${namespace}/${deployment} has not matched the expected number of replicas for longer than 15 minutes on cluster ${CLUSTER}.`,
    runbook: `${KUBERNETES_RUNBOOKS}/kubedeploymentreplicasmismatch`,
    exporter: { ...stateMetrics, container: 'kube-rbac-proxy-main' },
  },
  KubePersistentVolumeFillingUp: {
    severity: 'critical',
    summary: () => 'PersistentVolume is filling up.',
    description: ({ namespace, persistentvolumeclaim }) =>
      `The PersistentVolume claimed by ${persistentvolumeclaim} in Namespace ${namespace} on Cluster ${CLUSTER} is only 2.41% free.`,
    runbook: `${KUBERNETES_RUNBOOKS}/kubepersistentvolumefillingup`,
    exporter: { job: 'kubelet', service: 'kubelet', endpoint: 'https-metrics', instance: '10.0.3.21:10250' },
  },
  PostgresqlTooManyConnections: {
    severity: 'warning',
    summary: ({ instance }) => `Postgresql too many connections (instance ${instance})`,
    description: () => 'PostgreSQL instance has too many connections (> 80%).',
    exporter: { job: 'postgres-exporter' },
  },
  PostgresqlReplicationLag: {
    severity: 'warning',
    summary: ({ instance }) => `Postgresql replication lag (instance ${instance})`,
    description: () => 'PostgreSQL replication lag is going up (> 5s)',
    exporter: postgresExporter,
  },
  PostgresqlDown: {
    severity: 'critical',
    summary: ({ instance }) => `Postgresql down (instance ${instance})`,
    description: () => 'Postgresql instance is down',
    exporter: postgresExporter,
  },
  BlackboxProbeFailed: {
    severity: 'critical',
    summary: () => 'Probe has failed for the past 1m interval.',
    description: ({ instance }) => `The probe failed for the instance ${instance}.`,
    exporter: { job: 'blackbox' },
  },
  BlackboxSlowProbe: {
    severity: 'warning',
    summary: ({ instance }) => `Blackbox slow probe (instance ${instance})`,
    description: () => 'Blackbox probe took more than 1s to complete',
    exporter: { job: 'blackbox' },
  },
  CPUThrottlingHigh: {
    severity: 'info',
    summary: () => 'Processes experience elevated CPU throttling.',
    description: ({ namespace, pod, container }) =>
      `38.12% throttling of CPU in namespace ${namespace} for container ${container} in pod ${pod} on cluster ${CLUSTER}.`,
    runbook: `${KUBERNETES_RUNBOOKS}/cputhrottlinghigh`,
    exporter: { instance: '10.0.3.22:10250' },
  },
} satisfies Record<string, Kind>;

export type DemoAlertName = keyof typeof KINDS;

function alert(name: DemoAlertName, own: Labels, startsAt: number): DemoAlert {
  const kind: Kind = KINDS[name];
  const labels = { alertname: name, severity: kind.severity, ...kind.exporter, ...own };
  return {
    status: 'firing',
    labels,
    annotations: {
      summary: kind.summary(labels),
      description: kind.description(labels),
      ...(kind.runbook ? { runbook_url: kind.runbook } : {}),
    },
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

/** As the API server would give it, but the same in each play. */
function uidOf(deployment: string, index: number): string {
  const tail = (DEPLOYMENTS.indexOf(deployment as (typeof DEPLOYMENTS)[number]) * 100 + index).toString(16);
  return `5f0c9e52-7d1b-4c83-9a46-${tail.padStart(12, '0')}`;
}

const DEPLOYMENTS = ['checkout', 'cart', 'orders', 'payments'] as const;

function crashing(deployment: string, index: number, at: number): DemoAlert {
  return alert(
    'KubePodCrashLooping',
    {
      namespace: 'shop',
      pod: pod(deployment, index),
      uid: uidOf(deployment, index),
      container: deployment,
      reason: 'CrashLoopBackOff',
    },
    at,
  );
}

function notReady(deployment: string, index: number, at: number): DemoAlert {
  return alert('KubePodNotReady', { namespace: 'shop', pod: pod(deployment, index), owner_kind: 'ReplicaSet' }, at);
}

export interface Story {
  /** The outage nobody has taken yet, as far as it had grown when the demo began. */
  workloads: DemoAlert[];
  /** Fires, and in the two minutes after that resolves and fires again: still the same incident. */
  flap: [DemoAlert, DemoAlert, DemoAlert];
  /** One more each few seconds, for two minutes. */
  growth: DemoAlert[];
  databases: DemoAlert[];
  /** Of the databases: what got better after the failover. */
  recovered: DemoAlert[];
  edge: DemoAlert[];
  /** Of the edge: all but one resolve while people work on it. They end as the play begins: what is sent is never of the future. */
  edgeResolved: DemoAlert[];
  /** The last one, whose resolve arrives when the incident is closed already. */
  lateResolve: DemoAlert[];
  /** Belongs to none of it, and is worth no incident. */
  unrelated: DemoAlert[];
}

export const GROWTH_STEPS = 24;
const GROWTH_STEP_MS = 5_000;
const FLAP_GONE_MS = 32_000;
const FLAP_BACK_MS = 62_000;

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
  const again = { ...flapping, startsAt: new Date(base + FLAP_BACK_MS).toISOString() };
  const databases = [
    alert('PostgresqlDown', { namespace: 'data', pod: 'orders-db-0', instance: 'orders-db-0.data:9187' }, ago(14)),
    ...[1, 2, 3].map((i) =>
      alert(
        'PostgresqlReplicationLag',
        { namespace: 'data', pod: `orders-db-${i}`, instance: `orders-db-${i}.data:9187` },
        ago(13),
      ),
    ),
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((i) =>
      alert(
        'PostgresqlTooManyConnections',
        { instance: `pool-${i}.data:9187`, server: `pool-${i}:5432` },
        ago(12) + i * 4_000,
      ),
    ),
  ];
  const sites = ['shop', 'api', 'account', 'search', 'media', 'status'];
  const edge = [
    ...sites.map((site, i) =>
      alert('BlackboxProbeFailed', { instance: `https://${site}.example.com` }, ago(6) + i * 7_000),
    ),
    ...sites.map((site, i) =>
      alert('BlackboxSlowProbe', { instance: `https://${site}.example.com` }, ago(8) + i * 5_000),
    ),
  ];
  return {
    workloads,
    flap: [flapping, resolved(flapping, base + FLAP_GONE_MS), again],
    growth: Array.from({ length: GROWTH_STEPS }, (_, step) => {
      const deployment = DEPLOYMENTS[1 + (step % 3)] ?? 'cart';
      const index = 1 + Math.floor(step / 3);
      return step % 2 === 0
        ? crashing(deployment, index, base + step * GROWTH_STEP_MS)
        : notReady(deployment, index, base + step * GROWTH_STEP_MS);
    }),
    databases,
    recovered: databases.slice(4, 9).map((firing) => resolved(firing, base)),
    edge,
    edgeResolved: edge.slice(1).map((firing) => resolved(firing, base)),
    lateResolve: edge.slice(0, 1).map((firing) => resolved(firing, base)),
    unrelated: [
      alert(
        'CPUThrottlingHigh',
        { namespace: 'reporting', pod: pod('report-render', 3), container: 'render' },
        ago(20),
      ),
    ],
  };
}
