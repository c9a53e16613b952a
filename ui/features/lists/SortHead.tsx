/** A column's head that sorts by it: once, the other way round, and back to the usual order. */
import ArrowDownward from '@mui/icons-material/ArrowDownward';
import ArrowUpward from '@mui/icons-material/ArrowUpward';
import ButtonBase from '@mui/material/ButtonBase';

interface SortHeadProps {
  id: string;
  label: string;
  sort: string;
  onSort: (sort: string) => void;
  className?: string;
}

/** The order after a click on the column `id`. */
export function nextSort(sort: string, id: string): string {
  if (sort === id) return `-${id}`;
  return sort === `-${id}` ? '' : id;
}

export function SortHead({ id, label, sort, onSort, className = '' }: SortHeadProps) {
  const direction = sort === id ? 'ascending' : sort === `-${id}` ? 'descending' : 'none';
  const Icon = direction === 'descending' ? ArrowDownward : ArrowUpward;
  return (
    <th scope="col" className={className} aria-sort={direction}>
      <ButtonBase
        onClick={() => onSort(nextSort(sort, id))}
        sx={{
          fontSize: 'inherit',
          fontFamily: 'inherit',
          fontWeight: 500,
          gap: 1,
          verticalAlign: 'baseline',
          minHeight: 24,
          '&:hover': { color: 'text.primary' },
        }}
      >
        {label}
        {direction !== 'none' && <Icon sx={{ fontSize: 14 }} />}
      </ButtonBase>
    </th>
  );
}
