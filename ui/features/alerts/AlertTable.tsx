/** Rows of alerts, in the list and on an incident's page; there each also says why it is here. */
import type { AlertItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import { memo, useMemo } from 'react';
import { Link } from 'react-router';
import { alertPath, incidentPath } from '../../app/paths.ts';
import { AlertState } from '../../components/AlertState.tsx';
import { number } from '../../components/number.ts';
import { OutLink } from '../../components/OutLink.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Age } from '../../components/Time.tsx';
import { Table } from '../../components/table.ts';
import { acknowledgedInShort } from '../alert/acknowledged-words.ts';
import { unplacedInShort } from '../alert/unplaced-words.ts';
import { ListRow, TitleCell } from '../lists/cells.tsx';
import type { Row } from '../lists/held-rows.ts';
import { type Column, ListHead } from '../lists/ListHead.tsx';
import { tellingLabels } from './telling.ts';

interface Shows {
  showsNamespace: boolean;
  showsIncident: boolean;
  /** The explanation and the links, on a second line. */
  showsWhy: boolean;
}
const RUNBOOK_FIRST = (links: AlertItem['links']): AlertItem['links'] =>
  [...links].sort((a, b) => Number(b.kind === 'Runbook') - Number(a.kind === 'Runbook'));

const columns = (showsIncident: boolean): Column[] => [
  { label: 'Severity', sort: 'severity' },
  { label: 'State', sort: 'state' },
  { label: 'Alert', sort: 'title', className: 'wide' },
  { label: 'Source', sort: 'source' },
  ...(showsIncident ? [{ label: 'Incident', sort: 'incident' }] : []),
  { label: 'Since', sort: 'since', className: 'num' },
];
export const ALERT_COLUMNS = columns(true);
const WITHOUT_INCIDENT = columns(false);

const AlertRow = memo(function AlertRow({
  row: { item, isGone },
  telling,
  showsNamespace,
  showsIncident,
  showsWhy,
}: Shows & { row: Row<AlertItem>; telling: string }) {
  const path = alertPath(item.namespace, item.name);
  return (
    <ListRow path={path} name={item.name} isGone={isGone}>
      <td className="severity">
        <SeverityMark severity={item.severity} />
      </td>
      <td>
        <AlertState state={item.state} />
      </td>
      <TitleCell
        path={path}
        uid={item.uid}
        title={item.title}
        name={`${item.labels.alertname ?? item.name}${telling && ` ${telling}`}`}
        namespace={showsNamespace ? item.namespace : undefined}
      >
        {item.foldedInto !== undefined && (
          <div className="why muted">
            Folded: kept in Postgres, counted by{' '}
            <Link to={alertPath(item.namespace, item.foldedInto)}>{item.foldedInto}</Link>
          </div>
        )}
        {item.standsFor !== undefined && (
          <div className="why muted">
            Stands for {number(item.standsFor.count)} folded {item.standsFor.count === 1 ? 'alert' : 'alerts'},{' '}
            {number(item.standsFor.firing)} firing
            {item.standsFor.expired !== undefined && `, ${number(item.standsFor.expired)} expired`}
          </div>
        )}
        {showsWhy && item.acknowledged !== undefined && (
          <div className="why muted">{acknowledgedInShort(item.acknowledged)}</div>
        )}
        {showsWhy && (
          <div className="why muted">
            {item.explanation ?? 'No rule has answered yet'}
            {RUNBOOK_FIRST(item.links).map((link) => (
              <Box component="span" key={link.url} sx={{ ml: 2 }}>
                <OutLink link={link} inline />
              </Box>
            ))}
          </div>
        )}
      </TitleCell>
      <td className="muted wideOnly clip" title={item.source}>
        {item.source}
      </td>
      {showsIncident && (
        <td className="clip" title={item.incident}>
          {item.incident ? (
            <Link to={incidentPath(item.namespace, item.incident)}>{item.incident}</Link>
          ) : (
            <span className={item.isRefused ? undefined : 'muted'}>{unplacedInShort(item)}</span>
          )}
        </td>
      )}
      <td className="num end">
        <Age at={item.startsAt} />
      </td>
    </ListRow>
  );
});

interface AlertTableProps extends Shows {
  rows: readonly Row<AlertItem>[];
  isDimmed: boolean;
  /** Both absent where the order is fixed. */
  sort?: string;
  onSort?: (sort: string) => void;
}

export function AlertTable({ rows, isDimmed, sort = '', onSort, ...shows }: AlertTableProps) {
  const telling = useMemo(() => tellingLabels(rows.map(({ item }) => item)), [rows]);
  return (
    <Table aria-label="Alerts" sx={{ opacity: isDimmed ? 0.6 : 1 }}>
      <ListHead columns={shows.showsIncident ? ALERT_COLUMNS : WITHOUT_INCIDENT} sort={sort} onSort={onSort} />
      <tbody>
        {rows.map((row) => (
          <AlertRow key={row.item.uid} row={row} telling={telling.get(row.item.uid) ?? ''} {...shows} />
        ))}
      </tbody>
    </Table>
  );
}
