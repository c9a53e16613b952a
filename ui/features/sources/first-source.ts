/** The lines that make a source and its token, for a shell. The token is drawn there and never seen here. Pure. */

const NAMES: Record<string, string> = { Alertmanager: 'prom' };

/** Two commands; the source is named after its format. */
export function firstSource(format: string, namespace: string): string {
  const name = NAMES[format] ?? format.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  return `kubectl create secret generic ${name}-token -n ${namespace} \\
  --from-literal=token="$(openssl rand -hex 32)"
kubectl apply -f - <<'END'
apiVersion: funnelai.dev/v1alpha1
kind: AlertSource
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  format: ${format}
  auth: {bearer: {secretRef: {name: ${name}-token, key: token}}}
END`;
}
