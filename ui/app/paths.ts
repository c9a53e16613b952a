/** The addresses of the pages. */
import { queryString } from '../api/client.ts';

export type IncidentTabName = 'timeline' | 'alerts' | 'yaml';

const object = (kind: string, namespace: string, name: string): string =>
  `/${kind}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

export const incidentsPath = (namespace: string, extra: Record<string, string> = {}): string =>
  `/incidents${queryString({ namespace, ...extra })}`;
export const alertsPath = (namespace: string, extra: Record<string, string> = {}): string =>
  `/alerts${queryString({ namespace, ...extra })}`;
export const incidentPath = (namespace: string, name: string, tab: IncidentTabName = 'timeline'): string =>
  `${object('incidents', namespace, name)}${tab === 'timeline' ? '' : `/${tab}`}`;
export const alertPath = (namespace: string, name: string): string => object('alerts', namespace, name);
