/** Who is a person and who a machine, by the user names that Kubernetes gives. */

const MACHINES = ['system:serviceaccount:', 'system:node:', 'system:kube-', 'system:apiserver', 'system:anonymous'];

/** Is this user name a machine's? `system:admin`, as some distributions call their administrator, is a person's. */
export function isMachineUser(user: string): boolean {
  return MACHINES.some((prefix) => user.startsWith(prefix));
}
