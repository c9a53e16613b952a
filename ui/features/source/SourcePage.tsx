/** One source: how to connect its sender, what comes in, what was refused, and ways to try it. */
import type { Rejection } from '@funnelai/domain/wire-sources';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useSource } from '../../api/queries.ts';
import { sourcesPath } from '../../app/paths.ts';
import { useTitle } from '../../app/use-title.ts';
import { Columns, YamlSection } from '../../components/Columns.tsx';
import { NameLine } from '../../components/NameLine.tsx';
import { number } from '../../components/number.ts';
import { Failing, Loading, OldData, StateView } from '../../components/StateView.tsx';
import { Age } from '../../components/Time.tsx';
import { rateWord, refusedOf, waitWords } from '../sources/words.ts';
import { Connect } from './Connect.tsx';
import { Rejections } from './Rejections.tsx';
import { SendTest } from './SendTest.tsx';
import { SetAsideSection } from './SetAside.tsx';
import { State } from './State.tsx';
import { type Draft, FIELD_ID, TryBody } from './TryBody.tsx';

const EMPTY: Draft = { body: '', contentType: 'application/json', path: '', headers: '' };

export function SourcePage() {
  const { namespace = '', name = '' } = useParams();
  // Another source is another page: what was typed for one is not for the next.
  return <Page key={`${namespace}/${name}`} namespace={namespace} name={name} />;
}

function Page({ namespace, name }: { namespace: string; name: string }) {
  const query = useSource(namespace, name);
  const [draft, setDraft] = useState(EMPTY);
  useTitle(name);
  const error = query.error === null ? undefined : asApiError(query.error);
  const retry = () => void query.refetch();
  if (error?.status === 404) {
    return (
      <StateView
        title={query.data ? 'This source is gone' : 'There is no such source'}
        act={<Link to={sourcesPath(namespace)}>Go to the sources of {namespace}</Link>}
      >
        <Typography>{error.message}</Typography>
      </StateView>
    );
  }
  if (query.data === undefined || error?.status === 403)
    return error ? (
      <Failing error={error} what={`Source ${name}`} onRetry={retry} />
    ) : (
      <Loading label={`Loading ${name}`} />
    );
  const detail = query.data;
  const { item } = detail;
  const refused = refusedOf(item.traffic);
  const tryAgain = ({ body = '', contentType = '', path }: Rejection) => {
    setDraft({ ...EMPTY, body, contentType, path });
    const field = document.getElementById(FIELD_ID);
    field?.scrollIntoView({ block: 'center' });
    field?.focus({ preventScroll: true });
  };
  return (
    <>
      {error && <OldData error={error} readAt={query.dataUpdatedAt} onRetry={retry} />}
      <Box sx={{ flex: 1, display: 'flex', flexDirection: 'column', opacity: error ? 0.7 : 1 }}>
        <Box component="header" sx={{ px: 4, py: 3, display: 'grid', gap: 0.5 }}>
          <NameLine name={name} namespace={namespace} ready={item.ready}>
            <span>{item.format}</span>
          </NameLine>
          <Typography color="textSecondary">
            {item.lastReceivedAt === undefined ? (
              'Nothing has come yet'
            ) : (
              <>
                Last received <Age at={item.lastReceivedAt} suffix=" ago" />
              </>
            )}
            {', '}
            {rateWord(item.traffic.alertsPerMinute)} alerts a minute
            {refused > 0 && `, ${number(refused)} ${refused === 1 ? 'body' : 'bodies'} refused in 24 hours`}
            {(item.inbox?.waiting ?? 0) > 0 && `, ${waitWords(item.inbox?.waiting ?? 0)} in the inbox`}.
          </Typography>
        </Box>
        <Columns
          label="What comes in"
          aside={
            <>
              <State detail={detail} />
              <SendTest detail={detail} onSent={() => query.refetch()} />
            </>
          }
        >
          <SetAsideSection detail={detail} />
          <Connect detail={detail} />
          <TryBody detail={detail} draft={draft} onDraft={setDraft} />
          <Rejections detail={detail} onTry={tryAgain} />
        </Columns>
        <YamlSection kind="sources" namespace={namespace} name={name} />
      </Box>
    </>
  );
}
