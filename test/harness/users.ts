/** The static users of the test control plane. Each is a context of the provided kubeconfig; tokens are no secrets here. */
import { serviceAccount, type User } from '@funnelai/dev/controlplane/users';

export type Context = 'admin' | 'ana' | 'bo' | 'viewer' | 'nsadmin' | 'stranger' | 'operator' | 'webhook';

const person = (context: Context, name: string, group: string): User => ({
  context,
  name,
  groups: [group],
  token: `${context}-token`,
});

/** The first is the administrator. */
export const USERS: User[] = [
  person('admin', 'admin', 'system:masters'),
  person('ana', 'ana', 'responders'),
  person('bo', 'bo', 'responders'),
  person('viewer', 'vera', 'viewers'),
  person('nsadmin', 'nadia', 'nsadmins'),
  person('stranger', 'sam', 'strangers'),
  serviceAccount('operator', 'funnelai-operator', 'operator-token'),
  serviceAccount('webhook', 'funnelai-webhook', 'webhook-token'),
];

/** The user behind a context. */
export function userOf(context: Context): User {
  const user = USERS.find((candidate) => candidate.context === context);
  if (!user) throw new Error(`no test user ${context}`);
  return user;
}
