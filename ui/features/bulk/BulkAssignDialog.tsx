/** Giving the chosen incidents to one owner, or to nobody. */
import type { IncidentItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { type FormEvent, useState } from 'react';
import { useSession } from '../../app/session.tsx';
import { AppDialog } from '../../components/AppDialog.tsx';
import { Reasoned } from '../../components/Reasoned.tsx';
import { appliesTo, mayAssign, NONE, permitted, sentenceOf } from './applies.ts';
import type { BulkActs } from './use-bulk-acts.ts';

/** Bound of spec.owner.name. */
const OWNER_MAX = 256;

interface BulkAssignDialogProps {
  chosen: readonly IncidentItem[];
  refusalIn: Parameters<typeof permitted>[0];
  acts: BulkActs;
  onClose: () => void;
}

export function BulkAssignDialog({ chosen, refusalIn, acts, onClose }: BulkAssignDialogProps) {
  const { me } = useSession();
  const [seen] = useState(chosen);
  const [text, setText] = useState(me.user);
  const owner = text.trim();
  const applies = appliesTo(seen, permitted(refusalIn, mayAssign(owner)));
  const go = (event: FormEvent) => {
    event.preventDefault();
    if (applies.to.length === 0) return;
    onClose();
    void acts.assign(applies.to, owner);
  };
  return (
    <AppDialog
      title={`Assign ${seen.length} incidents`}
      open
      onClose={onClose}
      maxWidth="xs"
      holdsText={text !== me.user}
    >
      <Box component="form" onSubmit={go}>
        <DialogContent sx={{ display: 'grid', gap: 3 }}>
          <TextField
            label="Owner"
            value={text}
            autoFocus
            onChange={(event) => setText(event.target.value)}
            helperText={
              owner === ''
                ? 'Empty: nobody will own them.'
                : owner === me.user
                  ? 'This is you.'
                  : 'Their user name in Kubernetes, as kubectl auth whoami prints it.'
            }
            slotProps={{ htmlInput: { maxLength: OWNER_MAX, spellCheck: false, autoCapitalize: 'none' } }}
            sx={{ mt: 2 }}
          />
          <Typography role="status">{sentenceOf(applies)}</Typography>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Reasoned reason={applies.to.length === 0 ? NONE : undefined}>
            <Button type="submit" variant="contained">
              {owner === '' ? `Take from ${applies.to.length}` : `Assign ${applies.to.length}`}
            </Button>
          </Reasoned>
        </DialogActions>
      </Box>
    </AppDialog>
  );
}
