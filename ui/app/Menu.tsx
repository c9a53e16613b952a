/** The menu of pages that exist: a rail on the left, a strip at the foot of a narrow screen. */
import AltRoute from '@mui/icons-material/AltRoute';
import NotificationsNone from '@mui/icons-material/NotificationsNone';
import ReportGmailerrorred from '@mui/icons-material/ReportGmailerrorred';
import Sensors from '@mui/icons-material/Sensors';
import Box from '@mui/material/Box';
import { NavLink } from 'react-router';
import { alertsPath, incidentsPath, rulesPath, sourcesPath } from './paths.ts';
import { useNamespace } from './session.tsx';

const item = {
  display: 'flex',
  alignItems: 'center',
  // Four of them stand side by side at the foot of a phone.
  gap: { xs: 1, md: 2 },
  minHeight: 36,
  px: { xs: 1.5, md: 3 },
  fontSize: { xs: '0.75rem', md: '0.8125rem' },
  borderRadius: 1,
  color: 'text.secondary',
  textDecoration: 'none',
  '&:hover': { bgcolor: 'surface.hover' },
  '&.active': { color: 'text.primary', fontWeight: 600, bgcolor: 'surface.selected' },
  '& svg': { fontSize: 18, '@media (max-width: 359px)': { display: 'none' } },
};

export function Menu({ unacknowledged }: { unacknowledged: number }) {
  const { shown } = useNamespace();
  return (
    <Box
      component="nav"
      aria-label="Pages"
      sx={{
        position: { xs: 'fixed', md: 'sticky' },
        top: { md: 'var(--funnelai-top, 48px)' },
        bottom: { xs: 0, md: 'auto' },
        left: 0,
        right: { xs: 0, md: 'auto' },
        zIndex: 10,
        alignSelf: 'flex-start',
        display: 'flex',
        flexDirection: { xs: 'row', md: 'column' },
        justifyContent: { xs: 'space-around', md: 'flex-start' },
        gap: 0.5,
        width: { md: 168 },
        minHeight: { md: 'calc(100dvh - var(--funnelai-top, 48px))' },
        p: { xs: 1, md: 2 },
        bgcolor: { xs: 'background.paper', md: 'surface.sunken' },
        borderRight: { md: 1 },
        borderTop: { xs: 1, md: 0 },
        borderColor: { xs: 'divider', md: 'divider' },
      }}
    >
      <Box component={NavLink} to={incidentsPath(shown)} sx={item}>
        <ReportGmailerrorred aria-hidden />
        Incidents
        {unacknowledged > 0 && (
          <Box
            component="span"
            aria-label={`${unacknowledged} unacknowledged`}
            sx={{ ml: 'auto', fontWeight: 600, color: 'text.primary' }}
          >
            {unacknowledged}
          </Box>
        )}
      </Box>
      <Box component={NavLink} to={alertsPath(shown)} sx={item}>
        <NotificationsNone aria-hidden />
        Alerts
      </Box>
      <Box component={NavLink} to={sourcesPath(shown)} sx={item}>
        <Sensors aria-hidden />
        Sources
      </Box>
      <Box component={NavLink} to={rulesPath(shown)} sx={item}>
        <AltRoute aria-hidden />
        Rules
      </Box>
    </Box>
  );
}
