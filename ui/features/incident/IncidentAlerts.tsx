/** The alerts of an incident: each says why it is here and where to look. */
import type { IncidentDetail } from '@funnelai/domain/wire';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { Link } from 'react-router';
import { alertsPath } from '../../app/paths.ts';
import { number } from '../../components/number.ts';
import { StateView } from '../../components/StateView.tsx';
import { AlertTable } from '../alerts/AlertTable.tsx';
import { FoldedNote } from '../alerts/FoldedNote.tsx';
import { PAGE_SIZE } from '../lists/limits.ts';

export function IncidentAlerts({ detail }: { detail: IncidentDetail }) {
  const { namespace, name } = detail.item;
  // All at once a storm's rows would keep the browser busy for seconds.
  const [limit, setLimit] = useState(PAGE_SIZE);
  const shown = detail.alerts.slice(0, limit);
  if (detail.alerts.length === 0) {
    return (
      <StateView title="No alerts belong to it">
        <Typography color="textSecondary">
          {detail.item.mergedInto !== undefined
            ? `Its alerts are in ${detail.item.mergedInto}, into which it was merged.`
            : detail.incident.spec.origin === undefined
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
        shown={shown.filter(({ foldedInto }) => foldedInto !== undefined).length}
        message={truncated?.status === 'True' ? sentence(truncated.message) : undefined}
      />
      {detail.alertsTotal > shown.length && (
        <Typography color="textSecondary" sx={{ px: 4, py: 2 }}>
          The {number(shown.length)} most urgent of {number(detail.alertsTotal)}.{' '}
          <Link to={alertsPath(namespace, { incident: name })}>The list of alerts</Link> searches and filters all that
          are in the cluster.
        </Typography>
      )}
      <AlertTable
        rows={shown.map((item) => ({ item, isGone: false }))}
        showsNamespace={false}
        showsIncident={false}
        showsWhy
        isDimmed={false}
      />
      {shown.length < detail.alerts.length && (
        <Button onClick={() => setLimit(limit + PAGE_SIZE)} sx={{ mx: 2, my: 2 }}>
          Show more
        </Button>
      )}
    </>
  );
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
