/** The alerts of an incident: each says why it is here and where to look. */
import type { IncidentDetail } from '@funnelai/domain/wire';
import Typography from '@mui/material/Typography';
import { StateView } from '../../components/StateView.tsx';
import { AlertTable } from '../alerts/AlertTable.tsx';
import { FoldedNote } from '../alerts/FoldedNote.tsx';

export function IncidentAlerts({ detail }: { detail: IncidentDetail }) {
  if (detail.alerts.length === 0) {
    return (
      <StateView title="No alerts belong to it">
        <Typography color="textSecondary">
          {detail.incident.spec.origin === undefined
            ? 'It was declared by a person. An incident that never had an alert stays open until someone resolves it.'
            : 'Its alerts have left the cluster; the timeline has them while history can be read.'}
        </Typography>
      </StateView>
    );
  }
  const truncated = detail.incident.status?.conditions?.find(({ type }) => type === 'AlertsTruncated');
  return (
    <>
      <FoldedNote
        folded={detail.folded}
        shown={detail.alerts.filter(({ foldedInto }) => foldedInto !== undefined).length}
        message={truncated?.status === 'True' ? sentence(truncated.message) : undefined}
      />
      <AlertTable
        rows={detail.alerts.map((item) => ({ item, isGone: false }))}
        showsNamespace={false}
        showsIncident={false}
        showsWhy
        isDimmed={false}
      />
    </>
  );
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
