/** The parts that rows of every list share: the row that is one large target, and the cell with title and name. */
import type { MouseEvent, ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';

interface ListRowProps {
  /** Where a click anywhere in the row leads. */
  path: string;
  name: string;
  isGone: boolean;
  isChosen?: boolean;
  children: ReactNode;
}

const LEADS_ELSEWHERE = 'a, button, input, label';

/** The link in the row is for the keyboard; the rest of the row is a larger target for the pointer. */
export function ListRow({ path, name, isGone, isChosen = false, children }: ListRowProps) {
  const navigate = useNavigate();
  const follow = (event: MouseEvent<HTMLElement>) => {
    if ((event.target as HTMLElement).closest(LEADS_ELSEWHERE) === null && !window.getSelection()?.toString())
      void navigate(path);
  };
  return (
    <tr data-gone={isGone} data-name={name} data-chosen={isChosen} onClick={follow}>
      {children}
    </tr>
  );
}

interface TitleCellProps {
  path: string;
  uid: string;
  title: string;
  /** In small type beside the title. */
  name: string;
  /** Given where rows of several namespaces stand together. */
  namespace: string | undefined;
  children?: ReactNode;
}

export function TitleCell({ path, uid, title, name, namespace, children }: TitleCellProps) {
  return (
    <td className="wide">
      <div className="pair">
        <Link to={path} className="title" dir="auto" data-row={uid} title={title}>
          {title}
        </Link>
        <span className="name" title={name}>
          {namespace === undefined ? '' : `${namespace}/`}
          <bdi>{name}</bdi>
        </span>
      </div>
      {children}
    </td>
  );
}
