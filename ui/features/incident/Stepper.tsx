/** The phases in their fixed order with the time spent in each, and the one clock of the page that ticks. */
import { PHASES, shownAs } from '@funnelai/domain/lifecycle';
import type { IncidentDetail } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import { duration } from '../../components/instant-words.ts';
import { PhaseShape } from '../../components/PhaseMark.tsx';
import { useNow } from '../../components/use-now.ts';
import { phaseSpans } from './spans.ts';

export function Stepper({ detail }: { detail: IncidentDetail }) {
  const ticking = useNow(1_000);
  const { item } = detail;
  // What was deleted runs no longer.
  const now = detail.deletedAt === undefined ? ticking : Date.parse(detail.deletedAt);
  const spans = phaseSpans(detail.timeline, item, now);
  const isOver =
    item.phase === 'Closed' ||
    item.phase === 'Resolution' ||
    item.phase === 'Postmortem' ||
    detail.deletedAt !== undefined;
  const current = PHASES.indexOf(item.phase);
  const shown = PHASES.filter(
    (phase) => phase !== 'Postmortem' || item.phase === 'Postmortem' || spans.Postmortem !== undefined,
  );
  const running = (spans.Detection ?? 0) + (spans.Response ?? 0) + (spans.Mitigation ?? 0);
  return (
    <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 2, rowGap: 1 }}>
      <Box
        component="ol"
        aria-label="Phases"
        sx={{
          display: 'flex',
          flexWrap: 'wrap',
          alignItems: 'center',
          m: 0,
          p: 0,
          listStyle: 'none',
          columnGap: { xs: 2, sm: 0 },
          rowGap: 1,
        }}
      >
        {shown.map((phase, i) => {
          const isCurrent = phase === item.phase;
          const isPast = PHASES.indexOf(phase) < current && spans[phase] !== undefined;
          return (
            <Box
              component="li"
              key={phase}
              aria-current={isCurrent ? 'step' : undefined}
              sx={{
                display: 'flex',
                alignItems: 'center',
                gap: 1.5,
                color: isCurrent ? 'primary.main' : isPast ? 'text.primary' : 'text.secondary',
                fontWeight: isCurrent ? 600 : 400,
              }}
            >
              {i > 0 && (
                <Box
                  aria-hidden
                  sx={{ display: { xs: 'none', sm: 'block' }, width: 20, height: '1px', bgcolor: 'divider', mx: 1 }}
                />
              )}
              <PhaseShape phase={phase} />
              {shownAs(phase)}
              {spans[phase] !== undefined && (
                <Box component="span" sx={{ color: 'text.secondary', fontWeight: 400 }}>
                  {duration(spans[phase] ?? 0)}
                </Box>
              )}
            </Box>
          );
        })}
      </Box>
      <Box sx={{ ml: { md: 'auto' }, color: 'text.secondary' }}>
        {isOver ? 'ran for' : ''}{' '}
        <Box component="span" sx={{ color: 'text.primary', fontWeight: 600 }}>
          {duration(running)}
        </Box>{' '}
        {isOver ? '' : 'running'}
      </Box>
    </Box>
  );
}
