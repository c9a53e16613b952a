/** One incident: head, tabs with addresses of their own, details beside them; gone, forbidden and old states said plainly. */
import ArrowDownward from '@mui/icons-material/ArrowDownward';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Tab from '@mui/material/Tab';
import Tabs from '@mui/material/Tabs';
import Typography from '@mui/material/Typography';
import { Link, useLocation, useNavigate, useParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useIncident } from '../../api/queries.ts';
import { useActs } from '../../app/acts.ts';
import { type IncidentTabName, incidentPath, incidentsPath } from '../../app/paths.ts';
import { useRefusal } from '../../app/session.tsx';
import { useTitle } from '../../app/use-title.ts';
import { number } from '../../components/number.ts';
import { Failing, Loading, OldData, StateView } from '../../components/StateView.tsx';
import { YamlView } from '../../components/YamlView.tsx';
import { DETAILS_ID, Details } from './Details.tsx';
import { Header } from './Header.tsx';
import { IncidentAlerts } from './IncidentAlerts.tsx';
import { Timeline } from './Timeline.tsx';

const TABS: { id: IncidentTabName; label: string; keys: string }[] = [
  { id: 'timeline', label: 'Timeline', keys: '1' },
  { id: 'alerts', label: 'Alerts', keys: '2' },
  { id: 'yaml', label: 'YAML', keys: '3' },
];

function showDetails(): void {
  const details = document.getElementById(DETAILS_ID);
  details?.scrollIntoView({ block: 'start' });
  details?.focus({ preventScroll: true });
}

export function IncidentPage() {
  const { namespace = '', name = '' } = useParams();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const incident = useIncident(namespace, name);
  const access = useRefusal(namespace, 'incidents', 'patch');
  const tab = TABS.find(({ id }) => pathname.endsWith(`/${id}`))?.id ?? 'timeline';
  useTitle(name);
  useActs([
    ...TABS.map(({ id, label, keys }) => ({
      id: `tab-${id}`,
      title: `${label} of ${name}`,
      section: 'This page' as const,
      keys,
      run: () => void navigate(incidentPath(namespace, name, id)),
    })),
    {
      id: 'back',
      title: 'Back to the incidents',
      section: 'This page',
      keys: 'u',
      run: () => void navigate(incidentsPath(namespace)),
    },
  ]);

  const error = incident.error === null ? undefined : asApiError(incident.error);
  const held = incident.data;
  const retry = () => void incident.refetch();
  if (error?.status === 404 && held === undefined) {
    return (
      <StateView
        title="There is no such incident"
        act={<Link to={incidentsPath(namespace)}>Go to the incidents of {namespace}</Link>}
      >
        <Typography>{error.message}</Typography>
      </StateView>
    );
  }
  if (held === undefined || error?.status === 403)
    return error ? (
      <Failing error={error} what={`Incident ${name}`} onRetry={retry} />
    ) : (
      <Loading label={`Loading ${name}`} />
    );
  // It vanished while it was looked at, and history does not have it: what is on screen is the last that was seen.
  const detail =
    error?.status === 404
      ? { ...held, deletedAt: held.deletedAt ?? new Date(incident.errorUpdatedAt).toISOString() }
      : held;
  const refusal = detail.deletedAt ? 'It was deleted' : access;
  return (
    <>
      {error && error.status !== 404 && <OldData error={error} readAt={incident.dataUpdatedAt} onRetry={retry} />}
      <Box
        sx={{
          flex: 1,
          display: 'flex',
          flexDirection: 'column',
          opacity: error && error.status !== 404 ? 0.7 : 1,
        }}
      >
        <Header detail={detail} refusal={refusal} />
        <Box
          sx={{
            display: 'grid',
            gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) 372px' },
            borderTop: 1,
            borderColor: 'divider',
            flex: 1,
            // The height that is left goes to the columns; where they stand one below the other, to neither.
            alignContent: { xs: 'start', lg: 'stretch' },
          }}
        >
          <Box component="section" aria-label={TABS.find(({ id }) => id === tab)?.label} sx={{ minWidth: 0 }}>
            <Box sx={{ display: 'flex', alignItems: 'center', px: 2, borderBottom: 1, borderColor: 'divider' }}>
              <Tabs value={tab} aria-label="Views of the incident" component="nav">
                {TABS.map(({ id, label }) => (
                  <Tab
                    key={id}
                    value={id}
                    component={Link}
                    to={incidentPath(namespace, name, id)}
                    label={
                      <span>
                        {label}{' '}
                        {id === 'alerts' && (
                          <Box component="span" sx={{ color: 'text.secondary', fontWeight: 400 }}>
                            {number(detail.alertsTotal)}
                          </Box>
                        )}
                      </span>
                    }
                  />
                ))}
              </Tabs>
              <Button
                onClick={showDetails}
                endIcon={<ArrowDownward />}
                // Where the columns stand one below the other, owner and runbook are behind the whole story.
                sx={{ ml: 'auto', display: { lg: 'none' }, '& .MuiButton-endIcon > svg': { fontSize: 16 } }}
              >
                Owner, links
              </Button>
            </Box>
            {tab === 'timeline' && <Timeline detail={detail} />}
            {tab === 'alerts' && <IncidentAlerts detail={detail} />}
            {tab === 'yaml' && <YamlView kind="incidents" namespace={namespace} name={name} isEditable />}
          </Box>
          <Details detail={detail} refusal={refusal} />
        </Box>
      </Box>
    </>
  );
}
