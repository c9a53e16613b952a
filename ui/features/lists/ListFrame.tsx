/** What every list has around its rows: old data, the sentence that says what is filtered, the pill, the states without rows, more rows. */
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import type { ReactNode, RefObject } from 'react';
import type { ApiError } from '../../api/problem.ts';
import { Failing, Loading, OldData, StateView } from '../../components/StateView.tsx';
import { MOST_ROWS, PAGE_SIZE } from './limits.ts';
import { NewRowsPill } from './NewRowsPill.tsx';
import type { HeldList } from './use-held-list.ts';

interface ListFrameProps {
  /** "Incidents": what could not be read. */
  what: string;
  /** "incident": what does not fit the filters. */
  one: string;
  list: HeldList<{ uid: string }>;
  error: ApiError | undefined;
  readAt: number;
  onRetry: () => void;
  /** "12 alerts in demo with state Firing" */
  sentence: string;
  /** The menu of orders, for narrow screens. */
  order: ReactNode;
  isNarrowed: boolean;
  onClear: () => void;
  limit: number;
  onLimit: (limit: number) => void;
  /** Shown when there are no rows though nothing is filtered. */
  empty: ReactNode;
  children: ReactNode;
  listRef: RefObject<HTMLDivElement | null>;
}

export function ListFrame({ what, one, list, error, readAt, onRetry, listRef, ...props }: ListFrameProps) {
  const { total, shown } = list;
  const isRead = total !== undefined && error?.status !== 403;
  const isShort = isRead && total > shown;
  return (
    <>
      {error && isRead && <OldData error={error} readAt={readAt} onRetry={onRetry} />}
      {isRead && (
        <Box
          sx={{
            display: 'flex',
            flexWrap: 'wrap',
            alignItems: 'center',
            columnGap: 2,
            px: 4,
            minHeight: 36,
            color: 'text.secondary',
          }}
        >
          <span role="status">{props.sentence}</span>
          {props.isNarrowed && (
            <Button onClick={props.onClear} sx={{ minHeight: 24, py: 0 }}>
              Clear filters
            </Button>
          )}
          {list.held.rows.length > 0 && props.order}
        </Box>
      )}
      <NewRowsPill waiting={list.held.waiting} isReordered={list.held.isReordered} onShow={list.held.release} />
      <Box ref={listRef}>
        {error && !isRead ? (
          <Failing error={error} what={what} onRetry={onRetry} />
        ) : !isRead ? (
          <Loading label={`Loading ${what.toLowerCase()}`} />
        ) : list.held.rows.length > 0 ? (
          props.children
        ) : props.isNarrowed ? (
          <StateView
            title="Nothing matches"
            act={
              <Button variant="outlined" onClick={props.onClear}>
                Clear filters
              </Button>
            }
          >
            <Typography color="textSecondary">No {one} here fits the filters and the search above.</Typography>
          </StateView>
        ) : (
          props.empty
        )}
      </Box>
      {isShort && (
        <Box sx={{ px: 4, py: 3, display: 'flex', gap: 3, alignItems: 'center', color: 'text.secondary' }}>
          The first {shown} of {total}.
          {props.limit < MOST_ROWS ? (
            <Button onClick={() => props.onLimit(props.limit + PAGE_SIZE)}>Show more</Button>
          ) : (
            ' Narrow the filter to see the rest.'
          )}
        </Box>
      )}
    </>
  );
}
