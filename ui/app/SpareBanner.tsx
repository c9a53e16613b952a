/** The banner over the whole width while alerts come in by the inbox, or some do not, or Postgres is away: since when, and what is still true. */
import Box from '@mui/material/Box';
import { Link } from 'react-router';
import { Moment } from '../components/Time.tsx';
import { useSpare } from '../live/spare.ts';
import { sourcesPath } from './paths.ts';
import { useNamespace } from './session.tsx';
import { type SpareWords, spareWords } from './spare-words.ts';

const LISTS: Readonly<Record<NonNullable<SpareWords['look']>, Record<string, string>>> = {
  waiting: { sort: 'inbox' },
  refused: { traffic: 'Refused' },
};

export function SpareBanner() {
  const spare = useSpare();
  const { shown } = useNamespace();
  const words = spare === undefined ? undefined : spareWords(spare);
  return (
    <Box
      // What is outside of the status, the count and the link, belongs to something, too.
      role={words && 'region'}
      aria-label={words && 'About the alerts that come in'}
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
            {words.what} since <Moment at={spare.since} />
            {words.stillTrue}
          </>
        )}
      </Box>
      {/* Outside of what is read out when it changes: it changes every few seconds. */}
      {words !== undefined && ` ${words.waiting} `}
      {words?.look !== undefined && <Link to={sourcesPath(shown, LISTS[words.look])}>Which sources</Link>}
    </Box>
  );
}
