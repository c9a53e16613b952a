/** Declaring an incident: what it is, how bad, who is on it; beside it the open ones that may be the same, and whom it will page. */
import type { Priority, Severity } from '@funnelai/crds/generated/types';
import { defaultPriority, SEVERITIES } from '@funnelai/domain/severity';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Checkbox from '@mui/material/Checkbox';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import FormControlLabel from '@mui/material/FormControlLabel';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { keys } from '../../api/keys.ts';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { useIncidents } from '../../api/queries.ts';
import { declareIncident, nameOf } from '../../api/writes.ts';
import { ALL } from '../../app/choose-namespace.ts';
import { incidentPath } from '../../app/paths.ts';
import { useNamespace, useRefusal, useSession } from '../../app/session.tsx';
import { AppDialog } from '../../components/AppDialog.tsx';
import { PhaseMark } from '../../components/PhaseMark.tsx';
import { Reasoned } from '../../components/Reasoned.tsx';
import { SeverityMark, SeverityShape } from '../../components/SeverityMark.tsx';
import { Age } from '../../components/Time.tsx';
import { useToast } from '../../components/Toasts.tsx';
import { similarIncidents } from './similar.ts';
import { parseFilter, toQuery } from './url.ts';

const PRIORITIES: readonly Priority[] = ['P1', 'P2', 'P3', 'P4', 'P5'];
const TITLE_MAX = 256;

interface Draft {
  title: string;
  summary: string;
  severity: Severity;
  priority: Priority | undefined;
  onIt: boolean;
}
const EMPTY: Draft = { title: '', summary: '', severity: 'High', priority: undefined, onIt: true };
/** What was typed and neither declared nor cancelled: nobody types it twice at a bad hour. */
let kept: { user: string; draft: Draft } | undefined;

export function DeclareDialog({ onClose }: { onClose: () => void }) {
  const { me, namespaces } = useSession();
  const { shown } = useNamespace();
  const navigate = useNavigate();
  const client = useQueryClient();
  const toast = useToast();
  const [namespace, setNamespace] = useState(
    shown === ALL ? (namespaces.namespaces.length === 1 ? (namespaces.namespaces[0] ?? '') : '') : shown,
  );
  const [draft, setDraft] = useState(kept?.user === me.user ? kept.draft : EMPTY);
  const { title, summary, severity, priority, onIt } = draft;
  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    kept = { user: me.user, draft: next };
    setDraft(next);
  };
  const holdsText = title.trim() !== '' || summary.trim() !== '';
  /** Escape, or a similar incident that is opened: the text is there again when it is declared after all. */
  const leave = () => {
    if (holdsText) toast.say('Your text is kept: Declare shows it again');
    onClose();
  };
  const [isBusy, setBusy] = useState(false);
  const [isTried, setTried] = useState(false);
  const [error, setError] = useState<ApiError>();
  const refusal = useRefusal(namespace === '' ? undefined : namespace, 'incidents', 'create');
  const open = useIncidents(toQuery(parseFilter(new URLSearchParams()), namespace), namespace !== '');
  const similar = similarIncidents(title, open.data?.items ?? []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (title.trim() === '' || namespace === '') return;
    setBusy(true);
    setError(undefined);
    try {
      const declared = await declareIncident(namespace, {
        title: title.trim(),
        severity,
        onIt,
        ...(summary.trim() ? { summary: summary.trim() } : {}),
        ...(priority ? { priority } : {}),
      });
      void client.invalidateQueries({ queryKey: keys.incidentLists });
      kept = undefined;
      onClose();
      await navigate(incidentPath(namespace, nameOf(declared)));
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  const fault = (field: string): string | undefined =>
    error?.problem.field?.includes(field) ? error.message : undefined;
  const isAtField = ['title', 'severity', 'summary'].some((field) => fault(field) !== undefined);
  const titleFault = fault('title') ?? (isTried && title.trim() === '' ? 'Say in one line what is wrong.' : undefined);
  return (
    <AppDialog title="Declare an incident" open onClose={leave} holdsText={holdsText}>
      <Box component="form" onSubmit={submit} noValidate>
        <DialogContent sx={{ display: 'grid', gap: 3 }}>
          {(shown === ALL || refusal !== undefined) && (
            <TextField
              select
              label="Namespace"
              value={namespace}
              onChange={(event) => setNamespace(event.target.value)}
              error={isTried && namespace === ''}
              helperText={isTried && namespace === '' ? 'Choose where it belongs.' : undefined}
              sx={{ mt: 2 }}
            >
              {namespaces.namespaces.map((name) => (
                <MenuItem key={name} value={name}>
                  {name}
                </MenuItem>
              ))}
            </TextField>
          )}
          <TextField
            label="What is wrong"
            value={title}
            onChange={(event) => change({ title: event.target.value })}
            autoFocus
            required
            error={titleFault !== undefined}
            helperText={titleFault}
            slotProps={{ htmlInput: { maxLength: TITLE_MAX } }}
            sx={{ mt: 2 }}
          />
          {similar.length > 0 && (
            <Box
              role="status"
              sx={{ border: 1, borderColor: 'divider', borderRadius: 1, p: 2, display: 'grid', gap: 1 }}
            >
              <Typography color="textSecondary">Open already, and perhaps the same:</Typography>
              {similar.map((item) => (
                <Box key={item.uid} sx={{ display: 'flex', gap: 2, alignItems: 'center', minWidth: 0 }}>
                  <SeverityShape severity={item.severity} />
                  <Link
                    to={incidentPath(item.namespace, item.name)}
                    onClick={leave}
                    dir="auto"
                    style={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap', flex: 1 }}
                  >
                    {item.title}
                  </Link>
                  <PhaseMark phase={item.phase} />
                  <Age at={item.createdAt} />
                </Box>
              ))}
            </Box>
          )}
          <Box sx={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(152px, 1fr))', gap: 3 }}>
            <TextField
              select
              label="Severity"
              value={severity}
              onChange={(event) => change({ severity: event.target.value as Severity })}
              error={fault('severity') !== undefined}
              helperText={fault('severity')}
            >
              {SEVERITIES.map((one) => (
                <MenuItem key={one} value={one}>
                  <SeverityMark severity={one} />
                </MenuItem>
              ))}
            </TextField>
            <TextField
              select
              label="Priority"
              value={priority ?? ''}
              onChange={(event) => change({ priority: (event.target.value || undefined) as Priority | undefined })}
              slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
            >
              <MenuItem value="">{`${defaultPriority(severity)}, from severity`}</MenuItem>
              {PRIORITIES.map((one) => (
                <MenuItem key={one} value={one}>
                  {one}
                </MenuItem>
              ))}
            </TextField>
          </Box>
          <TextField
            label="Summary (Markdown, optional)"
            value={summary}
            onChange={(event) => change({ summary: event.target.value })}
            multiline
            minRows={2}
            maxRows={8}
            error={fault('summary') !== undefined}
            helperText={fault('summary')}
          />
          <FormControlLabel
            control={
              <Checkbox size="small" checked={onIt} onChange={(event) => change({ onIt: event.target.checked })} />
            }
            label={`I am on it: it starts as responding, owned by ${me.user}`}
          />
          {!me.paging && (
            <Typography color={onIt ? 'textSecondary' : 'error'}>
              Nobody will be paged: there is no escalation policy. Tell the people you need yourself.
            </Typography>
          )}
          {error && !isAtField && (
            <Typography role="alert" color="error">
              {error.message} {error.problem.missing && <code>{error.problem.missing.grant}</code>}{' '}
              {error.problem.requestId && `Request ${error.problem.requestId}.`}
            </Typography>
          )}
          {refusal && namespace !== '' && <Typography color="error">{refusal}</Typography>}
        </DialogContent>
        <DialogActions>
          <Button
            onClick={() => {
              kept = undefined;
              onClose();
            }}
          >
            {holdsText ? 'Discard' : 'Cancel'}
          </Button>
          <Reasoned reason={namespace === '' ? undefined : refusal}>
            <Button type="submit" variant="contained" loading={isBusy}>
              Declare
            </Button>
          </Reasoned>
        </DialogActions>
      </Box>
    </AppDialog>
  );
}
