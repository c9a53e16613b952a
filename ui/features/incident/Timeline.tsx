/** The story of an incident, newest first, with absolute times to the second; what history cannot tell now is said. */
import type { IncidentDetail, TimelineEntry } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { Fragment, type SyntheticEvent, useState } from 'react';
import { Link } from 'react-router';
import { alertPath } from '../../app/paths.ts';
import { CopyButton } from '../../components/CopyLine.tsx';
import { calendarDay, viewersZone, zoneOffset } from '../../components/instant-words.ts';
import { number } from '../../components/number.ts';
import { Clock } from '../../components/Time.tsx';
import { isAboutAlert } from './alert-entry.ts';
import { foldRuns } from './fold.ts';
import { historyNote } from './history-words.ts';
import { toMarkdown } from './markdown.ts';
import { sentenceOf } from './sentence.ts';
import { TimelineShape } from './TimelineShape.tsx';

function Line({ entry, namespace }: { entry: TimelineEntry; namespace: string }) {
  return (
    <Box
      component="li"
      sx={{
        display: 'grid',
        gridTemplateColumns: '64px 16px minmax(0, 1fr)',
        columnGap: 2,
        py: 0.75,
        alignItems: 'start',
      }}
    >
      <Box component="span" sx={{ color: 'text.secondary' }}>
        <Clock at={entry.at} />
      </Box>
      <Box
        component="span"
        sx={{ pt: '3px', color: entry.kind === 'Phase' || entry.kind === 'Opened' ? 'text.primary' : 'text.secondary' }}
      >
        <TimelineShape kind={entry.kind} />
      </Box>
      <Box
        sx={{ minWidth: 0, overflowWrap: 'anywhere', color: isAboutAlert(entry) ? 'text.secondary' : 'text.primary' }}
      >
        {entry.alert ? (
          <Link to={alertPath(namespace, entry.alert)} style={{ color: 'inherit' }}>
            {sentenceOf(entry)}
          </Link>
        ) : (
          <span title={entry.by}>{sentenceOf(entry)}</span>
        )}
        {entry.reason && (
          <Box dir="auto" sx={{ color: 'text.secondary' }}>
            {entry.reason}
          </Box>
        )}
        {entry.verified === false && (
          <Box
            component="span"
            title="The API server did not record who it was; this is what the writer called itself"
            sx={{ color: 'text.secondary' }}
          >
            {' '}
            (unverified)
          </Box>
        )}
      </Box>
    </Box>
  );
}

/** A run of alerts as one line that opens. */
function Run({
  entries,
  summary,
  namespace,
}: {
  entries: readonly TimelineEntry[];
  summary: string;
  namespace: string;
}) {
  const [newest, oldest] = [entries[0], entries.at(-1)];
  // A storm's thousand lines are made when someone wants to see them.
  const [isOpen, setOpen] = useState(false);
  return (
    <Box component="li" sx={{ py: 0.75 }}>
      <Box
        component="details"
        onToggle={(event: SyntheticEvent<HTMLDetailsElement>) => setOpen(event.currentTarget.open)}
        sx={{ '&[open] > summary': { mb: 0.5 } }}
      >
        <Box
          component="summary"
          sx={{
            display: 'grid',
            gridTemplateColumns: '64px 16px minmax(0, 1fr)',
            columnGap: 2,
            alignItems: 'start',
            cursor: 'pointer',
            color: 'text.secondary',
          }}
        >
          {newest && <Clock at={newest.at} />}
          <Box component="span" sx={{ pt: '3px' }}>
            <TimelineShape kind="AlertJoined" />
          </Box>
          <span>
            <Box component="span" sx={{ textDecoration: 'underline dotted', textUnderlineOffset: 3 }}>
              {summary}
            </Box>
            {oldest && (
              <>
                {' '}
                since <Clock at={oldest.at} />
              </>
            )}
          </span>
        </Box>
        <Box component="ol" sx={{ m: 0, p: 0, listStyle: 'none', borderLeft: 2, borderColor: 'divider', pl: 2 }}>
          {(isOpen ? entries : []).map((entry) => (
            <Line key={`${entry.at}/${entry.kind}/${entry.alert ?? ''}`} entry={entry} namespace={namespace} />
          ))}
        </Box>
      </Box>
    </Box>
  );
}

export function Timeline({ detail }: { detail: IncidentDetail }) {
  const zone = viewersZone();
  const dayOf = (entry: TimelineEntry): string => calendarDay(entry.at, zone);
  const folded = foldRuns([...detail.timeline].reverse(), dayOf);
  const { namespace } = detail.item;
  const note = historyNote(detail.history);
  let previousDay = '';
  return (
    <Box sx={{ px: 4, py: 2 }}>
      <Box
        sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', justifyContent: 'space-between', columnGap: 2 }}
      >
        <Typography color="textSecondary">
          Times in {zone}, newest first
          {note && !note.isTrouble && ` · ${note.head}`}
          {detail.alertsTotal > detail.alerts.length &&
            ` · of ${number(detail.alertsTotal)} alerts the ${number(detail.alerts.length)} most urgent`}
        </Typography>
        <CopyButton text={() => toMarkdown(detail, zone, location.href.replace(/[?#].*$/, ''))}>
          Copy as Markdown
        </CopyButton>
      </Box>
      {note?.isTrouble && (
        <Box
          role="status"
          sx={{ my: 1, p: 2, border: 1, borderColor: 'divider', borderRadius: 1, bgcolor: 'surface.sunken' }}
        >
          <strong>{note.head}</strong> {note.text}
        </Box>
      )}
      <Box component="ol" aria-label="Timeline" sx={{ m: 0, p: 0, listStyle: 'none' }}>
        {folded.map((part) => {
          const entry = part.kind === 'run' ? part.entries.at(-1) : part.entry;
          if (entry === undefined) return null;
          const day = dayOf(entry);
          const isNewDay = day !== previousDay;
          previousDay = day;
          return (
            <Fragment
              key={`${part.kind}/${entry.at}/${entry.kind}/${entry.sequence ?? ''}/${entry.alert ?? ''}/${entry.text}`}
            >
              {isNewDay && (
                <Box
                  component="li"
                  sx={{
                    color: 'text.secondary',
                    fontWeight: 500,
                    pt: 2,
                    pb: 0.5,
                    borderBottom: 1,
                    borderColor: 'divider',
                    mb: 1,
                  }}
                >
                  {day} · {zoneOffset(entry.at, zone)}
                </Box>
              )}
              {part.kind === 'run' ? (
                <Run entries={part.entries} summary={part.summary} namespace={namespace} />
              ) : (
                <Line entry={entry} namespace={namespace} />
              )}
            </Fragment>
          );
        })}
      </Box>
    </Box>
  );
}
