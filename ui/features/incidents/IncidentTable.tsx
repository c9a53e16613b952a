/** The rows of the incident list. The focused row is the one that keys act on: `j` and `k` move the focus, Enter follows its link, `x` chooses it. */
import type { IncidentItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { memo } from 'react';
import { incidentPath } from '../../app/paths.ts';
import { countsInWords, expiredInWords } from '../../components/alert-counts.ts';
import { PhaseMark } from '../../components/PhaseMark.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Age } from '../../components/Time.tsx';
import { Table } from '../../components/table.ts';
import { ListRow, TitleCell } from '../lists/cells.tsx';
import type { Row } from '../lists/held-rows.ts';
import { type Column, ListHead } from '../lists/ListHead.tsx';
import type { Chosen } from './use-chosen.ts';

export const INCIDENT_COLUMNS: readonly Column[] = [
  { label: 'Severity', sort: 'severity' },
  { label: 'Prio', sort: 'priority' },
  { label: 'Incident', sort: 'name', className: 'wide' },
  { label: 'Phase', sort: 'phase' },
  { label: 'Owner', sort: 'owner' },
  { label: 'Firing', sort: 'alerts', className: 'num' },
  { label: 'Rule', sort: 'rule', className: 'roomyOnly' },
  { label: 'Age', sort: 'age', className: 'num' },
];

interface IncidentRowProps {
  row: Row<IncidentItem>;
  showsNamespace: boolean;
  isChosen: boolean;
  onToggle: Chosen['toggle'];
}

const IncidentRow = memo(function IncidentRow({ row, showsNamespace, isChosen, onToggle }: IncidentRowProps) {
  const { item, isGone } = row;
  const path = incidentPath(item.namespace, item.name);
  return (
    <ListRow path={path} name={item.name} isGone={isGone} isChosen={isChosen}>
      <td className="choose">
        <label>
          <input
            type="checkbox"
            aria-label={`Choose ${item.name}`}
            checked={isChosen}
            onChange={(event) => onToggle(item, (event.nativeEvent as MouseEvent).shiftKey)}
          />
        </label>
      </td>
      <td className="severity">
        <SeverityMark severity={item.severity} />
      </td>
      <td className="wideOnly">{item.priority ?? ''}</td>
      <TitleCell
        path={path}
        uid={item.uid}
        title={item.title}
        name={item.name}
        namespace={showsNamespace ? item.namespace : undefined}
      />
      <td>
        <Box component="span" sx={{ display: 'inline-flex', gap: 1.5, verticalAlign: 'top' }}>
          <PhaseMark phase={item.phase} />
          <span className="muted">
            <Age at={item.phaseSince} />
          </span>
          {item.alertsCleared && item.phase !== 'Closed' && (
            <span className="muted wideOnly roomyOnly">· alerts cleared</span>
          )}
          {expiredInWords(item.alerts) !== undefined && item.phase !== 'Closed' && (
            <span className="muted wideOnly roomyOnly">· {item.alerts.expired} expired</span>
          )}
          {isGone && <span className="muted">· no longer in this list</span>}
        </Box>
      </td>
      <td className="clip" title={item.owner}>
        {item.owner ?? <span className="muted">nobody</span>}
      </td>
      <td className="num wideOnly" title={countsInWords(item.alerts)}>
        {item.alerts.firing}
        <span className="muted">
          /{item.alerts.total}
          {item.alerts.folded !== undefined && `+${item.alerts.folded}`}
        </span>
      </td>
      <td className="clip muted wideOnly roomyOnly" title={item.rule}>
        {item.rule ?? ''}
      </td>
      <td className="num end">
        <Age at={item.createdAt} />
      </td>
    </ListRow>
  );
});

const chooseWord = ({ items }: Chosen): string => (items.length > 0 ? 'Choose none' : 'Choose all');

/** Where there is no room for the head of the table, whose box does the same. */
export function ChooseAll({ chosen }: { chosen: Chosen }) {
  return (
    <Button
      color="inherit"
      onClick={chosen.toggleAll}
      sx={{ ml: 'auto', color: 'text.secondary', '@media (min-width: 1024px)': { display: 'none' } }}
    >
      {chooseWord(chosen)}
    </Button>
  );
}

interface IncidentTableProps {
  rows: readonly Row<IncidentItem>[];
  showsNamespace: boolean;
  sort: string;
  onSort: (sort: string) => void;
  chosen: Chosen;
  /** Old data, or that of the last filter: greyed. */
  isDimmed: boolean;
}

export function IncidentTable({ rows, showsNamespace, sort, onSort, chosen, isDimmed }: IncidentTableProps) {
  const count = chosen.items.length;
  return (
    <Table aria-label="Incidents" sx={{ opacity: isDimmed ? 0.6 : 1 }}>
      <ListHead columns={INCIDENT_COLUMNS} sort={sort} onSort={onSort}>
        <th scope="col" className="choose">
          <label>
            <input
              type="checkbox"
              aria-label={chooseWord(chosen)}
              checked={count > 0 && count === rows.length}
              ref={(box) => {
                if (box) box.indeterminate = count > 0 && count < rows.length;
              }}
              onChange={chosen.toggleAll}
            />
          </label>
        </th>
      </ListHead>
      <tbody>
        {rows.map((row) => (
          <IncidentRow
            key={row.item.uid}
            row={row}
            showsNamespace={showsNamespace}
            isChosen={chosen.has(row.item)}
            onToggle={chosen.toggle}
          />
        ))}
      </tbody>
    </Table>
  );
}
