/** The list of incidents: its tab, filters, order and search are its URL; rows stand still while someone reads them. */
import Add from '@mui/icons-material/Add';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useMemo, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useIncidents } from '../../api/queries.ts';
import { useActs } from '../../app/acts.ts';
import { useNamespace, useRefusal } from '../../app/session.tsx';
import { useTitle } from '../../app/use-title.ts';
import { Reasoned } from '../../components/Reasoned.tsx';
import { Failing, Loading, OldData } from '../../components/StateView.tsx';
import { useToast } from '../../components/Toasts.tsx';
import { conflictLine, useMove } from '../incident/use-move.ts';
import { NewRowsPill } from '../lists/NewRowsPill.tsx';
import { useHeldRows, useIsBusyWith } from '../lists/use-held-rows.ts';
import { focusedRow, useRowKeys } from '../lists/use-row-keys.ts';
import { WelcomeCard } from '../welcome/WelcomeCard.tsx';
import { DeclareDialog } from './DeclareDialog.tsx';
import { Filters } from './Filters.tsx';
import { IncidentTable } from './IncidentTable.tsx';
import { NoIncidents } from './NoIncidents.tsx';
import {
  describe,
  type IncidentFilter,
  isNarrowed,
  MOST_ROWS,
  PAGE_SIZE,
  parseFilter,
  toQuery,
  widened,
  writeFilter,
} from './url.ts';

const NOTHING: readonly never[] = [];

export function IncidentsPage() {
  useTitle('Incidents');
  const [search, setSearch] = useSearchParams();
  const namespace = useNamespace();
  const filter = useMemo(() => parseFilter(search), [search]);
  const query = toQuery(filter, namespace.asked);
  const list = useIncidents(query);
  const page = list.data;
  const [isDeclaring, setDeclaring] = useState(false);
  const move = useMove();
  const toast = useToast();

  const listRef = useRef<HTMLDivElement>(null);
  const isBusy = useIsBusyWith(listRef);
  // While another filter is being read the old rows stay, greyed, under their old key.
  const lastKey = useRef('');
  const key = list.isPlaceholderData ? lastKey.current : JSON.stringify(query);
  lastKey.current = key;
  const held = useHeldRows(key, page?.items ?? NOTHING, isBusy && page !== undefined);

  const show = (next: IncidentFilter, replace = false) =>
    setSearch(writeFilter(next, search.get('namespace')), { replace });
  const refusal = useRefusal(namespace.asked, 'incidents', 'create');
  const acknowledge = () => {
    const row = held.rows.find(({ item }) => item.uid === focusedRow());
    if (row === undefined) return toast.say('Choose an incident with j and k first.');
    if (row.item.phase !== 'Detection') return toast.say(`${row.item.name} is acknowledged already.`);
    move(row.item, 'Response').catch((error: unknown) =>
      toast.say(`Not acknowledged: ${conflictLine(asApiError(error))}`),
    );
  };
  useRowKeys('incidents', [
    {
      id: 'acknowledge-row',
      title: 'Acknowledge the chosen incident',
      section: 'Act',
      keys: 'a',
      run: acknowledge,
    },
  ]);
  useActs([
    {
      id: 'declare',
      title: 'Declare an incident',
      section: 'Act',
      keys: 'c',
      ...(refusal ? { disabled: refusal } : {}),
      run: () => setDeclaring(true),
    },
    {
      id: 'clear-filters',
      title: 'Clear filters',
      section: 'This page',
      ...(isNarrowed(filter) ? {} : { disabled: 'Nothing is filtered' }),
      run: () => show(widened(filter)),
    },
  ]);

  const error = list.error === null ? undefined : asApiError(list.error);
  const retry = () => void list.refetch();
  const isForbidden = error?.status === 403;
  return (
    <>
      <WelcomeCard />
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 3, px: 4, pt: 3 }}>
        <Typography variant="h1">Incidents</Typography>
        <Box sx={{ ml: 'auto' }}>
          <Reasoned reason={refusal}>
            <Button
              variant="outlined"
              startIcon={<Add />}
              disabled={refusal !== undefined}
              onClick={() => setDeclaring(true)}
            >
              Declare
            </Button>
          </Reasoned>
        </Box>
      </Box>
      <Filters filter={filter} page={page} onChange={show} />
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
          <span role="status">{describe(filter, namespace.asked, page.total)}</span>
          {isNarrowed(filter) && (
            <Button size="small" onClick={() => show(widened(filter))} sx={{ minHeight: 24, py: 0 }}>
              Clear filters
            </Button>
          )}
        </Box>
      )}
      <NewRowsPill waiting={held.waiting} isReordered={held.isReordered} onShow={held.release} />
      <Box ref={listRef}>
        {error && (!page || isForbidden) ? (
          <Failing error={error} what="Incidents" onRetry={retry} />
        ) : page === undefined ? (
          <Loading label="Loading incidents" />
        ) : held.rows.length === 0 ? (
          <NoIncidents filter={filter} page={page} namespace={namespace.asked} onClear={() => show(widened(filter))} />
        ) : (
          <IncidentTable
            rows={held.rows}
            showsNamespace={namespace.asked === undefined}
            sort={filter.sort}
            onSort={(sort) => show({ ...filter, sort })}
            isDimmed={list.isPlaceholderData || error !== undefined}
          />
        )}
      </Box>
      {page && page.total > page.items.length && (
        <Box sx={{ px: 4, py: 3, display: 'flex', gap: 3, alignItems: 'center' }}>
          <Typography color="textSecondary">
            The first {page.items.length} of {page.total}.
          </Typography>
          {filter.limit < MOST_ROWS ? (
            <Button onClick={() => show({ ...filter, limit: filter.limit + PAGE_SIZE }, true)}>Show more</Button>
          ) : (
            <Typography color="textSecondary">Narrow the filter to see the rest.</Typography>
          )}
        </Box>
      )}
      {isDeclaring && <DeclareDialog onClose={() => setDeclaring(false)} />}
    </>
  );
}
