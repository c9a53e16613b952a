/** The static users of an embedded control plane. Their tokens live in files of mode 0600 and on loopback only. */

export const SYSTEM_NAMESPACE = 'funnel-system';

export interface User {
  /** Name of the kubeconfig context that acts as this user. */
  context: string;
  /** What the API server calls it. */
  name: string;
  groups: string[];
  token: string;
}

/** The user that a pod with this service account would be. */
export function serviceAccount(context: string, account: string, token: string): User {
  return {
    context,
    name: `system:serviceaccount:${SYSTEM_NAMESPACE}:${account}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${SYSTEM_NAMESPACE}`],
    token,
  };
}

/** The API server's --token-auth-file: token,user,uid,"groups". */
export function tokensFile(users: User[]): string {
  return users
    .map(({ token, name, context, groups }) => `${token},${name},${context}-uid,"${groups.join(',')}"\n`)
    .join('');
}
