/** Which namespace a page shows. Pure. */
import type { NamespaceList } from '@funnelai/domain/wire';

/** Stands for "all namespaces" in a page's URL; no namespace can have this name. */
export const ALL = '*';

/** The URL's, else the remembered one while it can still be read, else all, else the first that this person may read. */
export function chooseNamespace(inUrl: string | null, remembered: string | null, list: NamespaceList): string {
  if (inUrl !== null && inUrl !== '') return inUrl;
  const usable = (name: string): boolean => (name === ALL ? list.all : list.namespaces.includes(name));
  if (remembered !== null && usable(remembered)) return remembered;
  return list.all ? ALL : (list.namespaces[0] ?? 'default');
}
