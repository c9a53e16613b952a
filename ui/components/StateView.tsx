/** What a page shows when it has no data to show, or only old data: one look for loading, nothing, failing, forbidden and gone. */
import type { Problem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Skeleton from '@mui/material/Skeleton';
import Typography from '@mui/material/Typography';
import { type ReactNode, useEffect, useState } from 'react';
import type { ApiError } from '../api/problem.ts';
import { CopyLine } from './CopyLine.tsx';
import { Moment } from './Time.tsx';

/** Nothing is drawn before this: most answers are quicker, and a flash of grey helps nobody. */
const SKELETON_AFTER_MS = 200;

/** Widths of the grey lines, in per cent; each once, so that it is its own key. */
const WIDTHS = [92, 78, 86, 64, 90, 72, 83, 69] as const;

/** Grey lines in the place of rows, after a moment. */
export function Loading({ rows = 8, label = 'Loading' }: { rows?: number; label?: string }) {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Box role="status" aria-label={label} sx={{ px: 4, py: 2, minHeight: rows * 36 }}>
      {isShown &&
        WIDTHS.slice(0, rows).map((width) => (
          <Skeleton key={width} height={36} animation={false} width={`${width}%`} />
        ))}
    </Box>
  );
}

interface StateViewProps {
  title: string;
  children?: ReactNode;
  act?: ReactNode;
  role?: 'status' | 'alert';
}
/** The frame of every "nothing to see" state: what it is, why, and what can be done. */
export function StateView({ title, children, act, role = 'status' }: StateViewProps) {
  return (
    <Box role={role} sx={{ px: 4, py: 8, maxWidth: 720, display: 'grid', gap: 3 }}>
      <Typography variant="h2" component="h2">
        {title}
      </Typography>
      {children}
      {act && <Box sx={{ display: 'flex', gap: 2, flexWrap: 'wrap' }}>{act}</Box>}
    </Box>
  );
}

const requestLine = (requestId: string): ReactNode =>
  requestId === '' ? null : (
    <Typography color="textSecondary">
      Request <code>{requestId}</code>
    </Typography>
  );

/** Which right is missing, and the command with which an administrator grants it. */
export function Forbidden({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  const { missing } = problem;
  return (
    <StateView
      title="You may not see this"
      role="alert"
      act={
        <Button variant="outlined" onClick={onRetry}>
          Try again
        </Button>
      }
    >
      {missing ? (
        <>
          <Typography>
            Kubernetes does not let you <strong>{missing.verb}</strong> <strong>{missing.resource}</strong>
            {missing.namespace ? (
              <>
                {' '}
                in namespace <strong>{missing.namespace}</strong>
              </>
            ) : (
              ' in all namespaces'
            )}
            . Someone who administers it can grant that with:
          </Typography>
          <CopyLine command={missing.grant} label="Copy the command that grants it" />
        </>
      ) : (
        <Typography>{problem.message}</Typography>
      )}
      {requestLine(problem.requestId)}
    </StateView>
  );
}

interface FailingProps {
  error: ApiError;
  what: string;
  onRetry: () => void;
}
/** Nothing could be read: what failed, the request's id, another try. */
export function Failing({ error, what, onRetry }: FailingProps) {
  if (error.status === 403) return <Forbidden problem={error.problem} onRetry={onRetry} />;
  return (
    <StateView
      title={`${what} could not be read`}
      role="alert"
      act={
        <Button variant="outlined" onClick={onRetry}>
          Try again
        </Button>
      }
    >
      <Typography>{error.message}</Typography>
      {requestLine(error.problem.requestId)}
    </StateView>
  );
}

/** Reading fails while older data is on screen: says how old it is. The data itself is greyed by its page. */
export function OldData({ error, readAt, onRetry }: { error: ApiError; readAt: number; onRetry: () => void }) {
  return (
    <Box
      role="alert"
      sx={{
        display: 'flex',
        alignItems: 'center',
        gap: 3,
        flexWrap: 'wrap',
        px: 4,
        py: 1.5,
        borderBottom: 1,
        borderColor: 'divider',
        bgcolor: 'surface.sunken',
      }}
    >
      <Typography sx={{ flex: '1 1 320px' }}>
        <strong>
          Not up to date: read at <Moment at={new Date(readAt).toISOString()} />.
        </strong>{' '}
        {error.message}
        {error.problem.requestId && (
          <>
            {' '}
            Request <code>{error.problem.requestId}</code>.
          </>
        )}
      </Typography>
      <Button variant="outlined" onClick={onRetry}>
        Try again
      </Button>
    </Box>
  );
}
