/** The addresses of the pages. */
import { queryString } from '../api/client.ts';

export type IncidentTabName = 'timeline' | 'alerts' | 'yaml';

/** The lists: their addresses carry namespace, filter and search. */
export const LISTS = ['incidents', 'alerts', 'sources', 'rules'] as const;
/** The list that a page belongs to: its own folder's, else the incidents. */
export const listOf = (pathname: string): (typeof LISTS)[number] =>
  LISTS.find((name) => pathname.split('/')[1] === name) ?? 'incidents';
export const isListPath = (pathname: string): boolean => LISTS.some((name) => pathname === `/${name}`);

const object = (kind: string, namespace: string, name: string): string =>
  `/${kind}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

export const incidentsPath = (namespace: string, extra: Record<string, string> = {}): string =>
  `/incidents${queryString({ namespace, ...extra })}`;
export const alertsPath = (namespace: string, extra: Record<string, string> = {}): string =>
  `/alerts${queryString({ namespace, ...extra })}`;
export const incidentPath = (namespace: string, name: string, tab: IncidentTabName = 'timeline'): string =>
  `${object('incidents', namespace, name)}${tab === 'timeline' ? '' : `/${tab}`}`;
export const alertPath = (namespace: string, name: string): string => object('alerts', namespace, name);
export const sourcesPath = (namespace: string, extra: Record<string, string> = {}): string =>
  `/sources${queryString({ namespace, ...extra })}`;
export const sourcePath = (namespace: string, name: string): string => object('sources', namespace, name);
export const rulesPath = (namespace: string, extra: Record<string, string> = {}): string =>
  `/rules${queryString({ namespace, ...extra })}`;
export const rulePath = (namespace: string, name: string): string => object('rules', namespace, name);
