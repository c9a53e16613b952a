/** The rules of the fake API: one in every state, in memory. */
import type { CorrelationRule } from '@funnelai/crds/generated/types';
import type { AlertItem } from '@funnelai/domain/wire';
import type { RuleDetail, RuleItem, RulePage } from '@funnelai/domain/wire-rules';
import { ago, nextUid } from './builders.ts';

export function aRuleItem(part: Partial<RuleItem> = {}): RuleItem {
  return {
    namespace: 'demo',
    name: 'pods',
    uid: nextUid(),
    order: 50,
    description: 'Workloads that do not come up, by namespace',
    state: 'Ready',
    message: 'asked in its turn, at order 50',
    match: ['alertname=~"Kube(Pod|Deployment).+"', 'severity!="none"'],
    groupBy: ['namespace', 'cluster'],
    action: 'Open',
    takes: { alerts: 48, firing: 36, openIncidents: 6 },
    createdAt: ago(86_400 * 12),
    demo: false,
    ...part,
  };
}
export const BROKEN =
  'skipped until it is mended: spec.match[0]: line 1, column 12: expected a regular expression in RE2 syntax, found "Kube(Pod"';

const NOTHING = { alerts: 0, firing: 0, openIncidents: 0 };
export const demoRules = (): RuleItem[] => [
  aRuleItem({
    name: 'watchdog',
    order: 10,
    match: ['alertname="Watchdog"'],
    groupBy: [],
    action: 'Record',
    takes: NOTHING,
  }),
  aRuleItem(),
  aRuleItem({
    name: 'disks',
    order: 60,
    state: 'NotReady',
    message: BROKEN,
    match: ['alertname=~"Kube(Pod"'],
    takes: NOTHING,
  }),
  aRuleItem({
    name: 'old',
    order: 70,
    state: 'Suspended',
    message: 'suspended',
    match: [],
    groupBy: [],
    takes: NOTHING,
  }),
];

export interface FakeRules {
  items: RuleItem[];
  /** Whether whoever is signed in may list alerts and incidents. */
  showsTakes: boolean;
  page(query: URLSearchParams): RulePage;
  detail(namespace: string, name: string, alerts: readonly AlertItem[]): RuleDetail | undefined;
}

export function createFakeRules(): FakeRules {
  const count = (value: (item: RuleItem) => string) => {
    const counts: Record<string, number> = {};
    for (const item of fake.items) counts[value(item)] = (counts[value(item)] ?? 0) + 1;
    return counts;
  };
  const shown = ({ takes, ...item }: RuleItem): RuleItem =>
    fake.showsTakes && takes !== undefined ? { ...item, takes } : item;
  const fake: FakeRules = {
    items: demoRules(),
    showsTakes: true,
    page(query) {
      const namespace = query.get('namespace');
      const q = (query.get('q') ?? '').toLowerCase();
      const among = (name: string, value: string) =>
        query.getAll(name).length === 0 || query.getAll(name).includes(value);
      const items = fake.items.filter(
        (item) =>
          (namespace === null || item.namespace === namespace) &&
          `${item.name} ${item.match.join()}`.toLowerCase().includes(q) &&
          among('state', item.state) &&
          among('action', item.action),
      );
      return {
        items: items.sort((a, b) => a.order - b.order).map(shown),
        total: items.length,
        facets: { state: count(({ state }) => state), action: count(({ action }) => action) },
        ...(fake.showsTakes ? { builtIn: { alerts: 5, firing: 4, openIncidents: 3 } } : {}),
        asOf: new Date().toISOString(),
      };
    },
    detail(namespace, name, alerts) {
      const item = fake.items.find((one) => one.namespace === namespace && one.name === name);
      if (item === undefined) return undefined;
      return {
        item: shown(item),
        rule: objectOf(item),
        ...(fake.showsTakes ? { alerts: item.takes?.alerts ? alerts.slice(0, 20) : [] } : {}),
      };
    },
  };
  return fake;
}

function objectOf({
  namespace,
  name,
  uid,
  order,
  match,
  groupBy,
  action,
  createdAt,
  state,
}: RuleItem): CorrelationRule {
  return {
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'CorrelationRule',
    metadata: { namespace, name, uid, creationTimestamp: createdAt },
    spec: {
      order,
      match,
      groupBy: groupBy.map((label) => ({ label, missing: 'Empty' as const })),
      action,
      suspend: state === 'Suspended',
      resolve: { when: 'Unacknowledged', after: '5m', closeAfter: '24h' },
      reopenWithin: '30m',
      incident: { title: 'Workloads of {{ group.namespace }} do not come up' },
    },
    status: { observedGeneration: 1, conditions: [] },
  };
}
