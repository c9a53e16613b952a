/** The rows of the incident list. The focused row is the chosen one: `j` and `k` move the focus, Enter follows its link. */

import type { IncidentItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import { memo } from 'react';
import { Link, useNavigate } from 'react-router';
import { incidentPath } from '../../app/paths.ts';
import { PhaseMark } from '../../components/PhaseMark.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Age } from '../../components/Time.tsx';
import { Table } from '../../components/table.ts';
import type { Row } from '../lists/held-rows.ts';
import { SortHead } from '../lists/SortHead.tsx';

interface IncidentTableProps {
  rows: readonly Row<IncidentItem>[];
  showsNamespace: boolean;
  sort: string;
  onSort: (sort: string) => void;
  /** Old data, or that of the last filter: greyed. */
  isDimmed: boolean;
}

const IncidentRow = memo(function IncidentRow({
  row: { item, isGone },
  showsNamespace,
}: {
  row: Row<IncidentItem>;
  showsNamespace: boolean;
}) {
  const navigate = useNavigate();
  const path = incidentPath(item.namespace, item.name);
  return (
    // The link in the row is for the keyboard; the rest of the row is a larger target for the pointer.
    <tr
      data-gone={isGone}
      data-name={item.name}
      onClick={(event) => {
        if ((event.target as HTMLElement).closest('a') === null && !window.getSelection()?.toString())
          void navigate(path);
      }}
    >
      <td>
        <SeverityMark severity={item.severity} />
      </td>
      <td className="wideOnly">{item.priority ?? ''}</td>
      <td className="wide">
        <div className="pair">
          <Link to={path} className="title" dir="auto" data-row={item.uid}>
            {item.title}
          </Link>
          <span className="name">
            {showsNamespace ? `${item.namespace}/` : ''}
            {item.name}
          </span>
        </div>
      </td>
      <td>
        <Box component="span" sx={{ display: 'inline-flex', gap: 1.5 }}>
          <PhaseMark phase={item.phase} />
          <span className="muted">
            <Age at={item.phaseSince} />
          </span>
          {item.alertsCleared && item.phase !== 'Closed' && <span className="muted wideOnly">· alerts cleared</span>}
          {isGone && <span className="muted">· no longer in this list</span>}
        </Box>
      </td>
      <td className="clip" title={item.owner}>
        {item.owner ?? <span className="muted">nobody</span>}
      </td>
      <td className="num wideOnly" title={`${item.alerts.firing} firing of ${item.alerts.total}`}>
        {item.alerts.firing}
        <span className="muted">/{item.alerts.total}</span>
      </td>
      <td className="clip muted wideOnly" title={item.rule}>
        {item.rule ?? ''}
      </td>
      <td className="num end">
        <Age at={item.createdAt} />
      </td>
    </tr>
  );
});

export function IncidentTable({ rows, showsNamespace, sort, onSort, isDimmed }: IncidentTableProps) {
  const head = (id: string, label: string, className?: string) => (
    <SortHead id={id} label={label} sort={sort} onSort={onSort} {...(className ? { className } : {})} />
  );
  return (
    <Table aria-label="Incidents" sx={{ opacity: isDimmed ? 0.6 : 1 }}>
      <thead>
        <tr>
          {head('severity', 'Severity')}
          {head('priority', 'Prio')}
          {head('name', 'Incident', 'wide')}
          {head('phase', 'Phase')}
          {head('owner', 'Owner')}
          {head('alerts', 'Firing', 'num')}
          <th scope="col">
            <span>Rule</span>
          </th>
          {head('age', 'Age', 'num')}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <IncidentRow key={row.item.uid} row={row} showsNamespace={showsNamespace} />
        ))}
      </tbody>
    </Table>
  );
}
