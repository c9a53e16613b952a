/** The list of incidents: its tab, filters, order, search and what is chosen are its URL; rows stand still while someone reads them. */
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
import { useToast } from '../../components/Toasts.tsx';
import { BulkBar } from '../bulk/BulkBar.tsx';
import { useBulkActs } from '../bulk/use-bulk-acts.ts';
import { conflictLine, useMove } from '../incident/use-move.ts';
import { clearFilters } from '../lists/clear-filters.ts';
import { ListFrame } from '../lists/ListFrame.tsx';
import { OrderMenu } from '../lists/OrderMenu.tsx';
import { useHeldList } from '../lists/use-held-list.ts';
import { useIsBusyWith } from '../lists/use-held-rows.ts';
import { focusedRow, useRowKeys } from '../lists/use-row-keys.ts';
import { WelcomeCard } from '../welcome/WelcomeCard.tsx';
import { DeclareDialog } from './DeclareDialog.tsx';
import { Filters } from './Filters.tsx';
import { ChooseAll, INCIDENT_COLUMNS, IncidentTable } from './IncidentTable.tsx';
import { NoIncidents } from './NoIncidents.tsx';
import {
  describe,
  type IncidentFilter,
  isNarrowed,
  parseChosen,
  parseFilter,
  toQuery,
  widened,
  writeFilter,
} from './url.ts';
import { useChosen } from './use-chosen.ts';

export function IncidentsPage() {
  useTitle('Incidents');
  const [search, setSearch] = useSearchParams();
  const namespace = useNamespace();
  const filter = useMemo(() => parseFilter(search), [search]);
  const query = toQuery(filter, namespace.asked);
  const read = useIncidents(query);
  const page = read.data;
  const [isDeclaring, setDeclaring] = useState(false);
  const move = useMove();
  const bulk = useBulkActs();
  const toast = useToast();

  const listRef = useRef<HTMLDivElement>(null);
  const isBusy = useIsBusyWith(listRef);
  const list = useHeldList(read, query, isBusy || parseChosen(search).length > 0);
  const { rows } = list.held;
  const chosen = useChosen(useMemo(() => rows.map(({ item }) => item), [rows]));

  const show = (next: IncidentFilter, replace = false) =>
    setSearch(writeFilter(next, search.get('namespace')), { replace });
  const clear = () => show(widened(filter));
  const refusal = useRefusal(namespace.asked, 'incidents', 'create');
  const focused = () => rows.find(({ item }) => item.uid === focusedRow())?.item;
  const acknowledge = () => {
    const item = focused();
    if (item === undefined) return toast.say('Go to an incident with j and k first.');
    if (item.phase !== 'Detection') return toast.say(`${item.name} is acknowledged already.`);
    move(item, 'Response').catch((error: unknown) => toast.say(`Not acknowledged: ${conflictLine(asApiError(error))}`));
  };
  useRowKeys('incidents', [
    // While some are chosen the bar at the foot has the key.
    ...(chosen.items.length > 0
      ? []
      : [
          {
            id: 'acknowledge-row',
            title: 'Acknowledge the incident of this row',
            section: 'Act' as const,
            keys: 'a',
            run: acknowledge,
          },
        ]),
    {
      id: 'choose-row',
      title: 'Choose this row, for acts on many',
      section: 'This page',
      keys: 'x',
      isKeyOnly: true,
      run: () => {
        const item = focused();
        if (item === undefined) toast.say('Go to an incident with j and k first.');
        else chosen.toggle(item, false);
      },
    },
    { id: 'choose-all', title: 'Choose all or none', section: 'This page', keys: '*', run: chosen.toggleAll },
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
    clearFilters(isNarrowed(filter), clear),
  ]);

  const error = read.error === null ? undefined : asApiError(read.error);
  return (
    <>
      <WelcomeCard />
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 3, px: 4, pt: 3 }}>
        <Typography variant="h1">Incidents</Typography>
        <Box sx={{ ml: 'auto' }}>
          <Reasoned reason={refusal}>
            <Button variant="outlined" startIcon={<Add />} onClick={() => setDeclaring(true)}>
              Declare
            </Button>
          </Reasoned>
        </Box>
      </Box>
      <Filters filter={filter} page={page} onChange={show} />
      <ListFrame
        what="Incidents"
        one="incident"
        list={list}
        error={error}
        readAt={read.dataUpdatedAt}
        onRetry={() => void read.refetch()}
        sentence={describe(filter, namespace.asked, list.total ?? 0)}
        order={
          <>
            <ChooseAll chosen={chosen} />
            <OrderMenu
              columns={INCIDENT_COLUMNS}
              usual="Most urgent first"
              sort={filter.sort}
              onSort={(sort) => show({ ...filter, sort })}
            />
          </>
        }
        isNarrowed={isNarrowed(filter)}
        onClear={clear}
        limit={filter.limit}
        onLimit={(limit) => show({ ...filter, limit }, true)}
        listRef={listRef}
        empty={page && <NoIncidents tab={filter.tab} page={page} namespace={namespace.asked} />}
      >
        <IncidentTable
          rows={rows}
          showsNamespace={namespace.asked === undefined}
          sort={filter.sort}
          onSort={(sort) => show({ ...filter, sort })}
          chosen={chosen}
          isDimmed={read.isPlaceholderData || error !== undefined}
        />
      </ListFrame>
      {(chosen.items.length > 0 || bulk.refused.length > 0) && (
        <BulkBar chosen={chosen.items} namespace={namespace.asked} acts={bulk} onClear={chosen.clear} />
      )}
      {isDeclaring && <DeclareDialog onClose={() => setDeclaring(false)} />}
    </>
  );
}
