/** Alerts that found no room in the cluster, as lists and pages show them beside the others: from Postgres, marked. */
import type { Alert } from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import type { AlertItem, FoldedState } from '@funnelai/domain/wire';
import type { FoldedAlert } from '@funnelai/history/folded';
import type { FoldedFilter } from '@funnelai/history/folded-filter';
import { LIST_ROWS_MAX } from '../limits.ts';
import type { ApiContext } from './context.ts';
import { alertItem } from './items.ts';

/** Returns rows and their state for those that these overflow Alerts count; nothing when none of the alerts is one. */
export async function foldedBehind(
  api: Pick<ApiContext, 'history'>,
  alerts: readonly Alert[],
  filter: Omit<FoldedFilter, 'overflows' | 'limit'> = {},
): Promise<{ items: AlertItem[]; folded?: FoldedState }> {
  const overflows = new Map(
    alerts.filter(({ spec }) => spec.folded !== undefined).map((alert) => [keyOf(alert.metadata), alert]),
  );
  if (overflows.size === 0) return { items: [] };
  const answer = await api.history.folded({
    ...filter,
    overflows: [...overflows.values()].map(ofEpisode),
    limit: LIST_ROWS_MAX,
  });
  if (!answer.available) return { items: [], folded: { total: 0, unavailable: answer.reason } };
  const { items, total } = answer.value;
  const rows = items.map((one) => ({
    ...alertItem(asAlert(one, overflows.get(`${one.namespace}/${one.overflow}`))),
    foldedInto: one.overflow,
  }));
  return { items: rows, folded: { total } };
}

/** Those of the overflow Alert's present episode. */
function ofEpisode({ metadata, spec }: Alert) {
  return {
    namespace: metadata.namespace ?? '',
    overflow: metadata.name,
    since: spec.startsAt,
    ...(spec.state !== 'Firing' && spec.endsAt !== undefined && { until: spec.endsAt }),
  };
}

/** The alert as if it were an object: it is where its overflow Alert is. */
export function asAlert({ namespace, name, spec }: FoldedAlert, overflow: Alert | undefined): Alert {
  const { incidentRef, ruleRef, explanation } = overflow?.status ?? {};
  return {
    apiVersion: API_VERSION,
    kind: 'Alert',
    metadata: { namespace, name, uid: `folded:${namespace}/${name}` },
    spec,
    status: {
      ...(incidentRef !== undefined && { incidentRef }),
      ...(ruleRef !== undefined && { ruleRef }),
      ...(explanation !== undefined && { explanation }),
    },
  };
}

const keyOf = ({ namespace = '', name }: Alert['metadata']): string => `${namespace}/${name}`;
