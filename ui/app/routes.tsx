/** Which address shows which page. Pages are loaded when they are first wanted. */
import { createBrowserRouter, Navigate, type RouteObject } from 'react-router';
import { Frame } from './Frame.tsx';
import { PageFailure } from './PageFailure.tsx';

/** Nothing, for the moment in which a page's file is fetched. */
const Blank = () => null;

const incidentTabs = ['timeline', 'alerts', 'yaml'] as const;

const pages: RouteObject[] = [
  { index: true, element: <Navigate to="/incidents" replace /> },
  {
    path: 'incidents',
    lazy: async () => ({ Component: (await import('../features/incidents/IncidentsPage.tsx')).IncidentsPage }),
  },
  {
    path: 'incidents/:namespace/:name',
    lazy: async () => ({ Component: (await import('../features/incident/IncidentPage.tsx')).IncidentPage }),
    children: [{ index: true }, ...incidentTabs.map((path) => ({ path }))],
  },
  { path: 'alerts', lazy: async () => ({ Component: (await import('../features/alerts/AlertsPage.tsx')).AlertsPage }) },
  {
    path: 'alerts/:namespace/:name',
    lazy: async () => ({ Component: (await import('../features/alert/AlertPage.tsx')).AlertPage }),
  },
  {
    path: 'sources',
    lazy: async () => ({ Component: (await import('../features/sources/SourcesPage.tsx')).SourcesPage }),
  },
  {
    path: 'sources/:namespace/:name',
    lazy: async () => ({ Component: (await import('../features/source/SourcePage.tsx')).SourcePage }),
  },
  { path: 'rules', lazy: async () => ({ Component: (await import('../features/rules/RulesPage.tsx')).RulesPage }) },
  {
    path: 'rules/:namespace/:name',
    lazy: async () => ({ Component: (await import('../features/rule/RulePage.tsx')).RulePage }),
  },
  { path: '*', lazy: async () => ({ Component: (await import('./NotFound.tsx')).NotFound }) },
];

export function createRoutes(): ReturnType<typeof createBrowserRouter> {
  return createBrowserRouter([
    {
      path: '/sign-in',
      lazy: async () => ({ Component: (await import('../features/sign-in/SignInPage.tsx')).SignInPage }),
      ErrorBoundary: PageFailure,
      HydrateFallback: Blank,
    },
    {
      path: '/',
      Component: Frame,
      ErrorBoundary: PageFailure,
      HydrateFallback: Blank,
      children: [{ ErrorBoundary: PageFailure, children: pages }],
    },
  ]);
}
