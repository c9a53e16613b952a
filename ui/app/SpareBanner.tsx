/** The banner over the whole width while alerts come in by the inbox: since when, how many wait, and that none is lost. */
import Box from '@mui/material/Box';
import { Clock } from '../components/Time.tsx';
import { useSpare } from '../live/spare.ts';
import { spareWords } from './spare-words.ts';

export function SpareBanner() {
  const spare = useSpare();
  const words = spare === undefined ? undefined : spareWords(spare);
  return (
    <Box role="status" aria-label="Alerts coming in">
      {spare !== undefined && words !== undefined && (
        <Box sx={{ px: 4, py: 1.5, bgcolor: 'warning.main', color: 'background.default', fontWeight: 500 }}>
          {words.before} since <Clock at={spare.since} />
          {words.after}
        </Box>
      )}
    </Box>
  );
}
