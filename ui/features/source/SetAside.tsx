/** Alerts of a source that can never be stored as they are: how many, why, and what a person does about it. */
import { deleteThem, isForWantOfSource, lookAtThem, putThemBack, type SetAside } from '@funnelai/domain/set-aside';
import type { SourceDetail, SourceInbox } from '@funnelai/domain/wire-sources';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { CodeBlock } from '../../components/CodeBlock.tsx';
import { number } from '../../components/number.ts';
import { Section } from '../../components/Section.tsx';
import { asideWords } from '../sources/words.ts';

/** Nothing while nothing was set aside. */
export function SetAsideSection({ detail }: { detail: SourceDetail }) {
  const { namespace, name, inbox } = detail.item;
  if (inbox === undefined || inbox.setAside === 0) return null;
  return (
    <Section title={`In the inbox: ${asideWords(inbox)}`}>
      <Typography>
        These were taken from the sender and are kept in Postgres, but Kubernetes does not take them as they are. They
        are no Alerts, and open no incident, until someone acts.
      </Typography>
      <SetAsideHelp inbox={inbox} of={{ scope: detail.inbox.scope ?? '', namespace, source: name }} isThere />
    </Section>
  );
}

const STATEMENTS = [
  { title: 'Look at them', sql: lookAtThem },
  { title: 'Put them back, to be stored anew', sql: putThemBack },
  { title: 'Throw them away, for good', sql: deleteThem },
] as const;

interface SetAsideHelpProps {
  inbox: SourceInbox;
  of: SetAside;
  /** Whether there is a source of that name now. */
  isThere: boolean;
}

/** The reasons, and the way out of each. */
export function SetAsideHelp({ inbox, of, isThere }: SetAsideHelpProps) {
  const told = inbox.reasons.reduce((sum, { count }) => sum + count, 0);
  return (
    <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: 'minmax(0, 1fr)', mt: 1 }}>
      <Box component="ul" aria-label="Why they were set aside" sx={{ m: 0, pl: 4, overflowWrap: 'anywhere' }}>
        {inbox.reasons.map(({ reason, count }) => (
          <li key={reason}>
            {number(count)}: {reason}
            <Box component="span" sx={{ display: 'block', color: 'text.secondary' }}>
              {adviceFor(reason, of, isThere)}
            </Box>
          </li>
        ))}
        {told < inbox.setAside && <li>{number(inbox.setAside - told)} for other reasons</li>}
      </Box>
      <Typography>Someone who administers the database runs one of these there:</Typography>
      {STATEMENTS.map(({ title, sql }) => (
        <Box key={title} sx={{ display: 'grid', gap: 0.5, gridTemplateColumns: 'minmax(0, 1fr)' }}>
          <Typography color="textSecondary">{title}</Typography>
          <CodeBlock text={sql(of)} label={title} />
        </Box>
      ))}
    </Box>
  );
}

function adviceFor(reason: string, { namespace, source }: SetAside, isThere: boolean): string {
  if (!isForWantOfSource(reason)) return 'Mend what it says, then put them back. What cannot be mended is thrown away.';
  return isThere
    ? 'The source is there again: put them back.'
    : `Make AlertSource ${source} in namespace ${namespace} again and put them back, or throw them away.`;
}
