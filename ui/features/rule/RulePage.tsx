/** One correlation rule: which alerts it takes, what becomes of them, whether it works, and what it took. */
import type { CorrelationRule } from '@funnelai/crds/generated/types';
import type { RuleDetail, RuleItem } from '@funnelai/domain/wire-rules';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useRule } from '../../api/queries.ts';
import { incidentsPath, rulesPath } from '../../app/paths.ts';
import { useTitle } from '../../app/use-title.ts';
import { Columns, YamlSection } from '../../components/Columns.tsx';
import { NameLine } from '../../components/NameLine.tsx';
import { number } from '../../components/number.ts';
import { OutLink } from '../../components/OutLink.tsx';
import { ReadyMark } from '../../components/ReadyMark.tsx';
import { Facts, Section } from '../../components/Section.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Failing, Loading, OldData, StateView } from '../../components/StateView.tsx';
import { Dated } from '../../components/Time.tsx';
import { AlertTable } from '../alerts/AlertTable.tsx';
import { actionWord, readinessOf } from '../rules/url.ts';
import { missingWords, reopenWords, resolveWords, takesWords } from '../rules/words.ts';

export function RulePage() {
  const { namespace = '', name = '' } = useParams();
  const query = useRule(namespace, name);
  useTitle(name);
  const error = query.error === null ? undefined : asApiError(query.error);
  const retry = () => void query.refetch();
  if (error?.status === 404) {
    return (
      <StateView
        title={query.data ? 'This rule is gone' : 'There is no such rule'}
        act={<Link to={rulesPath(namespace)}>Go to the rules of {namespace}</Link>}
      >
        <Typography>{error.message}</Typography>
        <Typography color="textSecondary">
          What a rule opened stays when it goes:{' '}
          <Link to={incidentsPath(namespace, { rule: name })}>its incidents</Link>.
        </Typography>
      </StateView>
    );
  }
  if (query.data === undefined || error?.status === 403)
    return error ? (
      <Failing error={error} what={`Rule ${name}`} onRetry={retry} />
    ) : (
      <Loading label={`Loading ${name}`} />
    );
  const { item, rule } = query.data;
  return (
    <>
      {error && <OldData error={error} readAt={query.dataUpdatedAt} onRetry={retry} />}
      <Box sx={{ opacity: error ? 0.7 : 1 }}>
        <Box component="header" sx={{ px: 4, py: 3, display: 'grid', gap: 0.5 }}>
          <NameLine name={name} namespace={namespace} ready={readinessOf(item.state) ?? 'Unknown'} />
          {item.description !== undefined && (
            <Typography dir="auto" sx={{ overflowWrap: 'anywhere' }}>
              {item.description}
            </Typography>
          )}
          {(item.state === 'NotReady' || item.state === 'Warns') && (
            <Typography
              sx={{ overflowWrap: 'anywhere', color: item.state === 'NotReady' ? 'error.main' : 'warning.main' }}
            >
              {item.message}
            </Typography>
          )}
        </Box>
        <Columns label="How it does" aside={<Now item={item} />}>
          <Takes spec={rule.spec} />
          <Makes spec={rule.spec} />
        </Columns>
        <Taken detail={query.data} />
        <YamlSection kind="rules" namespace={namespace} name={name} />
      </Box>
    </>
  );
}

type Spec = { spec: CorrelationRule['spec'] };
const List = ({ children }: { children: ReactNode }) => (
  <Box component="ul" sx={{ m: 0, p: 0, listStyle: 'none', display: 'grid', gap: 0.5, overflowWrap: 'anywhere' }}>
    {children}
  </Box>
);

function Takes({ spec: { match = [] } }: Spec) {
  return (
    <Section title="Which alerts it takes">
      {match.length === 0 ? (
        <Typography>Every alert that no rule before it took.</Typography>
      ) : (
        <>
          <Typography color="textSecondary">
            Those that no rule before it took, and of whose labels{' '}
            {match.length === 1 ? 'this holds' : 'all this holds'}:
          </Typography>
          <List>
            {match.map((matcher) => (
              <li key={matcher}>
                <code>{matcher}</code>
              </li>
            ))}
          </List>
        </>
      )}
    </Section>
  );
}

function Makes({ spec }: Spec) {
  const { action = 'Open', groupBy = [], incident = {}, resolve = {}, reopenWithin = '30m' } = spec;
  if (action === 'Record') {
    return (
      <Section title="What becomes of them">
        <Typography>They are kept and shown, and open no incident.</Typography>
      </Section>
    );
  }
  const facts: [string, ReactNode][] = [
    [
      'Together',
      groupBy.length === 0 ? (
        'all of them are one incident'
      ) : (
        <List key="groups">
          {groupBy.map((group) => (
            <li key={group.label}>
              those with equal <code>{group.label}</code>; {missingWords(group)}
            </li>
          ))}
        </List>
      ),
    ],
    ['Title', incident.title === undefined ? 'that of the first alert' : <code key="title">{incident.title}</code>],
    [
      'Severity',
      incident.severity?.fixed ? (
        <SeverityMark key="severity" severity={incident.severity.fixed} />
      ) : (
        'the worst of its alerts'
      ),
    ],
    ['Priority', incident.priority ?? 'as the severity at the opening says'],
    ...(incident.links?.length
      ? ([
          [
            'Links',
            <div key="links">
              {incident.links.map((link) => (
                <OutLink key={link.url} link={{ ...link, kind: link.kind ?? 'Other' }} />
              ))}
            </div>,
          ],
        ] as [string, ReactNode][])
      : []),
    ['Resolved', resolveWords(resolve)],
    ['Closed', `${resolve.closeAfter ?? '24h'} after that`],
    ['A fault again', reopenWords(reopenWithin)],
  ];
  return (
    <Section title="What becomes of them">
      <Facts facts={facts} />
    </Section>
  );
}

function Now({ item }: { item: RuleItem }) {
  const { namespace, name, takes, action } = item;
  const facts: [string, ReactNode][] = [
    ['State', <ReadyMark key="state" ready={readinessOf(item.state) ?? 'Unknown'} />],
    ['Order', number(item.order)],
    ['Does', actionWord(action)],
    ['Took', takes === undefined ? 'you may not list alerts and incidents here' : takesWords(takes)],
    [
      'Its incidents',
      <Link key="incidents" to={incidentsPath(namespace, { rule: name })}>{`Open incidents of ${name}`}</Link>,
    ],
    ['Made', <Dated key="made" at={item.createdAt} />],
  ];
  return (
    <Section title="Now">
      <Facts facts={facts} />
    </Section>
  );
}

function Taken({ detail: { alerts, item } }: { detail: RuleDetail }) {
  if (alerts === undefined) return null;
  const total = item.takes?.alerts ?? alerts.length;
  return (
    <Box sx={{ borderTop: 1, borderColor: 'divider' }}>
      <Section title="What it took">
        {alerts.length === 0 ? (
          <Typography color="textSecondary">No alert that is in the cluster now went by this rule.</Typography>
        ) : (
          <>
            {total > alerts.length && (
              <Typography color="textSecondary">
                The {alerts.length} most urgent of {number(total)}.
              </Typography>
            )}
            <Box sx={{ mx: -4 }}>
              <AlertTable
                rows={alerts.map((one) => ({ item: one, isGone: false }))}
                showsNamespace={false}
                showsIncident={item.action === 'Open'}
                showsWhy={false}
                isDimmed={false}
              />
            </Box>
          </>
        )}
      </Section>
    </Box>
  );
}
