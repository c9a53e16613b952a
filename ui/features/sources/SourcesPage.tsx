/** The list of sources: filters, order and search are its URL; rows stand still while someone reads them, what they count does not. */
import Typography from '@mui/material/Typography';
import { useMemo, useRef } from 'react';
import { useSearchParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useSources } from '../../api/queries.ts';
import { useActs } from '../../app/acts.ts';
import { useNamespace } from '../../app/session.tsx';
import { useTitle } from '../../app/use-title.ts';
import { clearFilters } from '../lists/clear-filters.ts';
import { FilterHead } from '../lists/FacetMenus.tsx';
import { ListFrame } from '../lists/ListFrame.tsx';
import { OrderMenu } from '../lists/OrderMenu.tsx';
import { useHeldList } from '../lists/use-held-list.ts';
import { useIsBusyWith } from '../lists/use-held-rows.ts';
import { useRowKeys } from '../lists/use-row-keys.ts';
import { InboxNotes } from './InboxNotes.tsx';
import { NoSources } from './NoSources.tsx';
import { SOURCE_COLUMNS, SourceTable } from './SourceTable.tsx';
import {
  describeSources,
  isSourceListNarrowed,
  parseSourceFilter,
  SOURCE_FACET_LABELS,
  SOURCE_FACETS,
  type SourceFacet,
  type SourceFilter,
  sourceFacetWord,
  toSourceQuery,
  widenedSources,
  writeSourceFilter,
} from './url.ts';

const ORDERS: Partial<Record<SourceFacet, readonly string[]>> = {
  ready: ['False', 'Unknown', 'True'],
  traffic: ['Refused', 'Taken', 'None'],
};

export function SourcesPage() {
  useTitle('Sources');
  const [search, setSearch] = useSearchParams();
  const namespace = useNamespace();
  const filter = useMemo(() => parseSourceFilter(search), [search]);
  const query = toSourceQuery(filter, namespace.asked);
  const read = useSources(query);
  const listRef = useRef<HTMLDivElement>(null);
  const list = useHeldList(read, query, useIsBusyWith(listRef));
  const show = (next: SourceFilter, replace = false) =>
    setSearch(writeSourceFilter(next, search.get('namespace')), { replace });
  const clear = () => show(widenedSources(filter));
  const isNarrowed = isSourceListNarrowed(filter);
  useRowKeys('sources');
  useActs([clearFilters(isNarrowed, clear)]);
  const error = read.error === null ? undefined : asApiError(read.error);
  return (
    <>
      <FilterHead
        title="Sources"
        facets={SOURCE_FACETS}
        labels={SOURCE_FACET_LABELS}
        counts={read.data?.facets}
        chosen={filter.facets}
        orders={ORDERS}
        word={sourceFacetWord}
        onChange={(facets) => show({ ...filter, facets })}
      />
      <InboxNotes page={error?.status === 403 ? undefined : read.data} />
      <ListFrame
        what="Sources"
        one="source"
        list={list}
        error={error}
        readAt={read.dataUpdatedAt}
        onRetry={() => void read.refetch()}
        sentence={describeSources(filter, namespace.asked, list.total ?? 0)}
        order={
          <OrderMenu
            columns={SOURCE_COLUMNS}
            usual="What is in trouble first"
            sort={filter.sort}
            onSort={(sort) => show({ ...filter, sort })}
          />
        }
        isNarrowed={isNarrowed}
        onClear={clear}
        limit={filter.limit}
        onLimit={(limit) => show({ ...filter, limit }, true)}
        listRef={listRef}
        empty={<NoSources namespace={namespace.asked} />}
      >
        <SourceTable
          rows={list.held.rows}
          showsNamespace={namespace.asked === undefined}
          sort={filter.sort}
          onSort={(sort) => show({ ...filter, sort })}
          isDimmed={read.isPlaceholderData || error !== undefined}
        />
        {read.data?.counted.of === 'ThisReplica' && (
          <Typography color="textSecondary" sx={{ px: 4, py: 3, maxWidth: 720 }}>
            Counted by the one replica that answered, since it started. {read.data.counted.reason}
          </Typography>
        )}
      </ListFrame>
    </>
  );
}
