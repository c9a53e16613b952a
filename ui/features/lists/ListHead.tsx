/** The head of a list: columns that sort, and columns that do not, in one line. */
import type { ReactNode } from 'react';
import { SortHead } from './SortHead.tsx';

export interface Column {
  label: string;
  /** What the API calls the order by this column; without it the column does not sort. */
  sort?: string;
  className?: string;
}

interface ListHeadProps {
  columns: readonly Column[];
  sort: string;
  /** Absent where the order is fixed. */
  onSort: ((sort: string) => void) | undefined;
  /** In front of the columns: the box that chooses all. */
  children?: ReactNode;
}

export function ListHead({ columns, sort, onSort, children }: ListHeadProps) {
  return (
    <thead>
      <tr>
        {children}
        {columns.map(({ label, sort: id, className = '' }) =>
          id !== undefined && onSort ? (
            <SortHead key={label} id={id} label={label} sort={sort} onSort={onSort} className={className} />
          ) : (
            <th key={label} scope="col" className={className}>
              <span>{label}</span>
            </th>
          ),
        )}
      </tr>
    </thead>
  );
}
