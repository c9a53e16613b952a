/** One alert: its state, why it is where it is, its labels, annotations and links, and the object itself. */
import { expiryText } from '@funnelai/domain/expiry';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useAlert } from '../../api/queries.ts';
import { alertPath, alertsPath, incidentPath, rulePath, sourcePath } from '../../app/paths.ts';
import { useTitle } from '../../app/use-title.ts';
import { AlertState } from '../../components/AlertState.tsx';
import { CopyIcon } from '../../components/CopyLine.tsx';
import { LongText } from '../../components/LongText.tsx';
import { OutLink } from '../../components/OutLink.tsx';
import { PhaseMark } from '../../components/PhaseMark.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Failing, Loading, OldData, StateView } from '../../components/StateView.tsx';
import { Dated } from '../../components/Time.tsx';
import { YamlView } from '../../components/YamlView.tsx';
import { AcknowledgedUpstream } from './AcknowledgedUpstream.tsx';
import { placedOf, unplacedInWords } from './unplaced-words.ts';

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Box
      component="section"
      sx={{
        px: 4,
        py: 3,
        borderTop: 1,
        borderColor: 'divider',
        display: 'grid',
        gap: 1.5,
        gridTemplateColumns: 'minmax(0, 1fr)',
      }}
    >
      <Typography variant="h2">{title}</Typography>
      {children}
    </Box>
  );
}

/** Names and values in two columns; on a narrow screen one under the other. */
function Pairs({ pairs, isMono = false }: { pairs: [string, ReactNode][]; isMono?: boolean }) {
  return (
    <Box
      component="dl"
      sx={{
        m: 0,
        display: 'grid',
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', sm: '180px minmax(0, 1fr)' },
        columnGap: 4,
        rowGap: { xs: 0, sm: 0.5 },
      }}
    >
      {pairs.map(([name, value]) => (
        <Box key={name} sx={{ display: 'contents' }}>
          <Box component="dt" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
            {isMono ? <code>{name}</code> : name}
          </Box>
          <Box component="dd" sx={{ m: 0, mb: { xs: 1, sm: 0 }, overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
            {isMono ? <code>{value}</code> : value}
          </Box>
        </Box>
      ))}
    </Box>
  );
}

/** "14 times in 30 days". */
const cameOften = ({ episodes, days }: { episodes: number; days: number }) =>
  `${episodes === 1 ? 'once' : `${episodes} times`} in ${days} days`;

export function AlertPage() {
  const { namespace = '', name = '' } = useParams();
  const query = useAlert(namespace, name);
  useTitle(query.data?.alert.spec.labels?.alertname ?? name);
  const error = query.error === null ? undefined : asApiError(query.error);
  const retry = () => void query.refetch();
  if (error?.status === 404) {
    return (
      <StateView
        title={query.data ? 'This alert is gone' : 'There is no such alert'}
        act={<Link to={alertsPath(namespace)}>Go to the alerts of {namespace}</Link>}
      >
        <Typography>{error.message}</Typography>
        {query.data?.incident && (
          <Typography>
            It belonged to{' '}
            <Link to={incidentPath(namespace, query.data.incident.name)}>{query.data.incident.name}</Link>, whose
            timeline keeps it.
          </Typography>
        )}
      </StateView>
    );
  }
  if (query.data === undefined || error?.status === 403)
    return error ? (
      <Failing error={error} what={`Alert ${name}`} onRetry={retry} />
    ) : (
      <Loading label={`Loading ${name}`} />
    );
  const { alert, incident, deletedAt, foldedInto, recurrence } = query.data;
  const { spec, status } = alert;
  const labels = Object.entries(spec.labels ?? {}).sort(([a], [b]) => a.localeCompare(b));
  const annotations = Object.entries(spec.annotations ?? {});
  const links = [...(spec.links ?? [])].sort((a, b) => Number(b.kind === 'Runbook') - Number(a.kind === 'Runbook'));
  const times: [string, ReactNode][] = [
    ['Started', <Dated key="starts" at={spec.startsAt} />],
    ...(spec.endsAt ? ([['Ended', <Dated key="ends" at={spec.endsAt} />]] as [string, ReactNode][]) : []),
    ...(spec.acknowledgedUpstream
      ? ([['Acknowledged', <AcknowledgedUpstream key="acknowledged" word={spec.acknowledgedUpstream} />]] as [
          string,
          ReactNode,
        ][])
      : []),
    ...(spec.state === 'Expired' && spec.expired
      ? ([
          [
            'Expired',
            <span key="expired">
              <Dated at={spec.expired.at} />: {expiryText(spec.expired.reason)}
            </span>,
          ],
        ] as [string, ReactNode][])
      : []),
    [spec.state === 'Expired' ? 'Last heard' : 'Received', <Dated key="received" at={spec.receivedAt} />],
    ...(recurrence?.episodes ? ([['Came', cameOften(recurrence)]] as [string, ReactNode][]) : []),
  ];
  return (
    <>
      {error && <OldData error={error} readAt={query.dataUpdatedAt} onRetry={retry} />}
      <Box sx={{ opacity: error ? 0.7 : 1 }}>
        <Box component="header" sx={{ px: 4, py: 3, display: 'grid', gap: 0.5 }}>
          {deletedAt && (
            <Typography role="status">
              <strong>Gone from the cluster</strong> since <Dated at={deletedAt} />. This is what history has of it.
            </Typography>
          )}
          {foldedInto && (
            <Typography role="status">
              <strong>Folded</strong>: its source has reached limits.maxLiveAlerts, so it is no object of the cluster.
              It is kept in Postgres, and <Link to={alertPath(namespace, foldedInto)}>{foldedInto}</Link> counts it.
            </Typography>
          )}
          <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 3 }}>
            <SeverityMark severity={spec.severity} size={16} />
            <AlertState state={spec.state} />
            <Box sx={{ display: 'flex', alignItems: 'center', minWidth: 0 }}>
              <Box component="code" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
                {name}
              </Box>
              <CopyIcon text={name} label="Copy the name" />
            </Box>
          </Box>
          <Typography variant="h1" dir="auto" sx={{ overflowWrap: 'anywhere' }}>
            {spec.title}
          </Typography>
          {spec.description && <LongText text={spec.description} />}
        </Box>
        <Section title="Where it belongs">
          <Pairs
            pairs={[
              [
                'Incident',
                incident ? (
                  <Box key="incident" component="span" sx={{ display: 'inline-flex', flexWrap: 'wrap', columnGap: 3 }}>
                    <Link to={incidentPath(namespace, incident.name)}>{incident.name}</Link>
                    <SeverityMark severity={incident.severity} />
                    <PhaseMark phase={incident.phase} />
                  </Box>
                ) : status?.incidentRef ? (
                  `${status.incidentRef.name}, which is gone or not yours to see`
                ) : (
                  unplacedInWords(placedOf(alert))
                ),
              ],
              ['Why', status?.explanation ?? 'No rule has answered yet'],
              ...(status?.ruleRef
                ? ([
                    [
                      'Rule',
                      <Link key="rule" to={rulePath(namespace, status.ruleRef.name)}>
                        {status.ruleRef.name}
                      </Link>,
                    ],
                  ] as [string, ReactNode][])
                : []),
              [
                'Source',
                <Link key="source" to={sourcePath(namespace, spec.sourceRef.name)}>
                  {spec.sourceRef.name}
                </Link>,
              ],
              ['Episode', `${status?.episode ?? 1}${(status?.episode ?? 1) > 1 ? ': it came back' : ''}`],
              ...times,
              ...(spec.originalSeverity ? ([['Sent as', spec.originalSeverity]] as [string, ReactNode][]) : []),
            ]}
          />
        </Section>
        {spec.notes !== undefined && spec.notes.length > 0 && (
          <Section title="How it was read">
            <Box component="ul" sx={{ m: 0, pl: 4, overflowWrap: 'anywhere' }}>
              {spec.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </Box>
          </Section>
        )}
        {links.length > 0 && (
          <Section title="Links">
            <div>
              {links.map((link) => (
                <OutLink key={link.url} link={link} />
              ))}
            </div>
          </Section>
        )}
        <Section title="Labels">
          {labels.length > 0 ? <Pairs pairs={labels} isMono /> : <Typography color="textSecondary">none</Typography>}
        </Section>
        {annotations.length > 0 && (
          <Section title="Annotations">
            <Pairs pairs={annotations.map(([label, value]) => [label, <LongText key={label} text={value} />])} isMono />
          </Section>
        )}
        {!deletedAt && !foldedInto && (
          <Section title="YAML">
            <Box sx={{ mx: -4 }}>
              <YamlView kind="alerts" namespace={namespace} name={name} isEditable={false} />
            </Box>
          </Section>
        )}
      </Box>
    </>
  );
}
