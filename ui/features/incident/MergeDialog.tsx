/** Merging: incidents close, and another takes their alerts. Asks first, for it cannot be undone by one move. */
import type { IncidentItem } from '@funnelai/domain/wire';
import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { type ReactNode, useState } from 'react';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { useIncidents } from '../../api/queries.ts';
import { AppDialog } from '../../components/AppDialog.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { SeverityShape } from '../../components/SeverityMark.tsx';
import { parseFilter, toQuery } from '../incidents/url.ts';
import { MOST_ROWS } from '../lists/limits.ts';
import { useMove } from './use-move.ts';

interface MergeIntoDialogProps {
  title: string;
  /** Where the one that takes over is looked for; undefined is in all namespaces. */
  namespace: string | undefined;
  /** May this one take over? */
  isOffered: (item: IncidentItem) => boolean;
  /** How many the merge is for, with the target chosen so far. */
  about: (target: IncidentItem | undefined) => { count: number; sentence?: ReactNode };
  /** May throw ApiError, which is then shown. */
  onMerge: (target: IncidentItem) => Promise<void>;
  onClose: () => void;
}

export function MergeIntoDialog({ title, namespace, isOffered, about, onMerge, onClose }: MergeIntoDialogProps) {
  const [target, setTarget] = useState<IncidentItem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const filter = { ...parseFilter(new URLSearchParams()), limit: MOST_ROWS };
  const open = useIncidents(toQuery(filter, namespace));
  const { count, sentence } = about(target ?? undefined);
  const merge = async () => {
    if (target === null) return;
    setBusy(true);
    setError(undefined);
    try {
      await onMerge(target);
      onClose();
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  return (
    <AppDialog title={title} open onClose={onClose} holdsText={target !== null}>
      <DialogContent sx={{ display: 'grid', gap: 3 }}>
        <Typography>
          {count === 1
            ? 'This incident closes, and its alerts, with those that will come for its group, go to the other one. Opening it again takes them back.'
            : 'These incidents close, and their alerts, with those that will come for their groups, go to the other one. Opening one again takes its alerts back.'}
        </Typography>
        <Autocomplete
          options={(open.data?.items ?? []).filter(isOffered)}
          loading={open.isPending}
          value={target}
          onChange={(_, value) => setTarget(value)}
          getOptionLabel={(one) => `${one.title} (${one.name})`}
          isOptionEqualToValue={(a, b) => a.uid === b.uid}
          renderOption={({ key, ...props }, one) => (
            <Box component="li" {...props} key={one.uid} sx={{ display: 'flex', gap: 2 }}>
              <SeverityShape severity={one.severity} />
              <span>
                <bdi>{one.title}</bdi>{' '}
                <code>{namespace === undefined ? `${one.namespace}/${one.name}` : one.name}</code>
              </span>
            </Box>
          )}
          renderInput={(params) => (
            <TextField {...params} label="Open incident that takes over" autoFocus sx={{ mt: 2 }} />
          )}
          noOptionsText="No other incident is open here by that name"
        />
        {sentence && <Typography role="status">{sentence}</Typography>}
        {error && <Refusal error={error} onKeepTheirs={onClose} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          variant="contained"
          disabled={target === null || count === 0}
          loading={isBusy}
          onClick={() => void merge()}
        >
          {count === 1 ? 'Merge' : `Merge ${count}`}
        </Button>
      </DialogActions>
    </AppDialog>
  );
}

/** One incident into another, from its own page. */
export function MergeDialog({ item, onClose }: { item: IncidentItem; onClose: () => void }) {
  // What the person saw when they decided; a change meanwhile must not slip under their hands.
  const [seen] = useState(item);
  const move = useMove();
  const merge = async (target: IncidentItem) => {
    await move(seen, 'Closed', {
      edits: [{ field: 'mergedInto', from: seen.mergedInto ?? null, to: target.name }],
      reason: `merged into ${target.name}`,
    });
  };
  return (
    <MergeIntoDialog
      title={`Merge ${item.name} into another`}
      namespace={item.namespace}
      isOffered={(one) => one.uid !== item.uid}
      about={() => ({ count: 1 })}
      onMerge={merge}
      onClose={onClose}
    />
  );
}
