/** Rows of alerts, in the list and on an incident's page; there each also says why it is here. */
import type { AlertItem } from '@funnelai/domain/wire';
import Box from '@mui/material/Box';
import { memo } from 'react';
import { Link, useNavigate } from 'react-router';
import { alertPath, incidentPath } from '../../app/paths.ts';
import { AlertState } from '../../components/AlertState.tsx';
import { OutLink } from '../../components/OutLink.tsx';
import { SeverityMark } from '../../components/SeverityMark.tsx';
import { Age } from '../../components/Time.tsx';
import { Table } from '../../components/table.ts';
import type { Row } from '../lists/held-rows.ts';

interface Columns {
  showsNamespace: boolean;
  showsIncident: boolean;
  /** The explanation and the links, on a second line. */
  showsWhy: boolean;
}
const RUNBOOK_FIRST = (links: AlertItem['links']): AlertItem['links'] =>
  [...links].sort((a, b) => Number(b.kind === 'Runbook') - Number(a.kind === 'Runbook'));

const AlertRow = memo(function AlertRow({
  row: { item, isGone },
  showsNamespace,
  showsIncident,
  showsWhy,
}: Columns & { row: Row<AlertItem> }) {
  const navigate = useNavigate();
  const path = alertPath(item.namespace, item.name);
  return (
    // The link in the row is for the keyboard; the rest of the row is a larger target for the pointer.
    <tr
      data-gone={isGone}
      onClick={(event) => {
        if ((event.target as HTMLElement).closest('a') === null && !window.getSelection()?.toString())
          void navigate(path);
      }}
    >
      <td>
        <SeverityMark severity={item.severity} />
      </td>
      <td>
        <AlertState state={item.state} />
      </td>
      <td className="wide">
        <div className="pair">
          <Link to={path} className="title" dir="auto" data-row={item.uid}>
            {item.title}
          </Link>
          <span className="name">
            {showsNamespace ? `${item.namespace}/` : ''}
            {item.labels.alertname ?? item.name}
          </span>
        </div>
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
      </td>
      <td className="muted wideOnly clip">{item.source}</td>
      {showsIncident && (
        <td className="clip">
          {item.incident ? (
            <Link to={incidentPath(item.namespace, item.incident)}>{item.incident}</Link>
          ) : (
            <span className="muted">recorded only</span>
          )}
        </td>
      )}
      <td className="num end">
        <Age at={item.startsAt} />
      </td>
    </tr>
  );
});

export function AlertTable({
  rows,
  isDimmed,
  ...columns
}: Columns & { rows: readonly Row<AlertItem>[]; isDimmed: boolean }) {
  return (
    <Table aria-label="Alerts" sx={{ opacity: isDimmed ? 0.6 : 1 }}>
      <thead>
        <tr>
          {['Severity', 'State', 'Alert', 'Source', ...(columns.showsIncident ? ['Incident'] : []), 'Since'].map(
            (label) => (
              <th key={label} scope="col" className={label === 'Since' ? 'num' : label === 'Alert' ? 'wide' : ''}>
                <span>{label}</span>
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <AlertRow key={row.item.uid} row={row} {...columns} />
        ))}
      </tbody>
    </Table>
  );
}
