/** A write that was refused, at the place where it was made: a conflict with who, when and both values; else the API server's own words. */
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import type { ReactNode } from 'react';
import type { ApiError } from '../api/problem.ts';
import { shownActor } from './actor.ts';
import { CopyLine } from './CopyLine.tsx';
import { Dated } from './Time.tsx';

interface RefusalProps {
  error: ApiError;
  /** Words for a value, such as a phase's. */
  word?: (value: string) => string;
  onKeepTheirs: () => void;
  /** Absent when the person's value is not possible any more; `children` then says why. */
  onUseMine?: (() => void) | undefined;
  isBusy?: boolean;
  children?: ReactNode;
}

const FRAME = {
  border: 1,
  borderColor: 'error.main',
  borderRadius: 1,
  p: 2,
  display: 'grid',
  gap: 1.5,
  minWidth: 0,
  overflowWrap: 'anywhere',
  // It may stand in a heading.
  fontSize: '0.8125rem',
  fontWeight: 400,
} as const;

export function Refusal({
  error,
  word = (value) => value,
  onKeepTheirs,
  onUseMine,
  isBusy = false,
  children,
}: RefusalProps) {
  const { conflict, missing, requestId } = error.problem;
  if (conflict === undefined) {
    return (
      <Box role="alert" sx={FRAME}>
        <div>
          {error.message}
          {requestId && <Box component="span" sx={{ color: 'text.secondary' }}>{` Request ${requestId}.`}</Box>}
        </div>
        {missing && <CopyLine command={missing.grant} label="Copy the command that grants it" />}
        <div>
          <Button onClick={onKeepTheirs}>Leave it</Button>
        </div>
      </Box>
    );
  }
  const say = (value: string | null): string => (value === null || value === '' ? 'nothing' : word(value));
  return (
    <Box role="alert" sx={FRAME}>
      <div>
        <strong>{shownActor(conflict.by) ?? 'Someone else'} was first.</strong> They changed {conflict.field}
        {conflict.at && (
          <>
            {' '}
            at <Dated at={conflict.at} />
          </>
        )}
        .
      </div>
      <Box
        component="dl"
        sx={{
          m: 0,
          display: 'grid',
          gridTemplateColumns: 'max-content minmax(0, 1fr)',
          columnGap: 3,
          '& dt': { color: 'text.secondary' },
          '& dd': { m: 0, whiteSpace: 'pre-wrap' },
        }}
      >
        <dt>Theirs</dt>
        <dd>{say(conflict.theirs)}</dd>
        <dt>Yours</dt>
        <dd>{say(conflict.yours)}</dd>
      </Box>
      {children}
      <Box sx={{ display: 'flex', gap: 2, flexWrap: 'wrap' }}>
        <Button variant="outlined" onClick={onKeepTheirs}>
          Keep theirs
        </Button>
        {onUseMine && (
          <Button onClick={onUseMine} loading={isBusy}>
            Use mine
          </Button>
        )}
      </Box>
    </Box>
  );
}
