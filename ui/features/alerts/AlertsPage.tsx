/** The list of alerts: filters and search are its URL; rows stand still while someone reads them. */
import { SEVERITIES } from '@funnelai/domain/severity';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useMemo, useRef } from 'react';
import { useSearchParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useAlerts } from '../../api/queries.ts';
import { useActs } from '../../app/acts.ts';
import { useNamespace, useSession } from '../../app/session.tsx';
import { useTitle } from '../../app/use-title.ts';
import { CopyLine } from '../../components/CopyLine.tsx';
import { FacetMenu } from '../../components/FacetMenu.tsx';
import { Failing, Loading, OldData, StateView } from '../../components/StateView.tsx';
import { NewRowsPill } from '../lists/NewRowsPill.tsx';
import { useHeldRows, useIsBusyWith } from '../lists/use-held-rows.ts';
import { useRowKeys } from '../lists/use-row-keys.ts';
import { AlertTable } from './AlertTable.tsx';
import {
  ALERT_FACET_LABELS,
  ALERT_FACETS,
  type AlertFilter,
  describeAlerts,
  isAlertListNarrowed,
  MOST_ROWS,
  PAGE_SIZE,
  parseAlertFilter,
  toAlertQuery,
  widenedAlerts,
  writeAlertFilter,
} from './url.ts';

const NOTHING: readonly never[] = [];
const ORDERS: Partial<Record<string, readonly string[]>> = { severity: SEVERITIES, state: ['Firing', 'Resolved'] };

export function AlertsPage() {
  useTitle('Alerts');
  const { me } = useSession();
  const [search, setSearch] = useSearchParams();
  const namespace = useNamespace();
  const filter = useMemo(() => parseAlertFilter(search), [search]);
  const query = toAlertQuery(filter, namespace.asked);
  const list = useAlerts(query);
  const page = list.data;
  const listRef = useRef<HTMLDivElement>(null);
  const isBusy = useIsBusyWith(listRef);
  const lastKey = useRef('');
  const key = list.isPlaceholderData ? lastKey.current : JSON.stringify(query);
  lastKey.current = key;
  const held = useHeldRows(key, page?.items ?? NOTHING, isBusy && page !== undefined);
  const show = (next: AlertFilter, replace = false) =>
    setSearch(writeAlertFilter(next, search.get('namespace')), { replace });
  useRowKeys('alerts');
  const isNarrowed = isAlertListNarrowed(filter);
  useActs([
    {
      id: 'clear-filters',
      title: 'Clear filters',
      section: 'This page',
      ...(isNarrowed ? {} : { disabled: 'Nothing is filtered' }),
      run: () => show(widenedAlerts(filter)),
    },
  ]);

  const error = list.error === null ? undefined : asApiError(list.error);
  const isForbidden = error?.status === 403;
  const retry = () => void list.refetch();
  const send = me.welcome?.lines.find((line) => line.command.startsWith('curl'))?.command;
  return (
    <>
      <Box
        sx={{
          display: 'flex',
          flexWrap: 'wrap',
          alignItems: 'center',
          columnGap: 3,
          px: 4,
          pt: 3,
          pb: 1,
          borderBottom: 1,
          borderColor: 'divider',
        }}
      >
        <Typography variant="h1">Alerts</Typography>
        <Box role="group" aria-label="Filters" sx={{ display: 'flex', flexWrap: 'wrap', ml: { sm: 'auto' } }}>
          {ALERT_FACETS.map((facet) => (
            <FacetMenu
              key={facet}
              label={ALERT_FACET_LABELS[facet]}
              counts={page?.facets[facet] ?? {}}
              chosen={filter.facets[facet]}
              order={ORDERS[facet] ?? []}
              onChange={(chosen) => show({ ...filter, facets: { ...filter.facets, [facet]: chosen } })}
            />
          ))}
        </Box>
      </Box>
      {error && page && !isForbidden && <OldData error={error} readAt={list.dataUpdatedAt} onRetry={retry} />}
      {page && !isForbidden && (
        <Box
          sx={{
            display: 'flex',
            alignItems: 'center',
            gap: 2,
            px: 4,
            minHeight: 36,
            color: 'text.secondary',
            flexWrap: 'wrap',
          }}
        >
          <span role="status">{describeAlerts(filter, namespace.asked, page.total)}</span>
          {isNarrowed && (
            <Button onClick={() => show(widenedAlerts(filter))} sx={{ minHeight: 24, py: 0 }}>
              Clear filters
            </Button>
          )}
        </Box>
      )}
      <NewRowsPill waiting={held.waiting} isReordered={held.isReordered} onShow={held.release} />
      <Box ref={listRef}>
        {error && (!page || isForbidden) ? (
          <Failing error={error} what="Alerts" onRetry={retry} />
        ) : page === undefined ? (
          <Loading label="Loading alerts" />
        ) : held.rows.length > 0 ? (
          <AlertTable
            rows={held.rows}
            showsNamespace={namespace.asked === undefined}
            showsIncident
            showsWhy={false}
            isDimmed={list.isPlaceholderData || error !== undefined}
          />
        ) : isNarrowed ? (
          <StateView
            title="Nothing matches"
            act={
              <Button variant="outlined" onClick={() => show(widenedAlerts(filter))}>
                Clear filters
              </Button>
            }
          >
            <Typography color="textSecondary">No alert fits the filters and the search above.</Typography>
          </StateView>
        ) : (
          <StateView title="No alerts yet">
            <Typography>
              What monitoring reports is listed here: one line for each fault, however often it is sent. Point a sender
              at an AlertSource, or send one by hand:
            </Typography>
            <CopyLine
              command={
                send ??
                `kubectl get alertsources.funnelai.dev ${namespace.asked === undefined ? '-A' : `-n ${namespace.asked}`} -o custom-columns=NAME:.metadata.name,PATH:.status.path`
              }
              label={
                send ? 'Copy the command that sends an alert' : 'Copy the command that lists the entrances for alerts'
              }
            />
          </StateView>
        )}
      </Box>
      {page && page.total > page.items.length && (
        <Box sx={{ px: 4, py: 3, display: 'flex', gap: 3, alignItems: 'center', color: 'text.secondary' }}>
          The first {page.items.length} of {page.total}.{' '}
          {filter.limit < MOST_ROWS ? (
            <Button onClick={() => show({ ...filter, limit: filter.limit + PAGE_SIZE }, true)}>Show more</Button>
          ) : (
            'Narrow the filter to see the rest.'
          )}
        </Box>
      )}
    </>
  );
}
