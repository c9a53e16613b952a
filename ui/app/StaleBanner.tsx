/** The banner over the whole width while nothing is live: since when, and what happens instead. */
import Box from '@mui/material/Box';
import { useEffect, useState } from 'react';
import { FALLBACK_EVERY_MS } from '../api/queries.ts';
import { Moment } from '../components/Time.tsx';
import { useLiveStatus } from '../live/status.ts';

/** A connection that is back within this was never away for a reader. */
const GRACE_MS = 1_000;

export function StaleBanner() {
  const status = useLiveStatus();
  const isDown = status.state === 'down';
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (!isDown) return setShown(false);
    const timer = setTimeout(() => setShown(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, [isDown]);
  return (
    <Box role="status" aria-label="Live updates">
      {isShown && status.state === 'down' && (
        <Box sx={{ px: 4, py: 1.5, bgcolor: 'warning.main', color: 'background.default', fontWeight: 500 }}>
          Not live since <Moment at={new Date(status.since).toISOString()} />: the stream of changes is down. Connecting
          again; until then everything here is read every {FALLBACK_EVERY_MS / 1000} s.
        </Box>
      )}
    </Box>
  );
}
