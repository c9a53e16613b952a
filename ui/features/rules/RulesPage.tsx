/** The list of correlation rules, in the order in which they are tried: filters, order and search are its URL. They are written with kubectl or Git. */
import type { RuleTakes } from '@funnelai/domain/wire-rules';
import Typography from '@mui/material/Typography';
import { useMemo, useRef } from 'react';
import { useSearchParams } from 'react-router';
import { asApiError } from '../../api/problem.ts';
import { useRules } from '../../api/queries.ts';
import { useActs } from '../../app/acts.ts';
import { useNamespace, useRefusal } from '../../app/session.tsx';
import { useTitle } from '../../app/use-title.ts';
import { CodeBlock } from '../../components/CodeBlock.tsx';
import { StateView } from '../../components/StateView.tsx';
import { clearFilters } from '../lists/clear-filters.ts';
import { FilterHead } from '../lists/FacetMenus.tsx';
import { ListFrame } from '../lists/ListFrame.tsx';
import { OrderMenu } from '../lists/OrderMenu.tsx';
import { useHeldList } from '../lists/use-held-list.ts';
import { useIsBusyWith } from '../lists/use-held-rows.ts';
import { useRowKeys } from '../lists/use-row-keys.ts';
import { RULE_COLUMNS, RuleTable } from './RuleTable.tsx';
import {
  describeRules,
  RULE_FACET_LABELS,
  RULE_FACETS,
  type RuleFacet,
  type RuleFilter,
  ruleFacetWord,
  ruleUrl,
} from './url.ts';
import { takesWords } from './words.ts';

const ORDERS: Partial<Record<RuleFacet, readonly string[]>> = {
  state: ['NotReady', 'Warns', 'Unknown', 'Suspended', 'Ready'],
  action: ['Open', 'Record'],
};

export function RulesPage() {
  useTitle('Rules');
  const [search, setSearch] = useSearchParams();
  const namespace = useNamespace();
  const filter = useMemo(() => ruleUrl.parse(search), [search]);
  const query = ruleUrl.toQuery(filter, namespace.asked);
  const read = useRules(query);
  const listRef = useRef<HTMLDivElement>(null);
  const list = useHeldList(read, query, useIsBusyWith(listRef));
  const show = (next: RuleFilter, replace = false) =>
    setSearch(ruleUrl.write(next, search.get('namespace')), { replace });
  const clear = () => show(ruleUrl.widened(filter));
  const isNarrowed = ruleUrl.isNarrowed(filter);
  useRowKeys('rules');
  useActs([clearFilters(isNarrowed, clear)]);
  const error = read.error === null ? undefined : asApiError(read.error);
  const onSort = (sort: string) => show({ ...filter, sort });
  return (
    <>
      <FilterHead
        title="Rules"
        facets={RULE_FACETS}
        labels={RULE_FACET_LABELS}
        counts={read.data?.facets}
        chosen={filter.facets}
        orders={ORDERS}
        word={ruleFacetWord}
        onChange={(facets) => show({ ...filter, facets })}
      />
      <ListFrame
        what="Rules"
        one="rule"
        list={list}
        error={error}
        readAt={read.dataUpdatedAt}
        onRetry={() => void read.refetch()}
        sentence={describeRules(filter, namespace.asked, list.total ?? 0)}
        order={<OrderMenu columns={RULE_COLUMNS} usual="As they are tried" sort={filter.sort} onSort={onSort} />}
        isNarrowed={isNarrowed}
        onClear={clear}
        limit={filter.limit}
        onLimit={(limit) => show({ ...filter, limit }, true)}
        listRef={listRef}
        empty={<NoRules namespace={namespace.asked} builtIn={read.data?.builtIn} />}
      >
        <RuleTable
          rows={list.held.rows}
          showsNamespace={namespace.asked === undefined}
          sort={filter.sort}
          onSort={onSort}
          isDimmed={read.isPlaceholderData || error !== undefined}
        />
        <Typography color="textSecondary" sx={{ px: 4, py: 3, maxWidth: 720 }}>
          In each namespace the first rule that matches has the alert. <BuiltIn builtIn={read.data?.builtIn} />
        </Typography>
      </ListFrame>
    </>
  );
}

interface BuiltInProps {
  builtIn: RuleTakes | undefined;
}
function BuiltIn({ builtIn }: BuiltInProps) {
  return (
    <>
      What none takes goes to the built-in rule: one incident for each alertname, namespace and cluster, from severity
      Medium up; the rest is only recorded.{builtIn && ` It has ${takesWords(builtIn)}.`}
    </>
  );
}

const aRule = (namespace: string): string => `kubectl apply -f - <<'END'
apiVersion: funnelai.dev/v1alpha1
kind: CorrelationRule
metadata: {name: pods, namespace: ${namespace}}
spec:
  description: Workloads that do not come up, by namespace
  match: ['alertname=~"Kube(Pod|Deployment|StatefulSet|DaemonSet|Job).+"']
  groupBy: [{label: namespace}, {label: cluster, missing: Empty}]
  incident: {title: 'Workloads of {{ group.namespace }} do not come up'}
END`;

function NoRules({ namespace, builtIn }: BuiltInProps & { namespace: string | undefined }) {
  const refusal = useRefusal(namespace, 'correlationrules', 'create');
  return (
    <StateView title="No rules yet">
      <Typography>
        A rule says which alerts belong together, and what their incident is like. It works without any.{' '}
        <BuiltIn builtIn={builtIn} />
      </Typography>
      <Typography>
        These lines make a first one, where kubectl reaches the cluster; in the end rules belong in Git:
      </Typography>
      <CodeBlock text={aRule(namespace ?? 'demo')} label="The lines that make a rule" />
      {refusal !== undefined && (
        <Typography color="textSecondary">{refusal}: ask someone who administers it to run them.</Typography>
      )}
    </StateView>
  );
}
