/** Firing, resolved or expired, as shape and word. */
import type { AlertItem } from '@funnelai/domain/wire';

export function AlertState({ state }: { state: AlertItem['state'] }) {
  const isFiring = state === 'Firing';
  return (
    <span
      title={state === 'Expired' ? 'Its sender fell silent; nobody said that it resolved' : undefined}
      style={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 6,
        whiteSpace: 'nowrap',
        verticalAlign: 'top',
        color: isFiring ? 'var(--mui-palette-text-primary)' : 'var(--mui-palette-text-secondary)',
        fontWeight: isFiring ? 600 : 400,
      }}
    >
      <svg width="13" height="13" viewBox="0 0 16 16" aria-hidden="true">
        {isFiring ? (
          <path
            d="M8 1c1 3 4.5 4.5 4.5 8.500A4.5 4.5 0 0 1 3.5 9.500C3.5 7.5 4.6 6.5 5.4 5.4 5.8 7 6.5 7.5 7 7.5 7.6 5.5 7 3.2 8 1z"
            fill="currentColor"
          />
        ) : state === 'Expired' ? (
          <path
            d="M8 2.500a5.5 5.5 0 1 0 0 11 5.5 5.5 0 1 0 0-11M8 5v3.500l2.2 1.5"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.6"
          />
        ) : (
          <path d="m3 8.5 3.2 3.200L13 4.8" fill="none" stroke="currentColor" strokeWidth="1.8" />
        )}
      </svg>
      {state}
    </span>
  );
}
