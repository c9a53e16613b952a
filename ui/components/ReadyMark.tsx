/** Whether what a person wrote works, as shape and word: never by colour alone. */

/** The condition Ready of an object; of a rule also that it may not do what was meant, or is switched off. */
export type Readiness = 'True' | 'Warns' | 'False' | 'Unknown' | 'Suspended';

const WORDS: Record<Readiness, string> = {
  True: 'Ready',
  Warns: 'Warns',
  False: 'Not ready',
  Unknown: 'Not looked at yet',
  Suspended: 'Suspended',
};
const COLOURS: Record<Readiness, string> = {
  True: 'var(--mui-palette-meaning-live)',
  Warns: 'var(--mui-palette-meaning-medium)',
  False: 'var(--mui-palette-meaning-critical)',
  Unknown: 'var(--mui-palette-text-secondary)',
  Suspended: 'var(--mui-palette-text-secondary)',
};
/** The word for it, in filters and sentences too. */
export const readyWord = (ready: string): string => WORDS[ready as Readiness] ?? ready;

export function ReadyMark({ ready }: { ready: Readiness }) {
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
        {ready === 'Warns' && (
          <path d="M8 2.5 14.5 13.5H1.5zM8 6.5v3m0 1.6v.6" fill="none" stroke="currentColor" strokeWidth="1.5" />
        )}
        {ready === 'Suspended' && <path d="M5.5 3.5v9m5-9v9" fill="none" stroke="currentColor" strokeWidth="2" />}
        {ready === 'Unknown' && (
          <circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" strokeWidth="1.6" strokeDasharray="2.5 2.5" />
        )}
      </svg>
      {WORDS[ready]}
    </span>
  );
}
