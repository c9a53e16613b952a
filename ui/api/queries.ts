/** What the pages read, as React Query hooks. While the live stream is down everything on screen is read every 15 s instead. */
import type {
  Access,
  AlertDetail,
  AlertPage,
  IncidentDetail,
  IncidentPage,
  Me,
  NamespaceList,
} from '@funnelai/domain/wire';
import type { RuleDetail, RulePage } from '@funnelai/domain/wire-rules';
import type { SourceDetail, SourcePage } from '@funnelai/domain/wire-sources';
import { keepPreviousData, QueryClient, useQueries, useQuery } from '@tanstack/react-query';
import { useLiveStatus } from '../live/status.ts';
import { queryString, requestJson, requestText } from './client.ts';
import { type AlertQuery, type IncidentQuery, type Kind, keys, type RuleQuery, type SourceQuery } from './keys.ts';
import { asApiError } from './problem.ts';

/** How often to read while nothing is live, or while reading fails. */
export const FALLBACK_EVERY_MS = 15_000;
const RETRIES = 1;

/** The cache of one browser tab. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (count, error) => count < RETRIES && asApiError(error).isTransient,
        retryDelay: 400,
        staleTime: 5_000,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: true,
        networkMode: 'always',
        // Lists and objects come from the stream; structural sharing keeps untouched rows the same object, so they do not render anew.
        structuralSharing: true,
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}

function useFallback() {
  const isDown = useLiveStatus().state === 'down';
  return (query: { state: { error: unknown } }): number | false => {
    if (isDown) return FALLBACK_EVERY_MS;
    return query.state.error !== null && asApiError(query.state.error).isTransient ? FALLBACK_EVERY_MS : false;
  };
}

const at = (kind: Kind, namespace: string, name: string): string =>
  `/api/${kind}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

export const useMe = () =>
  useQuery({
    queryKey: keys.me,
    queryFn: ({ signal }) => requestJson<Me>('/api/me', { signal }),
    staleTime: 60_000,
    // The cookie is the browser's: another tab may have signed in as someone else.
    refetchOnWindowFocus: 'always',
    refetchInterval: useFallback(),
  });

export const useNamespaces = () =>
  useQuery({
    queryKey: keys.namespaces,
    queryFn: ({ signal }) => requestJson<NamespaceList>('/api/namespaces', { signal }),
    staleTime: 30_000,
    refetchInterval: useFallback(),
  });

const accessQuery = (namespace: string | undefined) => ({
  queryKey: keys.access(namespace),
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    requestJson<Access>(`/api/access${queryString({ namespace })}`, { signal }),
  staleTime: 30_000,
});

/** What this person may do in a namespace; undefined namespace = in all at once. */
export const useAccess = (namespace: string | undefined) => useQuery(accessQuery(namespace));

/** The same for each of several namespaces, in their order. */
export const useAccesses = (namespaces: readonly string[]) => useQueries({ queries: namespaces.map(accessQuery) });

export const useIncidents = (query: IncidentQuery, enabled = true) =>
  useQuery({
    queryKey: keys.incidents(query),
    queryFn: ({ signal }) => requestJson<IncidentPage>(`/api/incidents${queryString({ ...query })}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: useFallback(),
    enabled,
  });

export const useIncident = (namespace: string, name: string) =>
  useQuery({
    queryKey: keys.incident(namespace, name),
    queryFn: ({ signal }) => requestJson<IncidentDetail>(at('incidents', namespace, name), { signal }),
    refetchInterval: useFallback(),
  });

export const useAlerts = (query: AlertQuery, enabled = true) =>
  useQuery({
    queryKey: keys.alerts(query),
    queryFn: ({ signal }) => requestJson<AlertPage>(`/api/alerts${queryString({ ...query })}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: useFallback(),
    enabled,
  });

export const useAlert = (namespace: string, name: string) =>
  useQuery({
    queryKey: keys.alert(namespace, name),
    queryFn: ({ signal }) => requestJson<AlertDetail>(at('alerts', namespace, name), { signal }),
    refetchInterval: useFallback(),
  });

/** What comes in is no object, and rules are no part of the stream: while someone looks, they are read this often. */
const UNSTREAMED_EVERY_MS = 5_000;
const useUnstreamed = () => {
  const fallback = useFallback();
  return (query: { state: { error: unknown } }): number => fallback(query) || UNSTREAMED_EVERY_MS;
};

export const useSources = (query: SourceQuery) =>
  useQuery({
    queryKey: keys.sources(query),
    queryFn: ({ signal }) => requestJson<SourcePage>(`/api/sources${queryString({ ...query })}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: useUnstreamed(),
  });

export const useSource = (namespace: string, name: string) =>
  useQuery({
    queryKey: keys.source(namespace, name),
    queryFn: ({ signal }) => requestJson<SourceDetail>(at('sources', namespace, name), { signal }),
    refetchInterval: useUnstreamed(),
  });

export const useRules = (query: RuleQuery) =>
  useQuery({
    queryKey: keys.rules(query),
    queryFn: ({ signal }) => requestJson<RulePage>(`/api/rules${queryString({ ...query })}`, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: useUnstreamed(),
  });

export const useRule = (namespace: string, name: string) =>
  useQuery({
    queryKey: keys.rule(namespace, name),
    queryFn: ({ signal }) => requestJson<RuleDetail>(at('rules', namespace, name), { signal }),
    refetchInterval: useUnstreamed(),
  });

export const useYaml = (kind: Kind, namespace: string, name: string) =>
  useQuery({
    queryKey: keys.yaml(kind, namespace, name),
    queryFn: ({ signal }) => requestText(`${at(kind, namespace, name)}/yaml`, { signal }),
    refetchInterval: useFallback(),
  });
