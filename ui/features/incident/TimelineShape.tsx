/** The small sign in front of a line of the timeline, by what kind of thing happened. */
import type { TimelineEntry } from '@funnelai/domain/wire';

export function TimelineShape({ kind }: { kind: TimelineEntry['kind'] }) {
  const common = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.6 };
  return (
    <svg width="13" height="13" viewBox="0 0 16 16" aria-hidden="true">
      {kind === 'Opened' && <path d="M8 2 14.5 13.5h-13z" fill="currentColor" />}
      {kind === 'Phase' && <circle cx="8" cy="8" r="5.5" fill="currentColor" />}
      {kind === 'Owner' && (
        <>
          <circle cx="8" cy="5.2" r="3" {...common} />
          <path d="M2.5 14c.6-3.4 2.6-4.6 5.5-4.600s4.9 1.2 5.5 4.6" {...common} />
        </>
      )}
      {(kind === 'Severity' || kind === 'Priority') && <path d="M8 13V3.500M3.8 7.2 8 3l4.2 4.2" {...common} />}
      {kind === 'Merge' && <path d="M3 2.500v3C3 9 8 8 8 13.500M13 2.500v3C13 9 8 8 8 13.5" {...common} />}
      {kind === 'AlertJoined' && <path d="M8 3v10M3 8h10" {...common} />}
      {kind === 'Event' && <path d="M8 7v5M8 4v.5" {...common} />}
      {kind === 'Lost' && <circle cx="8" cy="8" r="5.5" strokeDasharray="2 2.4" {...common} />}
      {kind === 'AlertExpired' && (
        <path d="M8 2.500a5.5 5.5 0 1 0 0 11 5.5 5.5 0 1 0 0-11M8 5v3.500l2.2 1.5" {...common} />
      )}
      {kind === 'AlertResolved' && <path d="m3 8.5 3.2 3.200L13 4.8" {...common} />}
    </svg>
  );
}
