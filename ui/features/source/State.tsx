/** The column beside: what came to the source, what became of it, and who says so. */
import { rateOf } from '@funnelai/domain/rate';
import type { SourceDetail } from '@funnelai/domain/wire-sources';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { Fragment, type ReactNode } from 'react';
import { Link } from 'react-router';
import { alertsPath } from '../../app/paths.ts';
import { number } from '../../components/number.ts';
import { ReadyMark } from '../../components/ReadyMark.tsx';
import { Facts, Section } from '../../components/Section.tsx';
import { Dated } from '../../components/Time.tsx';
import { InboxWord } from '../sources/InboxWord.tsx';
import { mayWords, rateWord, reasonWord, refusedOf, trustWord } from '../sources/words.ts';

export function State({ detail }: { detail: SourceDetail }) {
  const { item, source, counted } = detail;
  const { traffic, lastReceivedAt, namespace, name } = item;
  const receiving = source.status?.conditions?.find(({ type }) => type === 'Receiving');
  const refused = refusedOf(traffic);
  const facts: [string, ReactNode][] = [
    [
      'Ready',
      <Fragment key="ready">
        <ReadyMark ready={item.ready} />
        {item.message !== undefined && <div>{item.message}</div>}
      </Fragment>,
    ],
    ...routeFacts(source),
    ['Receiving', receiving?.message ?? 'nothing has come yet'],
    ['Last received', lastReceivedAt === undefined ? 'never' : <Dated key="last" at={lastReceivedAt} />],
    ...rateFacts(source),
    ['Inbox', <Inbox key="inbox" detail={detail} />],
    ['Format', item.format],
    ...(tellsOfAcknowledgements(source)
      ? ([['Acknowledgements', trustWord(source.spec.trustAcknowledge)]] as [string, ReactNode][])
      : []),
    ['Its alerts', <Link key="alerts" to={alertsPath(namespace, { source: name })}>{`Alerts of ${name}`}</Link>],
  ];
  return (
    <>
      <Section title="Now">
        <Facts facts={facts} />
      </Section>
      <Section title="In 24 hours">
        <Facts
          facts={[
            ['Alerts a minute', `${rateWord(traffic.alertsPerMinute)} in the last five minutes`],
            ['Bodies', number(traffic.bodies)],
            ['Alerts in them', number(traffic.alerts)],
            ['Stored', `${number(traffic.stored)}, repeats too`],
            ['Refused', refused === 0 ? 'none' : <Reasons key="refused" rejected={traffic.rejected} />],
          ]}
        />
        <Typography color="textSecondary" variant="caption">
          {counted.of === 'AllReplicas'
            ? 'Bodies and alerts are counted by all replicas of the webhook together.'
            : `Counted by the one replica that answered, since it started. ${counted.reason ?? ''}`}
        </Typography>
      </Section>
    </>
  );
}

/** One format does; another source has such a sender's alerts where they are routed to it. */
const tellsOfAcknowledgements = ({ spec }: SourceDetail['source']): boolean =>
  spec.format === 'PagerDutyEvents' || (spec.trustAcknowledge === true && spec.acceptFrom !== undefined);

/** So many routes are named; the object has the rest. */
const MOST_ROUTES = 8;

/** Where it leads its alerts, and whether anyone takes them there; nothing where it keeps all. */
function routeFacts({ spec, status }: SourceDetail['source']): [string, ReactNode][] {
  const routes = spec.routes ?? [];
  if (routes.length === 0) return [];
  const routed = status?.conditions?.find(({ type }) => type === 'Routed');
  const isTrouble = routed?.status === 'False';
  return [
    [
      'Routes',
      <Fragment key="routes">
        <Box component="ul" sx={{ m: 0, p: 0, listStyle: 'none' }}>
          {routes.slice(0, MOST_ROUTES).map(({ match, namespace }) => (
            <li key={`${match.join()} ${namespace}`}>
              <code>{match.join(', ')}</code> to <code>{namespace}</code>
            </li>
          ))}
          {routes.length > MOST_ROUTES && <li>and {routes.length - MOST_ROUTES} more</li>}
        </Box>
        <Box sx={isTrouble ? { color: 'error.main' } : { color: 'text.secondary' }}>
          {routed?.message ?? 'Not looked at yet'}
        </Box>
      </Fragment>,
    ],
  ];
}

/** Whether it sends more than it may; nothing where it has no bound. */
function rateFacts({ spec, status }: SourceDetail['source']): [string, ReactNode][] {
  const rate = rateOf({ spec });
  if (rate === undefined) return [];
  const last = status?.lastOverRateAt;
  return [
    // Not how much it sends, which is counted below.
    ['Rate limit', mayWords(rate)],
    ['Last over it', last === undefined ? 'never' : <Dated key="over" at={last} />],
  ];
}

function Inbox({ detail: { item, inbox, source } }: { detail: SourceDetail }) {
  if (inbox.isOff) return 'there is none: no database was given';
  if (item.inbox === undefined) return `not known. ${inbox.reason ?? ''}`;
  return (
    <>
      <InboxWord inbox={item.inbox} />
      {item.inbox.waiting > 0 && (
        <Typography color="textSecondary" variant="caption" component="div">
          They are safe in Postgres, and follow by themselves{' '}
          {source.spec.limits?.ratePerSecond === undefined
            ? 'once the API server takes them'
            : 'as fast as limits.ratePerSecond and the API server take them'}
          ; until then they open no incident.
        </Typography>
      )}
    </>
  );
}

function Reasons({ rejected }: { rejected: Record<string, number> }) {
  const sorted = Object.entries(rejected).sort(([, a], [, b]) => b - a);
  return (
    <Box component="ul" sx={{ m: 0, p: 0, listStyle: 'none' }}>
      {sorted.map(([code, bodies]) => (
        <li key={code}>
          {number(bodies)} {bodies === 1 ? 'body' : 'bodies'}: {reasonWord(code)}
        </li>
      ))}
    </Box>
  );
}
