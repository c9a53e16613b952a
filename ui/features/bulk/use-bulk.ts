/** One act on many incidents: a guarded write for each, a few at a time; what was refused is handed back by name, what was done can be undone. */
import type { IncidentDetail, IncidentEdit, IncidentItem } from '@funnelai/domain/wire';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { keys } from '../../api/keys.ts';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { editIncident } from '../../api/writes.ts';
import { useSession } from '../../app/session.tsx';
import { placeDetail } from '../incident/use-edit.ts';

/** Writes of one act that are under way at once: the API server is shared. */
const WRITES_AT_ONCE = 4;

export interface Refused {
  item: IncidentItem;
  error: ApiError;
}
export interface BulkResult {
  done: { before: IncidentItem; detail: IncidentDetail }[];
  refused: Refused[];
}
export type Bulk = (
  items: readonly IncidentItem[],
  editOf: (item: IncidentItem) => IncidentEdit,
) => Promise<BulkResult>;

/** The writes. Never throws: each refusal is in the result. Lists are read again once, at the end. */
export function useBulk(): {
  bulk: Bulk;
  /** The incident as it was last seen: the operator names an owner a moment after the acknowledgement. */
  latest: (item: IncidentItem) => IncidentItem;
} {
  const client = useQueryClient();
  const { me } = useSession();
  const bulk: Bulk = useCallback(
    async (items, editOf) => {
      const result: BulkResult = { done: [], refused: [] };
      const waiting = [...items];
      const work = async () => {
        for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
          try {
            const detail = await editIncident(item.namespace, item.name, editOf(item));
            placeDetail(client, detail, me.user);
            result.done.push({ before: item, detail });
          } catch (error) {
            result.refused.push({ item, error: asApiError(error) });
          }
        }
      };
      await Promise.all(Array.from({ length: WRITES_AT_ONCE }, work));
      void client.invalidateQueries({ queryKey: keys.incidentLists });
      return result;
    },
    [client, me.user],
  );
  const latest = (item: IncidentItem): IncidentItem =>
    client.getQueryData<IncidentDetail>(keys.incident(item.namespace, item.name))?.item ?? item;
  return { bulk, latest };
}
