/** The list of alerts: filters, order and search are its URL; rows stand still while someone reads them. */
import { SEVERITIES } from '@funnelai/domain/severity';
import Typography from '@mui/material/Typography';
import { useMemo, useRef } from 'react';
import { Link, useSearchParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useAlerts } from '../../api/queries.ts';
import { useActs } from '../../app/acts.ts';
import { ALL } from '../../app/choose-namespace.ts';
import { sourcesPath } from '../../app/paths.ts';
import { useNamespace, useSession } from '../../app/session.tsx';
import { useTitle } from '../../app/use-title.ts';
import { CopyLine } from '../../components/CopyLine.tsx';
import { StateView } from '../../components/StateView.tsx';
import { clearFilters } from '../lists/clear-filters.ts';
import { FilterHead } from '../lists/FacetMenus.tsx';
import { ListFrame } from '../lists/ListFrame.tsx';
import { OrderMenu } from '../lists/OrderMenu.tsx';
import { useHeldList } from '../lists/use-held-list.ts';
import { useIsBusyWith } from '../lists/use-held-rows.ts';
import { useRowKeys } from '../lists/use-row-keys.ts';
import { ALERT_COLUMNS, AlertTable } from './AlertTable.tsx';
import { FoldedNote } from './FoldedNote.tsx';
import {
  ALERT_FACET_LABELS,
  ALERT_FACETS,
  type AlertFilter,
  alertFacetWord,
  describeAlerts,
  isAlertListNarrowed,
  parseAlertFilter,
  toAlertQuery,
  widenedAlerts,
  writeAlertFilter,
} from './url.ts';

const ORDERS: Partial<Record<string, readonly string[]>> = {
  severity: SEVERITIES,
  state: ['Firing', 'Expired', 'Resolved'],
};

export function AlertsPage() {
  useTitle('Alerts');
  const [search, setSearch] = useSearchParams();
  const namespace = useNamespace();
  const filter = useMemo(() => parseAlertFilter(search), [search]);
  const query = toAlertQuery(filter, namespace.asked);
  const read = useAlerts(query);
  const listRef = useRef<HTMLDivElement>(null);
  const list = useHeldList(read, query, useIsBusyWith(listRef));
  const show = (next: AlertFilter, replace = false) =>
    setSearch(writeAlertFilter(next, search.get('namespace')), { replace });
  const clear = () => show(widenedAlerts(filter));
  const isNarrowed = isAlertListNarrowed(filter);
  useRowKeys('alerts');
  useActs([clearFilters(isNarrowed, clear)]);
  const error = read.error === null ? undefined : asApiError(read.error);
  return (
    <>
      <FilterHead
        title="Alerts"
        facets={ALERT_FACETS}
        labels={ALERT_FACET_LABELS}
        counts={read.data?.facets}
        chosen={filter.facets}
        orders={ORDERS}
        word={(_facet, value) => alertFacetWord(value)}
        onChange={(facets) => show({ ...filter, facets })}
      />
      <ListFrame
        what="Alerts"
        one="alert"
        list={list}
        error={error}
        readAt={read.dataUpdatedAt}
        onRetry={() => void read.refetch()}
        sentence={describeAlerts(filter, namespace.asked, list.total ?? 0)}
        order={
          <OrderMenu
            columns={ALERT_COLUMNS}
            usual="What fires first, the worst above"
            sort={filter.sort}
            onSort={(sort) => show({ ...filter, sort })}
          />
        }
        isNarrowed={isNarrowed}
        onClear={clear}
        limit={filter.limit}
        onLimit={(limit) => show({ ...filter, limit }, true)}
        listRef={listRef}
        empty={<NoAlerts namespace={namespace.asked} />}
      >
        <FoldedNote
          folded={read.data?.folded}
          shown={(read.data?.items ?? []).filter(({ foldedInto }) => foldedInto !== undefined).length}
        />
        <AlertTable
          rows={list.held.rows}
          showsNamespace={namespace.asked === undefined}
          showsIncident
          showsWhy={false}
          sort={filter.sort}
          onSort={(sort) => show({ ...filter, sort })}
          isDimmed={read.isPlaceholderData || error !== undefined}
        />
      </ListFrame>
    </>
  );
}

function NoAlerts({ namespace }: { namespace: string | undefined }) {
  const { me } = useSession();
  const send = me.welcome?.lines.find((line) => line.command.startsWith('curl'))?.command;
  const where = namespace === undefined ? '-A' : `-n ${namespace}`;
  return (
    <StateView
      title="No alerts yet"
      act={<Link to={sourcesPath(namespace ?? ALL)}>The sources, and how to connect a sender</Link>}
    >
      <Typography>
        What monitoring reports is listed here: one line for each fault, however often it is sent. Point a sender at an
        AlertSource{send ? ', or send one by hand:' : '. This command lists those that are there:'}
      </Typography>
      {send ? (
        <CopyLine command={send} label="Copy the command that sends an alert" />
      ) : (
        <CopyLine
          command={`kubectl get alertsources.funnelai.dev ${where} -o custom-columns=NAME:.metadata.name,PATH:.status.path`}
          label="Copy the command that lists the entrances for alerts"
        />
      )}
    </StateView>
  );
}
