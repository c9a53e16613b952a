/** The lines that make a source and what its senders show, for a shell. Secrets are drawn there and never seen here. Pure. */

const NAMES: Record<string, string> = { Alertmanager: 'prom' };

/** Another way than a token, where that is what the sender can do. */
interface Special {
  /** Arguments that fill the Secret; absent where there is none. */
  secret?: string;
  spec: (name: string) => string;
}
const SPECIAL: Record<string, Special> = {
  Sentry: {
    secret: '--from-literal=secret=CLIENT_SECRET_OF_THE_INTEGRATION',
    spec: (name) => `  auth: {hmac: {secretRef: {name: ${name}-token, key: secret}, header: Sentry-Hook-Signature}}`,
  },
  GoogleMonitoring: {
    secret: '--from-literal=username=google --from-literal=password="$(openssl rand -hex 32)"',
    spec: (name) => `  auth: {basic: {secretRef: {name: ${name}-token}}}`,
  },
  AwsSns: {
    spec: () =>
      `  sns: {topicArns: ['arn:aws:sns:REGION:ACCOUNT:TOPIC']}\n  auth: {none: {}}   # SNS signs, and only this topic is taken`,
  },
  Generic: {
    secret: '--from-literal=token="$(openssl rand -hex 32)"',
    spec: (name) => `  auth: {bearer: {secretRef: {name: ${name}-token, key: token}}}
  mapping:
    key: item.id
    title: item.title
    state: "item.ok ? 'resolved' : 'firing'"`,
  },
  // Clients of PagerDuty check that a routing key has 32 characters.
  PagerDutyEvents: {
    secret: '--from-literal=token="$(openssl rand -hex 16)"',
    spec: (name) => `  auth: {bearer: {secretRef: {name: ${name}-token, key: token}}}`,
  },
};
const USUAL: Special = {
  secret: '--from-literal=token="$(openssl rand -hex 32)"',
  spec: (name) => `  auth: {bearer: {secretRef: {name: ${name}-token, key: token}}}`,
};

/** Two commands at most; the source is named after its format. */
export function firstSource(format: string, namespace: string): string {
  const name = NAMES[format] ?? format.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  const { secret, spec } = SPECIAL[format] ?? USUAL;
  const made =
    secret === undefined ? '' : `kubectl create secret generic ${name}-token -n ${namespace} \\\n  ${secret}\n`;
  return `${made}kubectl apply -f - <<'END'
apiVersion: funnelai.dev/v1alpha1
kind: AlertSource
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  format: ${format}
${spec(name)}
END`;
}
