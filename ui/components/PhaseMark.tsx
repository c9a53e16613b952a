/** A phase as icon and word, in the fixed order of the workflow: an open ring that fills as the incident comes under control. */
import type { Phase } from '@funnelai/crds/generated/types';
import { shownAs } from '@funnelai/domain/lifecycle';
import { styled } from '@mui/material/styles';

const Mark = styled('span')({
  display: 'inline-flex',
  alignItems: 'center',
  gap: 6,
  whiteSpace: 'nowrap',
  verticalAlign: 'top',
});

function Shape({ phase }: { phase: Phase }) {
  const ring = <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.8" />;
  if (phase === 'Detection')
    return (
      <>
        {ring}
        <path d="M8 4.4v4.4M8 10.4v1.6" stroke="currentColor" strokeWidth="1.8" />
      </>
    );
  if (phase === 'Response')
    return (
      <>
        {ring}
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </>
    );
  if (phase === 'Mitigation')
    return (
      <>
        {ring}
        <path d="M8 2a6 6 0 1 1-6 6h6z" fill="currentColor" />
      </>
    );
  if (phase === 'Resolution')
    return (
      <>
        {ring}
        <path d="m4.9 8.2 2.2 2.2 4-4.4" fill="none" stroke="currentColor" strokeWidth="1.8" />
      </>
    );
  if (phase === 'Postmortem')
    return <path d="M3.5 1.5h6l3 3v10h-9zM5.5 7.5h5M5.5 10.5h5" fill="none" stroke="currentColor" strokeWidth="1.6" />;
  return (
    <>
      <circle cx="8" cy="8" r="6.8" fill="currentColor" />
      <path d="m4.9 8.2 2.2 2.2 4-4.4" fill="none" stroke="var(--mui-palette-background-paper)" strokeWidth="1.8" />
    </>
  );
}

export function PhaseShape({ phase, size = 14 }: { phase: Phase; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" style={{ flex: 'none' }}>
      <Shape phase={phase} />
    </svg>
  );
}

export function PhaseMark({ phase }: { phase: Phase }) {
  return (
    <Mark
      style={{
        color: phase === 'Detection' ? 'var(--mui-palette-text-primary)' : 'var(--mui-palette-text-secondary)',
        fontWeight: phase === 'Detection' ? 600 : 400,
      }}
    >
      <PhaseShape phase={phase} />
      {shownAs(phase)}
    </Mark>
  );
}
