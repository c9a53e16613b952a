/** The first page's card after `npm start`: four lines to copy. Once dismissed it stays away, and the palette brings it back. */
import Close from '@mui/icons-material/Close';
import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { useActs } from '../../app/acts.ts';
import { useSession } from '../../app/session.tsx';
import { CopyLine } from '../../components/CopyLine.tsx';

const KEY = 'funnelai.welcome.dismissed';

const isRemembered = (): boolean => {
  try {
    return localStorage.getItem(KEY) === 'yes';
  } catch {
    return false;
  }
};

export function WelcomeCard() {
  const { welcome } = useSession().me;
  const [isDismissed, setDismissed] = useState(isRemembered);
  const dismiss = (value: boolean) => {
    setDismissed(value);
    try {
      localStorage.setItem(KEY, value ? 'yes' : 'no');
    } catch {
      // Without storage it is back after a reload.
    }
  };
  useActs(
    welcome
      ? [{ id: 'welcome', title: 'Show the first commands to try', section: 'Help', run: () => dismiss(false) }]
      : [],
  );
  if (welcome === undefined || isDismissed) return null;
  return (
    <Box
      component="section"
      aria-labelledby="welcome"
      sx={{ m: 4, mb: 1, p: 4, pt: 2, border: 1, borderColor: 'divider', borderRadius: 1, display: 'grid', gap: 2 }}
    >
      <Box sx={{ display: 'flex', alignItems: 'center' }}>
        <Typography variant="h2" id="welcome">
          Try it from a shell
        </Typography>
        <IconButton aria-label="Dismiss this card" onClick={() => dismiss(true)} sx={{ ml: 'auto' }}>
          <Close fontSize="small" />
        </IconButton>
      </Box>
      <Box
        component="ol"
        sx={{
          m: 0,
          p: 0,
          listStyle: 'none',
          display: 'grid',
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'max-content minmax(0, 1fr)' },
          columnGap: 4,
          rowGap: 2,
        }}
      >
        {welcome.lines.map(({ label, command }) => (
          <Box component="li" key={label} sx={{ display: 'contents' }}>
            <Typography sx={{ py: { md: 1.5 } }}>{label}</Typography>
            <CopyLine command={command} label={`Copy: ${label}`} isShortWhenNarrow />
          </Box>
        ))}
      </Box>
    </Box>
  );
}
