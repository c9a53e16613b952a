/** The palette of places and acts: type to narrow, arrows to choose, Enter to do. What cannot be done says why. */
import Box from '@mui/material/Box';
import InputBase from '@mui/material/InputBase';
import { useId, useState } from 'react';
import { type Act, currentActs } from '../../app/acts.ts';
import { AppDialog } from '../../components/AppDialog.tsx';
import { findActs } from './find-acts.ts';

export function Palette({ onClose }: { onClose: () => void }) {
  const [acts] = useState(currentActs);
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const id = useId();
  const found = findActs(acts, text);
  const chosen = Math.min(index, found.length - 1);
  const run = (act: Act | undefined) => {
    if (act === undefined || act.disabled !== undefined) return;
    onClose();
    // After the dialog has given the focus back, so that an act may move it.
    setTimeout(act.run);
  };
  const move = (by: number) => {
    const next = (chosen + by + found.length) % Math.max(1, found.length);
    setIndex(next);
    document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <AppDialog title="Places and acts" open onClose={onClose}>
      <Box sx={{ px: 5, pb: 2 }}>
        <InputBase
          autoFocus
          fullWidth
          value={text}
          placeholder="What do you want to do?"
          sx={{ border: 1, borderColor: 'divider', borderRadius: 1, px: 2, height: 36 }}
          slotProps={{
            input: {
              role: 'combobox',
              'aria-label': 'Find a place or an act',
              'aria-expanded': true,
              'aria-controls': `${id}-list`,
              ...(found.length > 0 ? { 'aria-activedescendant': `${id}-${chosen}` } : {}),
            },
          }}
          onChange={(event) => {
            setText(event.target.value);
            setIndex(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') move(1);
            else if (event.key === 'ArrowUp') move(-1);
            else if (event.key === 'Enter') run(found[chosen]);
            else return;
            event.preventDefault();
          }}
        />
      </Box>
      <Box
        role="listbox"
        id={`${id}-list`}
        aria-label="Places and acts"
        sx={{ px: 2, pb: 3, height: 360, overflowY: 'auto' }}
      >
        {found.length === 0 && <Box sx={{ px: 3, py: 2, color: 'text.secondary' }}>Nothing here is called that.</Box>}
        {found.map((act, i) => (
          // The combobox above takes the keys for its options.
          <Box
            key={act.id}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === chosen}
            aria-disabled={act.disabled !== undefined}
            tabIndex={-1}
            onClick={() => run(act)}
            onMouseMove={() => setIndex(i)}
            sx={{
              display: 'flex',
              gap: 3,
              px: 3,
              py: 1.5,
              borderRadius: 1,
              cursor: act.disabled ? 'default' : 'pointer',
              bgcolor: i === chosen ? 'surface.selected' : 'transparent',
            }}
          >
            <Box component="span" sx={{ width: 76, flex: 'none', color: 'text.secondary' }}>
              {act.section}
            </Box>
            <Box component="span" sx={{ flex: 1, color: act.disabled ? 'text.secondary' : 'text.primary' }}>
              {act.title}
              {act.disabled && <Box sx={{ color: 'text.secondary', fontSize: '0.75rem' }}>{act.disabled}</Box>}
            </Box>
            {act.keys && <kbd>{act.keys}</kbd>}
          </Box>
        ))}
      </Box>
    </AppDialog>
  );
}
