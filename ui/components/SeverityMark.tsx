/** A severity as shape, word and colour, so that none of the three is needed to tell it from the others. */
import type { Severity } from '@funnelai/crds/generated/types';
import { styled } from '@mui/material/styles';

const COLOURS: Record<Severity, string> = {
  Critical: 'var(--mui-palette-meaning-critical)',
  High: 'var(--mui-palette-meaning-high)',
  Medium: 'var(--mui-palette-meaning-medium)',
  Low: 'var(--mui-palette-meaning-low)',
  Info: 'var(--mui-palette-meaning-info)',
};

const Mark = styled('span')({
  display: 'inline-flex',
  alignItems: 'center',
  gap: 6,
  whiteSpace: 'nowrap',
  // A shape has no baseline of its own: without this the words of a row do not stand on one line.
  verticalAlign: 'top',
  fontWeight: 500,
});

function Shape({ severity }: { severity: Severity }) {
  if (severity === 'Critical') return <path d="M4.9 1h6.2L15 4.9v6.2L11.1 15H4.9L1 11.1V4.9z" fill="currentColor" />;
  if (severity === 'High') return <path d="M8 1.2 15.4 14.4H.6z" fill="currentColor" />;
  if (severity === 'Medium') return <path d="M8 .8 15.2 8 8 15.2.8 8z" fill="currentColor" />;
  if (severity === 'Low') return <circle cx="8" cy="8" r="6.4" fill="currentColor" />;
  return <circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" strokeWidth="2.4" />;
}

/** The shape alone, for where the word stands beside it. */
export function SeverityShape({ severity, size = 13 }: { severity: Severity; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      style={{ color: COLOURS[severity], flex: 'none' }}
    >
      <Shape severity={severity} />
    </svg>
  );
}

export function SeverityMark({ severity, size = 13 }: { severity: Severity; size?: number }) {
  return (
    <Mark style={{ color: COLOURS[severity] }}>
      <SeverityShape severity={severity} size={size} />
      {severity}
    </Mark>
  );
}
