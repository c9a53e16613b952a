/** What a body would become: what its sender would be told, the alerts, and what is wrong with the others. */
import type { PreviewAlert, PreviewFate, SourcePreview } from '@funnelai/domain/wire-sources';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { Link } from 'react-router';
import { alertPath } from '../../app/paths.ts';
import { AlertState } from '../../components/AlertState.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Absolute } from '../../components/Time.tsx';

const FRAME = { border: 1, borderColor: 'divider', borderRadius: 1, p: 2, minWidth: 0 } as const;

export function Preview({ preview }: { preview: SourcePreview }) {
  const { answer, alerts, total, noted, limits, problems, warnings, ignored, truncated } = preview;
  const isGood = answer.status < 300;
  return (
    <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: 'minmax(0, 1fr)' }}>
      <Typography sx={{ overflowWrap: 'anywhere' }}>
        <Box component="strong" sx={{ color: isGood ? 'meaning.live' : 'error.main' }}>
          {verdict(answer.status)}, {answer.status}.
        </Box>{' '}
        {answer.message}.
      </Typography>
      {limits.length > 0 && (
        <Box component="ul" aria-label="What the limits of the source do" sx={{ ...FRAME, m: 0, pl: 6 }}>
          {limits.map(({ limit, text }) => (
            <Box component="li" key={`${limit} ${text}`} sx={{ overflowWrap: 'anywhere' }}>
              {begun(text)}. That is as of now: it depends on what came before.
            </Box>
          ))}
        </Box>
      )}
      {noted.length > 0 && (
        <Box component="ul" aria-label="What only says a word of an alert" sx={{ ...FRAME, m: 0, pl: 6 }}>
          {noted.map(({ index, name, namespace, text }) => (
            <Box component="li" key={`${namespace} ${index}`} sx={{ overflowWrap: 'anywhere' }}>
              {text}
              {name !== undefined && (
                <>
                  {' '}
                  <Link to={alertPath(namespace, name)}>{name}</Link>
                </>
              )}
            </Box>
          ))}
        </Box>
      )}
      {alerts.map((alert) => (
        <Alert key={`${alert.goes.namespace} ${alert.name} ${alert.index}`} alert={alert} />
      ))}
      {total > alerts.length && (
        <Typography color="textSecondary">
          The first {alerts.length} of {total} alerts.
        </Typography>
      )}
      {problems.length > 0 && (
        <Box component="ul" aria-label="What is wrong" sx={{ ...FRAME, borderColor: 'error.main', m: 0, pl: 6 }}>
          {problems.map(({ index, field, found, expected }) => (
            <Box component="li" key={`${index} ${field} ${found}`} sx={{ overflowWrap: 'anywhere' }}>
              <code>
                alerts[{index}]{field === '' ? '' : `.${field}`}
              </code>
              : found {found}, expected {expected}
            </Box>
          ))}
        </Box>
      )}
      {warnings.length > 0 && (
        <Box component="ul" aria-label="What the sender should mend" sx={{ ...FRAME, m: 0, pl: 6 }}>
          {warnings.map(({ index, field, found, expected, done }) => (
            <Box component="li" key={`${index} ${field} ${found}`} sx={{ overflowWrap: 'anywhere' }}>
              <code>{field === '' ? 'the body' : `alerts[${index}].${field}`}</code> {done}: found {found}, expected{' '}
              {expected}
            </Box>
          ))}
        </Box>
      )}
      {ignored.length > 0 && (
        <Box component="ul" aria-label="What makes no alert" sx={{ m: 0, pl: 5, color: 'text.secondary' }}>
          {ignored.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </Box>
      )}
      {truncated > 0 && <Typography>The sender left {truncated} more alerts out of this body.</Typography>}
    </Box>
  );
}

/** What was refused for want of room or time is no fault of the body, and is taken when it comes again. */
function verdict(status: number): string {
  if (status < 300) return 'Taken';
  return status === 429 || status === 503 ? 'Not taken now' : 'Refused';
}

/** What stands at the beginning of a sentence. */
const begun = (text: string): string => text.replace(/^./u, (first) => first.toUpperCase());

/** Of these what is said is worth more than a glance. */
const UNUSUAL: readonly PreviewFate[] = ['Folded', 'Inbox', 'NotStored'];

function Alert({ alert: { name, spec, fate, goes } }: { alert: PreviewAlert }) {
  const labels = Object.entries(spec.labels ?? {});
  return (
    <Box component="article" aria-label={spec.title} sx={{ ...FRAME, display: 'grid', gap: 1 }}>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 3, rowGap: 0.5, alignItems: 'center' }}>
        <SeverityMark severity={spec.severity} />
        <AlertState state={spec.state} />
        <Box component="strong" dir="auto" sx={{ overflowWrap: 'anywhere', minWidth: 0 }}>
          {spec.title}
        </Box>
      </Box>
      {spec.description && (
        <Typography dir="auto" color="textSecondary" sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {spec.description}
        </Typography>
      )}
      <Box sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 3, rowGap: 0.5 }}>
        {labels.map(([label, value]) => (
          <Box component="code" key={label} sx={{ overflowWrap: 'anywhere' }}>
            {label}={value}
          </Box>
        ))}
      </Box>
      <Typography color="textSecondary" variant="caption" sx={{ overflowWrap: 'anywhere' }}>
        <code>{name}</code>,{' '}
        {spec.dedupKey === undefined ? 'told apart by its labels' : `told apart by its key ${spec.dedupKey}`}; since{' '}
        <Absolute at={spec.startsAt} />
        {spec.endsAt !== undefined && (
          <>
            {' '}
            until <Absolute at={spec.endsAt} />
          </>
        )}
      </Typography>
      {fate !== undefined && (
        <Typography
          variant="caption"
          sx={{ overflowWrap: 'anywhere', ...(UNUSUAL.includes(fate.kind) && { fontWeight: 600 }) }}
        >
          {begun(fate.text)}.
        </Typography>
      )}
      {goes.why !== undefined && (
        <Typography variant="caption" sx={{ overflowWrap: 'anywhere' }}>
          Goes to <code>{goes.source === undefined ? goes.namespace : `${goes.namespace}/${goes.source}`}</code>:{' '}
          {goes.why}
          {goes.source === undefined && '; you may not read AlertSources there, so it is shown as an alert of this one'}
          .
        </Typography>
      )}
      {(spec.notes ?? []).map((note) => (
        <Typography key={note} variant="caption" sx={{ overflowWrap: 'anywhere' }}>
          Note: {note}
        </Typography>
      ))}
    </Box>
  );
}
