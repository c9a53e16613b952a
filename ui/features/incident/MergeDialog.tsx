/** Merging: incidents close, and another takes their alerts. Asks first, for it cannot be undone by one move. */
import type { IncidentItem, IncidentPage } from '@funnelai/domain/wire';
import Autocomplete, { createFilterOptions } from '@mui/material/Autocomplete';
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
import { number } from '../../components/number.ts';
import { Refusal } from '../../components/Refusal.tsx';
import { parseFilter, toQuery } from '../incidents/url.ts';
import { MOST_ROWS } from '../lists/limits.ts';
import { useHeldList } from '../lists/use-held-list.ts';
import { MergeTarget } from './MergeTarget.tsx';
import { useMove } from './use-move.ts';

/** So many are listed at once; typing finds the others. */
const MOST_LISTED = 100;
const filterOptions = createFilterOptions<IncidentItem>({
  limit: MOST_LISTED,
  stringify: ({ title, namespace, name, owner = '' }) => `${title} ${namespace}/${name} ${owner}`,
});

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
  const query = toQuery(filter, namespace);
  const open = useIncidents(query);
  // They keep their places while someone points at one of them.
  const { rows } = useHeldList(open, query, true).held;
  const offered = rows.filter(({ item }) => isOffered(item));
  const gone = new Set(offered.filter(({ isGone }) => isGone).map(({ item }) => item.uid));
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
          options={offered.map(({ item }) => item)}
          filterOptions={filterOptions}
          getOptionDisabled={({ uid }) => gone.has(uid)}
          loading={open.isPending}
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
              helperText={helpOf(open.data)}
              slotProps={{ ...slotProps, htmlInput: { ...slotProps.htmlInput, dir: 'auto' } }}
            />
          )}
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

/** Said only where typing alone does not find all of them. */
const helpOf = (page: IncidentPage | undefined): string | undefined =>
  page !== undefined && page.total > page.items.length
    ? `Of ${number(page.total)} open ones, the ${number(page.items.length)} most urgent can be chosen here.`
    : undefined;

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
