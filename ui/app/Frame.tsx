/** The frame around every page behind sign-in: bar, menu, banner, palette, keys; it knows who is signed in before any page shows. */
import Box from '@mui/material/Box';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Outlet, ScrollRestoration, useLocation, useNavigate } from 'react-router';
import { keys } from '../api/keys.ts';
import { asApiError } from '../api/problem.ts';
import { useIncidents, useMe, useNamespaces } from '../api/queries.ts';
import { Failing, Loading } from '../components/StateView.tsx';
import { useToast } from '../components/Toasts.tsx';
import { parseFilter, toQuery } from '../features/incidents/url.ts';
import { KeysDialog } from '../features/palette/KeysDialog.tsx';
import { Palette } from '../features/palette/Palette.tsx';
import { useLive } from '../live/use-live.ts';
import { listenForKeys, useActs } from './acts.ts';
import { Bar } from './Bar.tsx';
import { Menu } from './Menu.tsx';
import { alertsPath, incidentsPath, rulesPath, sourcesPath } from './paths.ts';
import { useSchemeActs } from './SchemeSwitch.tsx';
import { SEARCH_ID } from './SearchField.tsx';
import { SpareBanner } from './SpareBanner.tsx';
import { StaleBanner } from './StaleBanner.tsx';
import { type Session, SessionProvider, useNamespace, useSession } from './session.tsx';
import { Top } from './Top.tsx';
import { useUnacknowledgedInTitle } from './use-title.ts';

/** Reads who is here; a 401 leads to the sign-in page by itself. */
export function Frame() {
  const me = useMe();
  const namespaces = useNamespaces();
  const client = useQueryClient();
  const user = me.data?.user;
  const before = useRef(user);
  useEffect(() => {
    // Another tab has signed in as someone else: what is on screen was read by whoever was here before.
    if (before.current !== undefined && before.current !== user)
      void client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] });
    before.current = user;
  }, [client, user]);
  const failed = me.error ?? namespaces.error;
  if (me.data !== undefined && namespaces.data !== undefined)
    return <Inside session={{ me: me.data, namespaces: namespaces.data }} />;
  if (failed !== null && asApiError(failed).status !== 401) {
    const retry = () => {
      void me.refetch();
      void namespaces.refetch();
    };
    return (
      <Box component="main">
        <Failing error={asApiError(failed)} what="Who you are" onRetry={retry} />
      </Box>
    );
  }
  return <Loading label="Loading funnelAI" />;
}

function Inside({ session }: { session: Session }) {
  return (
    <SessionProvider value={session}>
      <Shell />
    </SessionProvider>
  );
}

/** Counts of all tabs come with any page of the list: one row is enough. */
const counting = { ...parseFilter(new URLSearchParams('tab=unacknowledged')), limit: 1 };

function Shell() {
  const { me, namespaces } = useSession();
  const namespace = useNamespace();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const toast = useToast();
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const [isKeysOpen, setKeysOpen] = useState(false);

  const counts = useIncidents(toQuery(counting, namespace.asked));
  useUnacknowledgedInTitle(counts.data?.tabs.unacknowledged ?? 0);
  // Who may read all namespaces hears about all, so that tabs on different ones share the one stream.
  useLive(
    namespaces.all ? '' : (/^\/(?:incidents|alerts|sources|rules)\/([^/]+)\//.exec(pathname)?.[1] ?? namespace.shown),
    me.user,
  );

  useActs([
    {
      id: 'go-incidents',
      title: 'Incidents',
      section: 'Go to',
      keys: 'g i',
      run: () => void navigate(incidentsPath(namespace.shown)),
    },
    {
      id: 'go-mine',
      title: 'My incidents',
      section: 'Go to',
      keys: 'g m',
      run: () => void navigate(incidentsPath(namespace.shown, { tab: 'mine' })),
    },
    {
      id: 'go-unacknowledged',
      title: 'Unacknowledged incidents',
      section: 'Go to',
      keys: 'g u',
      run: () => void navigate(incidentsPath(namespace.shown, { tab: 'unacknowledged' })),
    },
    {
      id: 'go-alerts',
      title: 'Alerts',
      section: 'Go to',
      keys: 'g a',
      run: () => void navigate(alertsPath(namespace.shown)),
    },
    {
      id: 'go-sources',
      title: 'Sources',
      section: 'Go to',
      keys: 'g s',
      run: () => void navigate(sourcesPath(namespace.shown)),
    },
    {
      id: 'go-rules',
      title: 'Rules',
      section: 'Go to',
      keys: 'g r',
      run: () => void navigate(rulesPath(namespace.shown)),
    },
    {
      id: 'search',
      title: 'Search',
      section: 'Go to',
      keys: '/',
      run: () => document.getElementById(SEARCH_ID)?.focus(),
    },
    {
      id: 'undo',
      title: 'Undo what was just done',
      section: 'Act',
      keys: 'z',
      ...(toast.offered ? {} : { disabled: 'Nothing to undo: it is offered for ten seconds' }),
      run: () => toast.offered?.(),
    },
    { id: 'keys', title: 'Keys', section: 'Help', keys: '?', run: () => setKeysOpen(true) },
    ...useSchemeActs(),
  ]);
  useEffect(() => listenForKeys(), []);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);

  return (
    <Box sx={{ minHeight: '100dvh', display: 'flex', flexDirection: 'column' }}>
      <Box
        component="a"
        href="#main"
        sx={{
          position: 'absolute',
          left: -9999,
          zIndex: 2000,
          bgcolor: 'background.paper',
          p: 2,
          '&:focus': { left: 8, top: 8 },
        }}
      >
        Skip to the page
      </Box>
      <Top>
        <Bar onPalette={() => setPaletteOpen(true)} />
        <StaleBanner />
        <SpareBanner />
      </Top>
      <Box sx={{ display: 'flex', flex: 1, minWidth: 0 }}>
        <Menu unacknowledged={counts.data?.tabs.unacknowledged ?? 0} />
        <Box
          component="main"
          id="main"
          tabIndex={-1}
          sx={{
            flex: 1,
            minWidth: 0,
            outline: 'none',
            display: 'flex',
            flexDirection: 'column',
            pb: { xs: 16, md: 0 },
          }}
        >
          <Outlet />
        </Box>
      </Box>
      {isPaletteOpen && <Palette onClose={() => setPaletteOpen(false)} />}
      {isKeysOpen && <KeysDialog onClose={() => setKeysOpen(false)} />}
      <ScrollRestoration />
    </Box>
  );
}
