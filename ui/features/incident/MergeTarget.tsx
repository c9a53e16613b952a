/** An incident that may take over, told apart from others of the same title: its name, how far it is, whose it is, what fires. */
import type { IncidentItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import { number } from '../../components/number.ts';
import { PhaseMark } from '../../components/PhaseMark.tsx';
import { SeverityShape } from '../../components/SeverityMark.tsx';
import { Age } from '../../components/Time.tsx';

/** More of a title tells nobody more. */
const LINES = { display: '-webkit-box', WebkitLineClamp: 3, WebkitBoxOrient: 'vertical', overflow: 'hidden' } as const;

export function MergeTarget({ item, showsNamespace }: { item: IncidentItem; showsNamespace: boolean }) {
  const { namespace, name, title, severity, phase, createdAt, owner, alerts } = item;
  return (
    <Box sx={{ display: 'flex', gap: 2, minWidth: 0, width: '100%', '& > svg': { mt: '3px' } }}>
      <SeverityShape severity={severity} />
      <Box sx={{ minWidth: 0, overflowWrap: 'anywhere', flex: 1 }}>
        <Box dir="auto" sx={LINES}>
          {title}
        </Box>
        <Box
          sx={{
            display: 'flex',
            flexWrap: 'wrap',
            columnGap: 3,
            alignItems: 'center',
            color: 'text.secondary',
            fontSize: '0.75rem',
          }}
        >
          <code>{showsNamespace ? `${namespace}/${name}` : name}</code>
          <PhaseMark phase={phase} />
          <span>
            opened <Age at={createdAt} suffix=" ago" />
          </span>
          <span>{number(alerts.firing)} firing</span>
          <span>
            owner: <bdi>{owner ?? 'nobody'}</bdi>
          </span>
        </Box>
      </Box>
    </Box>
  );
}
