/** A test of the whole way: one alert, marked as a test, sent and resolved by the same button. */
import type { SourceDetail, TestRequest } from '@funnelai/domain/wire-sources';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { Link } from 'react-router';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { sendTest } from '../../api/writes.ts';
import { useActs } from '../../app/acts.ts';
import { alertPath, incidentPath } from '../../app/paths.ts';
import { AlertState } from '../../components/AlertState.tsx';
import { Reasoned } from '../../components/Reasoned.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { Section } from '../../components/Section.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Age } from '../../components/Time.tsx';
import { useToast } from '../../components/Toasts.tsx';

/** As senders say it, and what comes of it where nobody has made rules. */
const SEVERITIES = [
  { word: 'info', says: 'info: only recorded' },
  { word: 'warning', says: 'warning: may open an incident' },
  { word: 'critical', says: 'critical: may open an incident' },
] as const;

export function SendTest({ detail, onSent }: { detail: SourceDetail; onSent: () => Promise<unknown> }) {
  const { item, test, testRefused } = detail;
  const [severity, setSeverity] = useState<string>(SEVERITIES[0].word);
  const [isBusy, setBusy] = useState(false);
  const [refused, setRefused] = useState<ApiError>();
  const toast = useToast();
  const isFiring = test?.state === 'Firing';
  const label = isFiring ? 'Resolve the test alert' : 'Send a test alert';
  const run = async () => {
    setBusy(true);
    setRefused(undefined);
    const request: TestRequest = isFiring ? { state: 'Resolved' } : { state: 'Firing', severity };
    try {
      const { outcome } = await sendTest(item.namespace, item.name, request);
      const done = isFiring ? 'The test alert is resolved' : 'The test alert is stored';
      toast.say(outcome === 'inbox' ? `${done}; it waits in the inbox, and shows here later` : done);
      await onSent();
    } catch (error) {
      setRefused(asApiError(error));
    } finally {
      setBusy(false);
    }
  };
  useActs([
    {
      id: 'test-alert',
      title: label,
      section: 'Act',
      ...(testRefused === undefined ? {} : { disabled: testRefused }),
      run: () => void run(),
    },
  ]);
  return (
    <Section title="Test alert">
      <Typography color="textSecondary">
        Goes the whole way from here on as a sender’s would, with the label <code>funnelai_test=true</code>, and
        resolves by itself after 15 minutes. It shows that funnelAI works, not that the sender reaches it.
      </Typography>
      {test && (
        <Box sx={{ display: 'grid', gap: 0.5 }}>
          <Box sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 3, alignItems: 'center' }}>
            <AlertState state={test.state} />
            <SeverityMark severity={test.severity} />
            <span>
              <Age at={test.state === 'Firing' ? test.startsAt : test.receivedAt} suffix=" ago" />
            </span>
          </Box>
          <Link to={alertPath(test.namespace, test.name)}>{test.title}</Link>
          {test.incident === undefined ? (
            <Typography color="textSecondary">{test.explanation ?? 'No rule has answered yet'}</Typography>
          ) : (
            <span>
              In <Link to={incidentPath(test.namespace, test.incident)}>{test.incident}</Link>
            </span>
          )}
        </Box>
      )}
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2, alignItems: 'center', mt: 1 }}>
        {!isFiring && (
          <TextField
            select
            label="Severity"
            value={severity}
            onChange={(event) => setSeverity(event.target.value)}
            disabled={testRefused !== undefined}
            sx={{ flex: '1 1 160px', maxWidth: 280 }}
          >
            {SEVERITIES.map(({ word, says }) => (
              <MenuItem key={word} value={word}>
                {says}
              </MenuItem>
            ))}
          </TextField>
        )}
        <Reasoned reason={testRefused}>
          <Button variant="outlined" onClick={() => void run()} loading={isBusy}>
            {label}
          </Button>
        </Reasoned>
      </Box>
      {refused && <Refusal error={refused} onKeepTheirs={() => setRefused(undefined)} />}
    </Section>
  );
}
