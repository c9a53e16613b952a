/** Writing to an incident: one request with the values the person saw, the caches brought up to date at once, refusals handed back. */
import type { IncidentDetail, IncidentEdit, IncidentItem, IncidentPage } from '@funnelai/domain/wire';
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { type IncidentQuery, keys } from '../../api/keys.ts';
import { editIncident } from '../../api/writes.ts';
import { useSession } from '../../app/session.tsx';
import { applyToIncidents } from '../../live/apply.ts';

/** Puts what a write answered where the pages read it, without waiting for the stream. */
export function placeDetail(client: QueryClient, detail: IncidentDetail, user: string): void {
  client.setQueryData(keys.incident(detail.item.namespace, detail.item.name), detail);
  for (const query of client.getQueryCache().findAll({ queryKey: keys.incidentLists })) {
    const page = query.state.data as IncidentPage | undefined;
    if (page === undefined) continue;
    const next = applyToIncidents(
      page,
      query.queryKey[1] as IncidentQuery,
      { type: 'changes', incidents: [detail.item], alerts: [], deleted: [] },
      user,
    );
    client.setQueryData(query.queryKey, next, { updatedAt: query.state.dataUpdatedAt });
  }
  void client.invalidateQueries({ queryKey: keys.yaml('incidents', detail.item.namespace, detail.item.name) });
}

export type Edit = (item: Pick<IncidentItem, 'namespace' | 'name'>, edit: IncidentEdit) => Promise<IncidentDetail>;

/** The write. Throws ApiError; after a conflict the incident is read again, so that the page shows the new state. */
export function useEdit(): Edit {
  const client = useQueryClient();
  const { me } = useSession();
  return useCallback(
    async ({ namespace, name }, edit) => {
      try {
        const detail = await editIncident(namespace, name, edit);
        placeDetail(client, detail, me.user);
        void client.invalidateQueries({ queryKey: keys.incidentLists });
        return detail;
      } catch (error) {
        void client.invalidateQueries({ queryKey: keys.incident(namespace, name) });
        void client.invalidateQueries({ queryKey: keys.incidentLists });
        throw error;
      }
    },
    [client, me.user],
  );
}
