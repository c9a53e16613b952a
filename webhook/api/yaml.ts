/** An object as `kubectl get -o yaml` prints it: keys in order, lists not indented, managedFields left out. Pure. */
import type { KubeObject } from '@funnelai/crds/meta';
import { stringify } from 'yaml';
import { withoutManagedFields } from './items.ts';

/** YAML 1.1 is what kubectl writes: there `yes`, `on` and times are quoted. */
export function kubectlYaml(object: KubeObject): string {
  return stringify(withoutManagedFields(object), {
    version: '1.1',
    sortMapEntries: (a, b) => (String(a.key) < String(b.key) ? -1 : 1),
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}
