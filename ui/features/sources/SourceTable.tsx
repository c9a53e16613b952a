/** The rows of the source list: whether it can take alerts, what came, what of that waits, and why something was refused. */
import type { SourceItem } from '@funnelai/domain/wire-sources';
import { memo } from 'react';
import { sourcePath } from '../../app/paths.ts';
import { number } from '../../components/number.ts';
import { ReadyMark } from '../../components/ReadyMark.tsx';
import { Age } from '../../components/Time.tsx';
import { Table } from '../../components/table.ts';
import { ListRow, TitleCell } from '../lists/cells.tsx';
import type { Row } from '../lists/held-rows.ts';
import { type Column, ListHead } from '../lists/ListHead.tsx';
import { InboxWord } from './InboxWord.tsx';
import { rateWord, refusalsInWords, refusedOf } from './words.ts';

export const SOURCE_COLUMNS: readonly Column[] = [
  { label: 'Ready', sort: 'ready' },
  { label: 'Source', sort: 'name', className: 'wide' },
  { label: 'Inbox', sort: 'inbox' },
  { label: 'Refused in a day', sort: 'rejected' },
  { label: 'Stored in a day', sort: 'stored', className: 'num roomyOnly' },
  { label: 'Alerts a minute', sort: 'rate', className: 'num' },
  { label: 'Last received', sort: 'received', className: 'num' },
];

const SourceRow = memo(function SourceRow({
  row: { item, isGone },
  showsNamespace,
}: {
  row: Row<SourceItem>;
  showsNamespace: boolean;
}) {
  const { namespace, name, traffic, inbox } = item;
  const isIdle = inbox === undefined || inbox.waiting + inbox.setAside === 0;
  const path = sourcePath(namespace, name);
  const refused = refusedOf(traffic);
  const why = refusalsInWords(traffic);
  return (
    <ListRow path={path} name={name} isGone={isGone}>
      <td className="severity">
        <ReadyMark ready={item.ready} />
      </td>
      <TitleCell
        path={path}
        uid={item.uid}
        title={name}
        name={showsNamespace ? `${namespace} · ${item.format}` : item.format}
        namespace={undefined}
      >
        {item.ready === 'False' && item.message !== undefined && <div className="why muted">{item.message}</div>}
      </TitleCell>
      <td className={isIdle ? 'muted wideOnly' : undefined} title={inbox?.reasons[0]?.reason}>
        <InboxWord inbox={inbox} />
      </td>
      <td className={refused > 0 ? 'clip sentence' : 'muted wideOnly'} title={why}>
        {refused > 0 ? why : 'none'}
      </td>
      <td className="num muted wideOnly roomyOnly">{number(traffic.stored)}</td>
      <td className="num wideOnly">{rateWord(traffic.alertsPerMinute)}</td>
      <td className="num end">
        {item.lastReceivedAt === undefined ? (
          <span className="muted">never</span>
        ) : (
          <Age at={item.lastReceivedAt} suffix=" ago" />
        )}
      </td>
    </ListRow>
  );
});

interface SourceTableProps {
  rows: readonly Row<SourceItem>[];
  showsNamespace: boolean;
  isDimmed: boolean;
  sort: string;
  onSort: (sort: string) => void;
}

export function SourceTable({ rows, showsNamespace, isDimmed, sort, onSort }: SourceTableProps) {
  return (
    <Table aria-label="Sources" sx={{ opacity: isDimmed ? 0.6 : 1 }}>
      <ListHead columns={SOURCE_COLUMNS} sort={sort} onSort={onSort} />
      <tbody>
        {rows.map((row) => (
          <SourceRow key={row.item.uid} row={row} showsNamespace={showsNamespace} />
        ))}
      </tbody>
    </Table>
  );
}
