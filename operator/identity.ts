/** Who the operator is to the API server: what admission's log calls it, so that its own acts are told from people's. */
import type { KubeClient } from '@funnelai/kube/client';

/** Under this name the operator is installed; changes by it were made by an operator, whoever asks now. */
const INSTALLED_AS = 'system:serviceaccount:funnel-system:funnelai-operator';
/** The field manager of the operator's writes: where admission keeps no log, this is all that is known of who wrote. */
export const FIELD_MANAGER = 'funnelai-operator';

export interface Identity {
  user: string;
  /** Whether a recorded change was the operator's own. */
  isMachine(user: string): boolean;
}

export function identityOf(user: string): Identity {
  const machines = new Set([user, INSTALLED_AS, FIELD_MANAGER]);
  return { user, isMachine: (name) => machines.has(name) };
}

/**
 * Asks the API server.
 * @throws KubeError when it does not answer, or does not know us.
 */
export async function whoAmI(client: KubeClient): Promise<Identity> {
  const { status, body } = await client.raw({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  const user = (body as { status?: { userInfo?: { username?: string } } } | undefined)?.status?.userInfo?.username;
  if (user === undefined || user === '') {
    throw new Error(`expected the API server to tell who the operator is, found HTTP ${status} without a user name`);
  }
  return identityOf(user);
}
