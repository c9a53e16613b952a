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
import { AppDialog } from '../../components/AppDialog.tsx';
import { number } from '../../components/number.ts';
import { Reasoned } from '../../components/Reasoned.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { NONE } from '../bulk/applies.ts';
import { MergeTarget } from './MergeTarget.tsx';
import { fitting } from './merge-targets.ts';
import { type MergeTargets, useMergeTargets } from './use-merge-targets.ts';
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
  const [typed, setTyped] = useState('');
  const { open, offered, gone, more } = useMergeTargets(namespace, isOffered, typed);
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
      <DialogContent sx={{ display: 'grid', gap: 3, gridTemplateColumns: 'minmax(0, 1fr)' }}>
        <Typography>
          {count === 1
            ? 'This incident closes, and its alerts, with those that will come for its group, go to the other one. Opening it again takes them back.'
            : 'These incidents close, and their alerts, with those that will come for their groups, go to the other one. Opening one again takes its alerts back.'}
        </Typography>
        {open.data === undefined && open.error !== null && (
          <Box role="alert" sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 2 }}>
            <Typography color="error" sx={{ flex: '1 1 240px', overflowWrap: 'anywhere' }}>
              The open incidents could not be read. {asApiError(open.error).message}
            </Typography>
            <Button variant="outlined" loading={open.isFetching} onClick={() => void open.refetch()}>
              Try again
            </Button>
          </Box>
        )}
        <Autocomplete
          options={offered}
          // What stands there of the one that was chosen is no search.
          filterOptions={() => fitting(offered, typed)}
          onInputChange={(_, text, why) => setTyped(why === 'input' ? text : '')}
          getOptionDisabled={({ uid }) => gone.has(uid)}
          loading={open.isPending || more?.isSearching === true}
          value={target}
          onChange={(_, value) => setTarget(value)}
          getOptionLabel={(one) => `${one.title} (${one.name})`}
          isOptionEqualToValue={(a, b) => a.uid === b.uid}
          renderOption={({ key, ...props }, one) => (
            <Box component="li" {...props} key={one.uid}>
              <MergeTarget item={one} showsNamespace={namespace === undefined} />
            </Box>
          )}
          renderInput={({ slotProps, ...params }) => (
            <TextField
              {...params}
              label="Open incident that takes over"
              autoFocus
              sx={{ mt: 2 }}
              helperText={helpOf(more)}
              slotProps={{ ...slotProps, htmlInput: { ...slotProps.htmlInput, dir: 'auto' } }}
            />
          )}
          loadingText="Looking for them"
          noOptionsText={open.data ? 'No other incident is open here by that name' : 'They could not be read'}
        />
        {target && (
          <Box
            role="group"
            aria-label="It takes over"
            sx={{ border: 1, borderColor: 'divider', borderRadius: 1, p: 2, minWidth: 0 }}
          >
            <MergeTarget item={target} showsNamespace={namespace === undefined} />
          </Box>
        )}
        {sentence && <Typography role="status">{sentence}</Typography>}
        {error && <Refusal error={error} onKeepTheirs={onClose} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Reasoned
          reason={target === null ? 'Choose the incident that takes over first' : count === 0 ? NONE : undefined}
        >
          <Button variant="contained" loading={isBusy} onClick={() => void merge()}>
            {count === 1 ? 'Merge' : `Merge ${count}`}
          </Button>
        </Reasoned>
      </DialogActions>
    </AppDialog>
  );
}

/** Said only where they are not all listed. */
function helpOf(more: MergeTargets['more']): string | undefined {
  if (more === undefined) return undefined;
  const listed = `Of ${number(more.total)} open ones the ${number(more.listed)} most urgent are listed`;
  return more.error === null
    ? `${listed}; type a name, a title or an owner to find the others.`
    : `${listed}. The others could not be searched: ${asApiError(more.error).message}`;
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
