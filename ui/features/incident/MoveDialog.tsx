/** Asks before a move: why (optional), how it ended when it resolves, what the move causes, and that it cannot be taken back where that is so. */
import type { Phase } from '@funnelai/crds/generated/types';
import { canMove, shownAs } from '@funnelai/domain/lifecycle';
import type { IncidentItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { type FormEvent, useState } from 'react';
import { type ApiError, asApiError } from '../../api/problem.ts';
import { useSession } from '../../app/session.tsx';
import { AppDialog } from '../../components/AppDialog.tsx';
import { Refusal } from '../../components/Refusal.tsx';
import { useKeptText } from '../../components/use-kept-text.ts';
import { endingEdits, moveLabel, pagesAgain, type Resolution, reversalOf } from './moves.ts';
import { useMove } from './use-move.ts';

/** How an incident can have ended, in the words of people. */
export const ENDINGS: { value: NonNullable<Resolution['reason']>; label: string }[] = [
  { value: 'Fixed', label: 'Fixed' },
  { value: 'SelfResolved', label: 'Went away by itself' },
  { value: 'FalseAlarm', label: 'False alarm' },
  { value: 'Expected', label: 'Expected: planned work' },
  { value: 'Duplicate', label: 'Duplicate of another' },
];
/** Bound of spec.phaseReason. */
export const REASON_MAX = 256;

interface MoveDialogProps {
  item: IncidentItem;
  to: Phase;
  resolution: Resolution | undefined;
  onClose: () => void;
}

export function MoveDialog({ item, to, resolution, onClose }: MoveDialogProps) {
  const { me } = useSession();
  const move = useMove();
  // What the person saw when they decided; a change meanwhile must not slip under their hands.
  const [seen] = useState(item);
  const [from, setFrom] = useState(item.phase);
  const { text: reason, set: setReason, leave, discard } = useKeptText(`move/${item.uid}/${to}`, onClose);
  // One that was resolved before says how: to keep it or to change it is one look.
  const [ending, setEnding] = useState<NonNullable<Resolution['reason']> | ''>(resolution?.reason ?? '');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const label = moveLabel(from, to);
  const reversal = reversalOf(from, to);

  const go = async (phase: Phase) => {
    setBusy(true);
    setError(undefined);
    setFrom(phase);
    const edits = to === 'Resolution' ? endingEdits(resolution, ending) : [];
    try {
      await move({ ...seen, phase }, to, { edits, ...(reason.trim() ? { reason: reason.trim() } : {}) });
      discard();
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  const theirs = error?.problem.conflict?.field === 'phase' ? (error.problem.conflict.theirs as Phase | null) : null;
  const isStillPossible = theirs !== null && canMove(theirs, to);
  return (
    <AppDialog title={`${label}: ${item.name}`} open onClose={leave} maxWidth="xs" holdsText={reason !== ''}>
      <Box
        component="form"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void go(from);
        }}
      >
        <DialogContent sx={{ display: 'grid', gap: 3 }}>
          <Typography>
            {shownAs(from)} → <strong>{shownAs(to)}</strong>
          </Typography>
          {pagesAgain(to) && (
            <Typography>
              {me.paging
                ? 'This pages again.'
                : 'This would page again, but nobody is being paged: there is no escalation policy.'}
            </Typography>
          )}
          {!reversal.isOffered && <Typography>{reversal.why}</Typography>}
          {to === 'Resolution' && (
            <TextField
              select
              label="How it ended (optional)"
              value={ending}
              onChange={(event) => setEnding(event.target.value as typeof ending)}
            >
              <MenuItem value="">Not said</MenuItem>
              {ENDINGS.map(({ value, label: word }) => (
                <MenuItem key={value} value={value}>
                  {word}
                </MenuItem>
              ))}
            </TextField>
          )}
          <TextField
            label="Why (optional)"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            autoFocus
            slotProps={{ htmlInput: { maxLength: REASON_MAX } }}
          />
          {error && (
            <Refusal
              error={error}
              word={(value) => shownAs(value as Phase) ?? value}
              onKeepTheirs={discard}
              onUseMine={isStillPossible ? () => void go(theirs) : undefined}
            >
              {theirs !== null && !isStillPossible && (
                <Typography color="textSecondary">
                  From {shownAs(theirs)} it cannot go to {shownAs(to)}.
                </Typography>
              )}
            </Refusal>
          )}
        </DialogContent>
        <DialogActions>
          <Button onClick={discard}>Cancel</Button>
          <Button type="submit" variant="contained" loading={isBusy} disabled={error?.problem.conflict !== undefined}>
            {label}
          </Button>
        </DialogActions>
      </Box>
    </AppDialog>
  );
}
