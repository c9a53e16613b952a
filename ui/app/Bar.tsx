/** The bar on top: home, search, whether it is live, the namespace, the colour scheme, who is signed in. */
import MoreVert from '@mui/icons-material/MoreVert';
import Search from '@mui/icons-material/Search';
import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { Link } from 'react-router';
import { LiveIndicator } from './LiveIndicator.tsx';
import { NamespaceSelect } from './NamespaceSelect.tsx';
import { PersonMenu } from './PersonMenu.tsx';
import { SchemeSwitch } from './SchemeSwitch.tsx';
import { SearchField } from './SearchField.tsx';

export function Bar({ onPalette }: { onPalette: () => void }) {
  return (
    <Box
      component="header"
      sx={{
        display: 'flex',
        alignItems: 'center',
        flexWrap: { xs: 'wrap', sm: 'nowrap' },
        columnGap: { xs: 2, sm: 3 },
        minHeight: 48,
        px: { xs: 2, sm: 4 },
        py: { xs: 1, sm: 0 },
        bgcolor: 'background.default',
        borderBottom: 1,
        borderColor: 'divider',
      }}
    >
      <Box
        component={Link}
        to="/incidents"
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: 2,
          fontWeight: 600,
          fontSize: '0.9375rem',
          color: 'text.primary',
          textDecoration: 'none',
          minWidth: { md: 152 },
        }}
      >
        <svg width="18" height="18" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M1.5 2h13L9.6 8.4V13l-3.2 1.6V8.4z" fill="var(--mui-palette-primary-main)" />
        </svg>
        funnelAI
      </Box>
      <Box sx={{ order: { xs: 3, sm: 0 }, flex: { xs: '1 1 100%', sm: '1 1 auto' }, maxWidth: { sm: 480 } }}>
        <SearchField />
      </Box>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: { xs: 1, sm: 2 }, ml: 'auto', minWidth: 0 }}>
        <LiveIndicator />
        <NamespaceSelect />
        <Tooltip title="Places and acts (Ctrl K)">
          <IconButton aria-label="Open the palette of places and acts" onClick={onPalette}>
            <MoreVert fontSize="small" sx={{ display: { sm: 'none' } }} />
            <Search fontSize="small" sx={{ display: { xs: 'none', sm: 'block' } }} />
          </IconButton>
        </Tooltip>
        {/* A phone has no room for both, and the palette has the colours, too. */}
        <Box sx={{ display: { xs: 'none', sm: 'block' } }}>
          <SchemeSwitch />
        </Box>
        <PersonMenu />
      </Box>
    </Box>
  );
}
