/** What nearly every story needs, as YAML: a namespace with people in it, and its source `prom` of Alertmanager. */

const ROLES = { responders: 'funnelai-responder', viewers: 'funnelai-viewer' } as const;

/** Each group has the role that it is named for; `token` is the source's. */
export const namespaceYaml = (o: { namespace: string; token: string; groups: (keyof typeof ROLES)[] }): string => `
apiVersion: v1
kind: Namespace
metadata: {name: ${o.namespace}}
---${o.groups.map((group) => bindingYaml(o.namespace, group)).join('')}
apiVersion: v1
kind: Secret
metadata: {name: prom-token, namespace: ${o.namespace}}
stringData: {token: ${o.token}}
---
apiVersion: funnelai.dev/v1alpha1
kind: AlertSource
metadata: {name: prom, namespace: ${o.namespace}}
spec: {format: Alertmanager, auth: {bearer: {secretRef: {name: prom-token, key: token}}}}
`;

const bindingYaml = (namespace: string, group: keyof typeof ROLES): string => `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ${group}, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${ROLES[group]}}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: ${group}}]
---`;
