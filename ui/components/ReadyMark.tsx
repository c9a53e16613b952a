/** Whether an entrance can take alerts, as shape and word: never by colour alone. */
import type { SourceItem } from '@funnelai/domain/wire-sources';

const WORDS: Record<SourceItem['ready'], string> = { True: 'Ready', False: 'Not ready', Unknown: 'Not looked at yet' };
const COLOURS: Record<SourceItem['ready'], string> = {
  True: 'var(--mui-palette-meaning-live)',
  False: 'var(--mui-palette-meaning-critical)',
  Unknown: 'var(--mui-palette-text-secondary)',
};
/** The word for it, in filters and sentences too. */
export const readyWord = (ready: string): string => WORDS[ready as SourceItem['ready']] ?? ready;

export function ReadyMark({ ready }: { ready: SourceItem['ready'] }) {
  return (
    <span
      style={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 6,
        whiteSpace: 'nowrap',
        verticalAlign: 'top',
        color: COLOURS[ready],
        fontWeight: ready === 'False' ? 600 : 400,
      }}
    >
      <svg width="13" height="13" viewBox="0 0 16 16" aria-hidden="true">
        {ready === 'True' && <path d="m3 8.5 3.2 3.2L13 4.8" fill="none" stroke="currentColor" strokeWidth="1.8" />}
        {ready === 'False' && (
          <path d="m3.5 3.5 9 9m0-9-9 9" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
        )}
        {ready === 'Unknown' && (
          <circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" strokeWidth="1.6" strokeDasharray="2.5 2.5" />
        )}
      </svg>
      {WORDS[ready]}
    </span>
  );
}
