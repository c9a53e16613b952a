/** What surrounds every page: theme, cache, messages, routes. */
import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { RouterProvider } from 'react-router/dom';
import { whenSignedOut } from '../api/client.ts';
import { createQueryClient } from '../api/queries.ts';
import { ToastProvider } from '../components/Toasts.tsx';
import { signInPath } from './return-path.ts';
import { createRoutes } from './routes.tsx';
import { SCHEME_KEY, theme } from './theme.ts';

const client = createQueryClient();
const router = createRoutes();

whenSignedOut(() => {
  const { pathname, search } = router.state.location;
  if (pathname === '/sign-in') return;
  void router.navigate(signInPath(`${pathname}${search}`), { replace: true });
});

export function App() {
  return (
    <StrictMode>
      <ThemeProvider theme={theme} modeStorageKey={SCHEME_KEY} defaultMode="system" noSsr disableTransitionOnChange>
        <CssBaseline />
        <QueryClientProvider client={client}>
          <ToastProvider>
            <RouterProvider router={router} />
          </ToastProvider>
        </QueryClientProvider>
      </ThemeProvider>
    </StrictMode>
  );
}
