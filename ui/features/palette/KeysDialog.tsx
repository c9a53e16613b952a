/** The keys that work on this page, from the same registry that runs them. */
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import { useState } from 'react';
import { currentActs } from '../../app/acts.ts';
import { AppDialog } from '../../components/AppDialog.tsx';

export function KeysDialog({ onClose }: { onClose: () => void }) {
  const [acts] = useState(() => currentActs().filter((act) => act.keys !== undefined));
  const lines = [
    ...acts.map((act) => ({ keys: act.keys ?? '', title: act.title })),
    { keys: 'Enter', title: 'Open the row, or do what is in focus' },
    { keys: 'Ctrl K or ⌘ K', title: 'Places and acts' },
    { keys: 'Esc', title: 'Close, or leave a field' },
  ];
  return (
    <AppDialog title="Keys" open onClose={onClose}>
      <DialogContent>
        <Box
          component="dl"
          sx={{ display: 'grid', gridTemplateColumns: 'max-content 1fr', columnGap: 6, rowGap: 1.5, m: 0 }}
        >
          {lines.map(({ keys, title }) => (
            <Box key={title} sx={{ display: 'contents' }}>
              <dt>
                <kbd>{keys}</kbd>
              </dt>
              <Box component="dd" sx={{ m: 0 }}>
                {title}
              </Box>
            </Box>
          ))}
        </Box>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose} autoFocus>
          Close
        </Button>
      </DialogActions>
    </AppDialog>
  );
}
