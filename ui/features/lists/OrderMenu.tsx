/** The order of a list where there is no room for heads of columns: the same orders as they give, in a menu. */
import ArrowDownward from '@mui/icons-material/ArrowDownward';
import ArrowDropDown from '@mui/icons-material/ArrowDropDown';
import ArrowUpward from '@mui/icons-material/ArrowUpward';
import Button from '@mui/material/Button';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState } from 'react';
import type { Column } from './ListHead.tsx';
import { nextSort } from './SortHead.tsx';

interface OrderMenuProps {
  columns: readonly Column[];
  /** What the usual order is: "Most urgent first". */
  usual: string;
  sort: string;
  onSort: (sort: string) => void;
}

export function OrderMenu({ columns, usual, sort, onSort }: OrderMenuProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const by = sort.replace(/^-/, '');
  const isDown = sort.startsWith('-');
  const orders = columns.flatMap(({ label, sort: id }) => (id === undefined ? [] : [{ label, id }]));
  const chosen = orders.find(({ id }) => id === by)?.label ?? usual;
  const Icon = isDown ? ArrowDownward : ArrowUpward;
  const choose = (next: string) => {
    setAnchor(null);
    onSort(next);
  };
  return (
    <>
      <Button
        color="inherit"
        aria-haspopup="menu"
        aria-label={`Order: ${chosen}${by === '' ? '' : isDown ? ', descending' : ', ascending'}`}
        onClick={(event) => setAnchor(event.currentTarget)}
        endIcon={<ArrowDropDown />}
        sx={{
          // Beside another one it stands close to it.
          ml: 'auto',
          'button + &': { ml: 0 },
          mr: -2,
          color: by === '' ? 'text.secondary' : 'primary.main',
          '& .MuiButton-endIcon': { ml: 0 },
          // From here on the table has its heads.
          '@media (min-width: 1024px)': { display: 'none' },
        }}
      >
        {by === '' ? 'Order' : chosen}
        {by !== '' && <Icon sx={{ fontSize: 14, ml: 1 }} />}
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        <MenuItem role="menuitemradio" aria-checked={by === ''} selected={by === ''} onClick={() => choose('')}>
          {usual}
        </MenuItem>
        {orders.map(({ label, id }) => (
          <MenuItem
            key={id}
            role="menuitemradio"
            aria-checked={id === by}
            selected={id === by}
            onClick={() => choose(nextSort(sort, id) || id)}
            sx={{ gap: 2 }}
          >
            {label}
            {id === by && <Icon sx={{ fontSize: 14 }} />}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
