/** One word for whether the page follows the cluster; details are in its tooltip and, when it matters, in the banner. */
import Box from '@mui/material/Box';
import Tooltip from '@mui/material/Tooltip';
import { useLiveStatus } from '../live/status.ts';

const WORDS = { live: 'live', connecting: 'connecting', down: 'not live', forbidden: 'no access' } as const;
const MEANING = {
  live: 'Changes in the cluster are on this page within a second',
  connecting: 'Connecting to the stream of changes',
  forbidden: 'Kubernetes does not let you watch incidents or alerts here, so nothing can be live',
  down: 'The stream of changes is down; everything is read every 15 s',
} as const;

export function LiveIndicator() {
  const { state } = useLiveStatus();
  return (
    <Tooltip title={MEANING[state]}>
      <Box
        component="span"
        data-testid="live"
        sx={{
          display: 'inline-flex',
          alignItems: 'center',
          gap: 1.5,
          whiteSpace: 'nowrap',
          color: state === 'live' ? 'meaning.live' : 'text.secondary',
        }}
      >
        <svg width="8" height="8" viewBox="0 0 8 8" aria-hidden="true">
          <circle
            cx="4"
            cy="4"
            r="3"
            fill={state === 'live' ? 'currentColor' : 'none'}
            stroke="currentColor"
            strokeWidth="1.5"
          />
        </svg>
        {WORDS[state]}
      </Box>
    </Tooltip>
  );
}
