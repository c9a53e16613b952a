/** The banner over the whole width while alerts come in by the inbox: since when, how many wait, and that none is lost. */
import Box from '@mui/material/Box';
import { Link } from 'react-router';
import { Clock } from '../components/Time.tsx';
import { useSpare } from '../live/spare.ts';
import { sourcesPath } from './paths.ts';
import { useNamespace } from './session.tsx';
import { spareWords } from './spare-words.ts';

export function SpareBanner() {
  const spare = useSpare();
  const { shown } = useNamespace();
  const words = spare === undefined ? undefined : spareWords(spare);
  return (
    <Box
      sx={
        words && {
          px: 4,
          py: 1.5,
          bgcolor: 'warning.main',
          color: 'background.default',
          // From the other banner, which may stand above it.
          borderTop: 1,
          '& a': { color: 'inherit', whiteSpace: 'nowrap' },
        }
      }
    >
      <Box component="span" role="status" aria-label="Alerts coming in" sx={{ fontWeight: 500 }}>
        {spare !== undefined && words !== undefined && (
          <>
            {words.what} since <Clock at={spare.since} />
            {words.stillTrue}
          </>
        )}
      </Box>
      {/* Outside of what is read out when it changes: it changes every few seconds. */}
      {words !== undefined && ` ${words.waiting} `}
      {spare !== undefined && spare.why !== 'bothAway' && (
        <Link to={sourcesPath(shown, { sort: 'inbox' })}>Which sources</Link>
      )}
    </Box>
  );
}
