/** Merging: this incident closes, and the other takes its alerts. Asks first, for it cannot be undone by one move. */
import type { IncidentItem } from '@funnelai/domain/wire';
import Autocomplete from '@mui/material/Autocomplete';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { useIncidents } from '../../api/queries.ts';
import { AppDialog } from '../../components/AppDialog.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { SeverityShape } from '../../components/SeverityMark.tsx';
import { parseFilter, toQuery } from '../incidents/url.ts';
import { useMove } from './use-move.ts';

export function MergeDialog({ item, onClose }: { item: IncidentItem; onClose: () => void }) {
  const [seen] = useState(item);
  const [target, setTarget] = useState<IncidentItem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const move = useMove();
  const open = useIncidents(toQuery(parseFilter(new URLSearchParams()), item.namespace));
  const others = (open.data?.items ?? []).filter((one) => one.uid !== item.uid);
  const merge = async () => {
    if (target === null) return;
    setBusy(true);
    setError(undefined);
    try {
      await move(seen, 'Closed', {
        edits: [{ field: 'mergedInto', from: seen.mergedInto ?? null, to: target.name }],
        reason: `merged into ${target.name}`,
      });
      onClose();
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  return (
    <AppDialog title={`Merge ${item.name} into another`} open onClose={onClose}>
      <DialogContent sx={{ display: 'grid', gap: 3 }}>
        <Typography>
          This incident closes, and alerts of its group join the other one from then on. Reopening takes it out again.
        </Typography>
        <Autocomplete
          options={others}
          value={target}
          onChange={(_, value) => setTarget(value)}
          getOptionLabel={(one) => `${one.name} ${one.title}`}
          isOptionEqualToValue={(a, b) => a.uid === b.uid}
          renderOption={({ key, ...props }, one) => (
            <Box component="li" {...props} key={key} sx={{ display: 'flex', gap: 2 }}>
              <SeverityShape severity={one.severity} />
              <span>
                <bdi>{one.title}</bdi> <code>{one.name}</code>
              </span>
            </Box>
          )}
          renderInput={(params) => <TextField {...params} label="Open incident that takes over" autoFocus />}
          noOptionsText="No other incident is open in this namespace"
        />
        {error && <Refusal error={error} onKeepTheirs={onClose} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="contained" disabled={target === null} loading={isBusy} onClick={() => void merge()}>
          Merge
        </Button>
      </DialogActions>
    </AppDialog>
  );
}
