/** Moving the chosen incidents to one phase: to how many it applies, why not to the others, and whether it can be undone. */
import type { Incident, Phase } from '@funnelai/crds/generated/types';
import { PHASES, shownAs } from '@funnelai/domain/lifecycle';
import type { IncidentItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { type FormEvent, useState } from 'react';
import { useSession } from '../../app/session.tsx';
import { AppDialog } from '../../components/AppDialog.tsx';
import { PhaseMark } from '../../components/PhaseMark.tsx';
import { Reasoned } from '../../components/Reasoned.tsx';
import { useKeptText } from '../../components/use-kept-text.ts';
import { ENDINGS, REASON_MAX } from '../incident/MoveDialog.tsx';
import { pagesAgain, reversalOf } from '../incident/moves.ts';
import { appliesTo, type Judge, mayMove, NONE, permitted, sentenceOf, targetsOf } from './applies.ts';
import type { BulkActs } from './use-bulk-acts.ts';

type Ending = NonNullable<NonNullable<Incident['spec']['resolution']>['reason']>;

interface BulkMoveDialogProps {
  chosen: readonly IncidentItem[];
  refusalIn: Parameters<typeof permitted>[0];
  acts: BulkActs;
  onClose: () => void;
}

export function BulkMoveDialog({ chosen, refusalIn, acts, onClose }: BulkMoveDialogProps) {
  const { me } = useSession();
  // What the person saw when they decided: each write is tested against it.
  const [seen] = useState(chosen);
  const targets = targetsOf(seen, PHASES);
  const [to, setTo] = useState<Phase | undefined>(targets.length === 1 ? targets[0] : undefined);
  const { text: reason, set: setReason, leave, discard } = useKeptText('move/many', onClose);
  const [ending, setEnding] = useState<Ending | ''>('');
  const judge = (target: Phase): Judge => permitted(refusalIn, mayMove(target));
  const applies = to === undefined ? undefined : appliesTo(seen, judge(to));
  const unlike = to === undefined ? [] : (applies?.to ?? []).filter(({ phase }) => !reversalOf(phase, to).isOffered);
  const go = (event: FormEvent) => {
    event.preventDefault();
    if (to === undefined || applies === undefined || applies.to.length === 0) return;
    discard();
    void acts.move(applies.to, to, {
      ...(reason.trim() ? { reason: reason.trim() } : {}),
      // How it ended is only written where nothing is known of an earlier ending: that one would be overwritten unseen.
      ...(to === 'Resolution' && ending !== ''
        ? { editsOf: () => [{ field: 'resolution', from: null, to: { reason: ending } }] }
        : {}),
    });
  };
  return (
    <AppDialog title={`Move ${seen.length} incidents`} open onClose={leave} maxWidth="xs" holdsText={reason !== ''}>
      <Box component="form" onSubmit={go}>
        <DialogContent sx={{ display: 'grid', gap: 3 }}>
          <TextField
            select
            autoFocus
            label="To phase"
            value={to ?? ''}
            onChange={(event) => setTo(event.target.value as Phase)}
            sx={{ mt: 2 }}
          >
            {targets.map((phase) => (
              <MenuItem key={phase} value={phase} sx={{ justifyContent: 'space-between', gap: 4 }}>
                <PhaseMark phase={phase} />
                <Box component="span" sx={{ color: 'text.secondary' }}>
                  {appliesTo(seen, judge(phase)).to.length} of {seen.length}
                </Box>
              </MenuItem>
            ))}
          </TextField>
          {applies && <Typography role="status">{sentenceOf(applies)}</Typography>}
          {to !== undefined && pagesAgain(to) && (
            <Typography>
              {me.paging
                ? 'This pages again.'
                : 'This would page again, but nobody is being paged: there is no escalation policy.'}
            </Typography>
          )}
          {to !== undefined && unlike.length > 0 && (
            <Typography>
              This cannot be undone for{' '}
              {unlike.length === applies?.to.length ? 'any of them' : `${unlike.length} of them`}: from {shownAs(to)}{' '}
              there is no way back to where they are.
            </Typography>
          )}
          {to === 'Resolution' && (
            <TextField
              select
              label="How they ended (optional)"
              value={ending}
              onChange={(event) => setEnding(event.target.value as Ending | '')}
            >
              <MenuItem value="">Not said</MenuItem>
              {ENDINGS.map(({ value, label }) => (
                <MenuItem key={value} value={value}>
                  {label}
                </MenuItem>
              ))}
            </TextField>
          )}
          <TextField
            label="Why (optional)"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            slotProps={{ htmlInput: { maxLength: REASON_MAX } }}
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={discard}>Cancel</Button>
          <Reasoned
            reason={applies === undefined ? 'Choose a phase first' : applies.to.length === 0 ? NONE : undefined}
          >
            <Button type="submit" variant="contained">
              {applies === undefined ? 'Move' : `Move ${applies.to.length}`}
            </Button>
          </Reasoned>
        </DialogActions>
      </Box>
    </AppDialog>
  );
}
