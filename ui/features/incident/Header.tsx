/** The head of an incident's page: how bad, what, where it stands, the next move, and the red line while nobody is paged. */
import { isOpen } from '@funnelai/domain/lifecycle';
import type { IncidentDetail } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { Link } from 'react-router';
import { incidentPath } from '../../app/paths.ts';
import { useSession } from '../../app/session.tsx';
import { clearedInWords, expiredInWords } from '../../components/alert-counts.ts';
import { CopyIcon } from '../../components/CopyLine.tsx';
import { Reasoned } from '../../components/Reasoned.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Dated } from '../../components/Time.tsx';
import { MoveButtons } from './MoveButtons.tsx';
import { MoveDialog } from './MoveDialog.tsx';
import { Stepper } from './Stepper.tsx';
import { TextInPlace } from './TextInPlace.tsx';
import { useField } from './use-field.ts';

const NOTE = { p: 2, border: 1, borderColor: 'divider', borderRadius: 1, bgcolor: 'surface.sunken' } as const;

export function Header({ detail, refusal }: { detail: IncidentDetail; refusal: string | undefined }) {
  const { item } = detail;
  const { me } = useSession();
  const title = useField(item, 'title');
  const [isResolving, setResolving] = useState(false);
  const isGone = detail.deletedAt !== undefined;
  const nobodyPaged = !isGone && !me.paging && item.phase === 'Detection';
  const proposesResolve = !isGone && item.alertsCleared && (item.phase === 'Response' || item.phase === 'Mitigation');
  const silence = !isGone && isOpen(item.phase) ? expiredInWords(item.alerts) : undefined;
  return (
    <Box component="header" sx={{ px: 4, pt: 3, pb: 2, display: 'grid', gap: 2 }}>
      {isGone && (
        <Box role="status" sx={NOTE}>
          <strong>Deleted from the cluster</strong> <Dated at={detail.deletedAt ?? ''} />. What follows is its history;
          nothing here can be changed any more.
        </Box>
      )}
      <Box sx={{ display: 'flex', flexDirection: { xs: 'column', md: 'row' }, gap: 3, alignItems: 'flex-start' }}>
        <Box sx={{ flex: 1, minWidth: 0, display: 'grid', gap: 0.5 }}>
          <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 3 }}>
            <SeverityMark severity={item.severity} size={16} />
            {item.priority && <span>{item.priority}</span>}
            <Box sx={{ display: 'flex', alignItems: 'center', gap: 0.5, minWidth: 0 }}>
              <Box component="code" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
                {item.name}
              </Box>
              <CopyIcon text={item.name} label="Copy the name" />
            </Box>
            {item.demo && (
              <Box component="span" sx={{ color: 'text.secondary' }}>
                demo
              </Box>
            )}
          </Box>
          <Box sx={{ fontSize: '1.125rem', fontWeight: 600, lineHeight: 1.35 }}>
            <TextInPlace label="Title" value={item.title} field={title} refusal={refusal}>
              <Typography variant="h1" component="h1" dir="auto">
                {item.title}
              </Typography>
            </TextInPlace>
          </Box>
        </Box>
        {!isGone && <MoveButtons detail={detail} refusal={refusal} />}
      </Box>
      <Stepper detail={detail} />
      {item.mergedInto !== undefined && (
        <Box role="status" sx={NOTE}>
          <strong>Merged</strong> into <Link to={incidentPath(item.namespace, item.mergedInto)}>{item.mergedInto}</Link>
          {isGone ? '.' : ', which has its alerts now. Go on there; opening this one again takes them back.'}
        </Box>
      )}
      {nobodyPaged && (
        <Box role="alert" sx={{ color: 'error.main', fontWeight: 600 }}>
          Nobody is being paged: no escalation policy.
        </Box>
      )}
      {proposesResolve && (
        <Box role="status" sx={{ ...NOTE, display: 'flex', alignItems: 'center', gap: 3, flexWrap: 'wrap' }}>
          <span>{clearedInWords(item.alerts)}</span>
          <Reasoned reason={refusal}>
            <Button variant="outlined" onClick={() => setResolving(true)}>
              Resolve it
            </Button>
          </Reasoned>
        </Box>
      )}
      {silence !== undefined && (
        <Box role="status" sx={NOTE}>
          {silence}
        </Box>
      )}
      {isResolving && (
        <MoveDialog
          item={item}
          to="Resolution"
          resolution={detail.incident.spec.resolution}
          onClose={() => setResolving(false)}
        />
      )}
    </Box>
  );
}
