/** The dense table of every list: plain elements styled once, because a hundred rows of styled cells are slow; two-line rows when narrow. */
import { styled } from '@mui/material/styles';
import { MONO } from '../app/theme.ts';

const DIVIDER = 'var(--mui-palette-divider)';
const MUTED = 'var(--mui-palette-text-secondary)';
const CLIPPED = { overflow: 'hidden', textOverflow: 'ellipsis' } as const;

export const Table = styled('table')(({ theme }) => ({
  width: '100%',
  borderCollapse: 'collapse',
  fontSize: '0.8125rem',
  // A whole number: halves of a pixel put marks and words of one row on two lines.
  lineHeight: '20px',
  '& th': {
    position: 'sticky',
    top: 'var(--funnelai-top, 48px)',
    zIndex: 5,
    textAlign: 'left',
    fontWeight: 500,
    color: MUTED,
    background: 'var(--mui-palette-background-default)',
    boxShadow: `inset 0 -1px 0 ${DIVIDER}`,
  },
  '& th > span': { display: 'inline-flex', alignItems: 'center', minHeight: 24, verticalAlign: 'baseline' },
  '& th, & td': { padding: '0 8px', height: 36, whiteSpace: 'nowrap', verticalAlign: 'middle' },
  '& th:first-of-type, & td:first-of-type': { paddingLeft: 16 },
  '& th:last-of-type, & td:last-of-type': { paddingRight: 16 },
  '& tbody tr': { borderBottom: `1px solid ${DIVIDER}`, cursor: 'pointer' },
  '& tbody tr:hover': { background: 'var(--mui-palette-surface-hover)' },
  '& tbody tr:focus-within': {
    background: 'var(--mui-palette-surface-selected)',
    boxShadow: 'inset 3px 0 0 var(--mui-palette-primary-main)',
  },
  '& tbody tr[data-gone="true"]': { color: MUTED },
  '& tbody tr[data-gone="true"] .title': { textDecoration: 'line-through' },
  '& tbody tr[data-chosen="true"]': { background: 'var(--mui-palette-surface-selected)' },
  // The whole cell chooses: a box alone is a small target.
  '& .choose': { padding: '0 !important', width: 36 },
  '& .choose label': { display: 'grid', placeItems: 'center', width: 36, height: 35, cursor: 'pointer' },
  '& .choose input': { width: 14, height: 14, margin: 0, accentColor: 'var(--mui-palette-primary-main)' },
  '& .num': { textAlign: 'right' },
  '& .wide': { width: '100%', maxWidth: 0 },
  '& .clip': { ...CLIPPED, maxWidth: 180 },
  '& .clip.sentence': { maxWidth: 200, [theme.breakpoints.up('lg')]: { maxWidth: 320 } },
  '& .muted': { color: MUTED },
  '& .pair': { display: 'flex', columnGap: 12, alignItems: 'baseline', minWidth: 0 },
  // The name beside it gives way first.
  '& .title': {
    ...CLIPPED,
    flex: '0 0 auto',
    maxWidth: '100%',
    color: 'inherit',
    textDecoration: 'none',
    whiteSpace: 'nowrap',
  },
  '& a.title:hover': { textDecoration: 'underline' },
  '& .name': { ...CLIPPED, minWidth: 0, fontFamily: MONO, fontSize: '0.75rem', color: MUTED },
  '& .pair:has(+ .why)': { paddingTop: 6 },
  '& .why': { whiteSpace: 'normal', overflowWrap: 'anywhere', fontSize: '0.75rem', paddingBottom: 6 },
  // The title is what a row is about: where room is short, others give way first.
  [theme.breakpoints.down('lg')]: {
    '& .roomyOnly': { display: 'none' },
    '& .clip': { maxWidth: 132 },
  },
  [theme.breakpoints.down(1_024)]: {
    '&, & tbody': { display: 'block' },
    // There is no room for heads of columns; who comes to them by keyboard sees where they are.
    '& thead:not(:focus-within)': {
      position: 'absolute',
      width: 1,
      height: 1,
      overflow: 'hidden',
      clipPath: 'inset(50%)',
    },
    '& thead, & thead tr': { display: 'flex', flexWrap: 'wrap', columnGap: 12, padding: '0 8px' },
    '& th, & th:first-of-type, & th:last-of-type': {
      position: 'static',
      padding: 0,
      height: 'auto',
      boxShadow: 'none',
    },
    '& th.wide': { width: 'auto', maxWidth: 'none' },
    // Two lines: severity, title, age; then name, state and person. The cell with title and name gives way to its parts.
    '& tbody tr': {
      display: 'flex',
      flexWrap: 'wrap',
      alignItems: 'center',
      columnGap: 12,
      rowGap: 1,
      padding: '8px 16px',
    },
    // The first line ends here, whether or not the next part would find room in it.
    '& tbody tr::after': { content: '""', order: 3, flexBasis: '100%', height: 0 },
    '& td, & td:first-of-type, & td:last-of-type': { padding: 0, height: 'auto', order: 5 },
    '& td.choose, & td.choose label': { order: 0, width: 24, height: 24 },
    // Titles begin below each other, however short the word before them is.
    '& td.severity': { order: 1, minWidth: 72 },
    '& td.wide, & td.wide .pair': { display: 'contents' },
    '& .title': { order: 2, flex: '1 1 0', minWidth: 0, textAlign: 'left' },
    '& td.end, & td.end:last-of-type': { order: 3, marginLeft: 'auto' },
    '& .name': { order: 4, flex: '1 1 0', minWidth: 72 },
    '& .why': { order: 9, flex: '1 1 100%', paddingBottom: 0 },
    '& td.clip': { maxWidth: 104 },
    '& td.clip.sentence': { maxWidth: '100%' },
    '& td.wideOnly, & .wideOnly': { display: 'none' },
  },
}));
