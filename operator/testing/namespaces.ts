/** For tests on a real API server: kinds that are not ours, and a namespace with people in it. */

import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import { NAMESPACES } from '@funnelai/kube/core-kinds';

export const ROLE_BINDINGS: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'rolebindings',
  kind: 'RoleBinding',
  namespaced: true,
};

/** Makes a namespace in which the group `responders` has its role. */
export async function makeNamespaceOfResponders(admin: KubeClient, namespace: string): Promise<void> {
  await admin.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await admin.create(ROLE_BINDINGS, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'responders', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'funnelai-responder' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'responders' }],
  } as KubeObject);
}
