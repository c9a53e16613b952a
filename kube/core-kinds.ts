/** Where kinds of Kubernetes itself live that more than one of us asks for. */
import type { Resource } from '@funnelai/crds/meta';

export const NAMESPACES: Resource = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};
export const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };
