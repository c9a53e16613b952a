/** The list without rows: because this tab is empty, or because nothing has happened yet. */

import type { IncidentPage } from '@funnelai/domain/wire';
import Typography from '@mui/material/Typography';
import { useSession } from '../../app/session.tsx';
import { CopyLine } from '../../components/CopyLine.tsx';
import { StateView } from '../../components/StateView.tsx';
import type { Tab } from './url.ts';

const CALM: Record<Tab, string> = {
  open: 'No incident is open',
  mine: 'No open incident is yours',
  unacknowledged: 'Every incident has been acknowledged',
  postmortem: 'No post-mortem is due',
  closed: 'No incident has been closed yet',
};

interface NoIncidentsProps {
  tab: Tab;
  page: IncidentPage;
  namespace: string | undefined;
}

export function NoIncidents({ tab, page, namespace }: NoIncidentsProps) {
  const { me } = useSession();
  if (page.tabs.all > 0) {
    return (
      <StateView title={CALM[tab]}>
        <Typography color="textSecondary">
          {page.tabs.open} open and {page.tabs.closed} closed{' '}
          {namespace === undefined ? 'in all namespaces' : `in ${namespace}`}.
        </Typography>
      </StateView>
    );
  }
  const send = me.welcome?.lines.find((line) => line.command.startsWith('curl'))?.command;
  return (
    <StateView title="No incidents yet">
      <Typography>
        Alerts that belong together become one incident here, and people run it from detection to its end. To see the
        first one, send an alert
        {namespace === undefined ? '' : ` into ${namespace}`}, or declare an incident.
        {send === undefined && ' This command lists the entrances for alerts:'}
      </Typography>
      {send ? (
        <CopyLine command={send} label="Copy the command that sends an alert" />
      ) : (
        <CopyLine
          command={`kubectl get alertsources.funnelai.dev ${namespace === undefined ? '-A' : `-n ${namespace}`}`}
          label="Copy the command that lists the entrances for alerts"
        />
      )}
    </StateView>
  );
}
