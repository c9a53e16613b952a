/** One facet of a list: its values with their counts, any number of which can be chosen. */
import ArrowDropDown from '@mui/icons-material/ArrowDropDown';
import CheckBox from '@mui/icons-material/CheckBox';
import CheckBoxOutlineBlank from '@mui/icons-material/CheckBoxOutlineBlank';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState } from 'react';

/** As many values as a menu can show and a person can read; the search field finds the rest. */
const MOST_VALUES = 40;

interface FacetMenuProps {
  label: string;
  counts: Record<string, number>;
  chosen: readonly string[];
  /** Fixed order of values; others follow by count. */
  order?: readonly string[];
  word?: (value: string) => string;
  onChange: (chosen: string[]) => void;
}

export function FacetMenu({ label, counts, chosen, order = [], word = (value) => value, onChange }: FacetMenuProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  // As they stood when it was opened: counts change while someone points at one of them.
  const [held, setHeld] = useState<readonly string[]>([]);
  const latest = [
    ...order.filter((value) => value in counts || chosen.includes(value)),
    ...Object.keys(counts).sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a.localeCompare(b)),
    ...chosen,
  ];
  const values = [...new Set([...held, ...latest])];
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  return (
    <>
      <Button
        onClick={(event) => {
          setHeld(latest);
          setAnchor(event.currentTarget);
        }}
        endIcon={<ArrowDropDown />}
        aria-haspopup="menu"
        color="inherit"
        sx={{ color: chosen.length > 0 ? 'primary.main' : 'text.secondary', '& .MuiButton-endIcon': { ml: 0 } }}
      >
        {label}
        {chosen.length > 0 && `: ${chosen.length === 1 ? word(chosen[0] ?? '') : chosen.length}`}
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {values.length === 0 && <MenuItem disabled>No values yet</MenuItem>}
        {values.slice(0, MOST_VALUES).map((value) => (
          <MenuItem
            key={value}
            role="menuitemcheckbox"
            aria-checked={chosen.includes(value)}
            onClick={() => toggle(value)}
            sx={{ gap: 2, maxWidth: 360 }}
          >
            {chosen.includes(value) ? (
              <CheckBox fontSize="small" color="primary" />
            ) : (
              <CheckBoxOutlineBlank fontSize="small" sx={{ color: 'text.secondary' }} />
            )}
            <Box component="span" sx={{ flex: 1, overflow: 'hidden', textOverflow: 'ellipsis' }}>
              {word(value)}
            </Box>
            <Box component="span" sx={{ color: 'text.secondary' }}>
              {counts[value] ?? 0}
            </Box>
          </MenuItem>
        ))}
        {chosen.length > 0 && <MenuItem onClick={() => onChange([])}>Clear</MenuItem>}
      </Menu>
    </>
  );
}
