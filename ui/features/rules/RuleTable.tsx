/** The rows of the rule list: whether each works, what it takes and groups by, and what is there by it now. */
import type { RuleItem } from '@funnelai/domain/wire-rules';
import { memo } from 'react';
import { rulePath } from '../../app/paths.ts';
import { number } from '../../components/number.ts';
import { ReadyMark } from '../../components/ReadyMark.tsx';
import { Table } from '../../components/table.ts';
import { ListRow, TitleCell } from '../lists/cells.tsx';
import type { Row } from '../lists/held-rows.ts';
import { type Column, ListHead } from '../lists/ListHead.tsx';
import { actionWord, readinessOf } from './url.ts';
import { groupWords, matchWords } from './words.ts';

export const RULE_COLUMNS: readonly Column[] = [
  { label: 'State', sort: 'state' },
  { label: 'Order', className: 'num' },
  { label: 'Rule', sort: 'name', className: 'wide' },
  { label: 'Does', sort: 'action' },
  { label: 'Groups by', className: 'roomyOnly' },
  { label: 'Firing', sort: 'firing', className: 'num' },
  { label: 'Open incidents', sort: 'incidents', className: 'num' },
];

const RuleRow = memo(function RuleRow({
  row: { item, isGone },
  showsNamespace,
}: {
  row: Row<RuleItem>;
  showsNamespace: boolean;
}) {
  const { namespace, name, takes, state, message } = item;
  const path = rulePath(namespace, name);
  const groups = groupWords(item);
  const hasReason = state === 'NotReady' || state === 'Warns';
  return (
    <ListRow path={path} name={name} isGone={isGone}>
      <td className="severity">
        <ReadyMark ready={readinessOf(state) ?? 'Unknown'} />
      </td>
      <td className="num muted wideOnly">{item.order}</td>
      <TitleCell
        path={path}
        uid={item.uid}
        title={name}
        name={showsNamespace ? `${namespace} · ${matchWords(item)}` : matchWords(item)}
        namespace={undefined}
      >
        {item.description !== undefined && (
          <div className="why muted" dir="auto">
            {item.description}
          </div>
        )}
        {hasReason && message !== undefined && <div className="why">{message}</div>}
      </TitleCell>
      <td className="muted wideOnly">{actionWord(item.action)}</td>
      <td className="clip muted wideOnly roomyOnly" title={groups}>
        {groups}
      </td>
      <td className="num wideOnly">
        {takes && (
          <>
            {number(takes.firing)}
            <span className="muted">/{number(takes.alerts)}</span>
          </>
        )}
      </td>
      <td className={takes?.openIncidents ? 'num end' : 'num end muted'}>
        {takes && `${number(takes.openIncidents)} open`}
      </td>
    </ListRow>
  );
});

interface RuleTableProps {
  rows: readonly Row<RuleItem>[];
  showsNamespace: boolean;
  isDimmed: boolean;
  sort: string;
  onSort: (sort: string) => void;
}

export function RuleTable({ rows, showsNamespace, isDimmed, sort, onSort }: RuleTableProps) {
  return (
    <Table aria-label="Rules" sx={{ opacity: isDimmed ? 0.6 : 1 }}>
      <ListHead columns={RULE_COLUMNS} sort={sort} onSort={onSort} />
      <tbody>
        {rows.map((row) => (
          <RuleRow key={row.item.uid} row={row} showsNamespace={showsNamespace} />
        ))}
      </tbody>
    </Table>
  );
}
