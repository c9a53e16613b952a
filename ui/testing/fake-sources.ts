/** The sources of the fake API: a few that show every state, previews and a test alert that behave, in memory. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { sourceIsGone } from '@funnelai/domain/set-aside';
import type {
  InboxState,
  PreviewRequest,
  Rejection,
  SourceDetail,
  SourceItem,
  SourcePage,
  SourcePreview,
  TestAnswer,
  TestRequest,
} from '@funnelai/domain/wire-sources';
import { ago, anAlertItem, nextUid } from './builders.ts';
import { fakePreview } from './fake-preview.ts';

export function aSourceItem(part: Partial<SourceItem> = {}, traffic: Partial<SourceItem['traffic']> = {}): SourceItem {
  return {
    namespace: 'demo',
    name: 'prom',
    uid: nextUid(),
    format: 'Alertmanager',
    ready: 'True',
    message: 'alerts with the token of Secret prom-token are accepted',
    createdAt: ago(86_400 * 12),
    lastReceivedAt: ago(4),
    traffic: { alertsPerMinute: 12.4, bodies: 4_120, alerts: 18_412, stored: 18_409, rejected: {}, ...traffic },
    inbox: { waiting: 0, setAside: 0, reasons: [] },
    demo: false,
    ...part,
  };
}

export function aRejection(part: Partial<Rejection> = {}): Rejection {
  return {
    firstAt: ago(3_600),
    lastAt: ago(42),
    count: 3,
    reason: 'Invalid',
    status: 400,
    message: 'alerts[1].startsAt: found "yesterday", expected an RFC 3339 time like 2026-01-31T12:00:00Z',
    isKnown: true,
    path: '',
    contentType: 'application/json',
    userAgent: 'Alertmanager/0.25.0',
    body: '{\n  "version": "4",\n  "password": "[redacted]",\n  "alerts": [\n    {"labels": {"alertname": "Try"}, "startsAt": "yesterday"}\n  ]\n}',
    ...part,
  };
}

/** What lies in the inbox of one that is there, and of one that is not any more. */
const WAITS = { waiting: 30_412, oldestAt: ago(252), setAside: 0, reasons: [] };
const GONE: SourcePage['gone'] = [
  {
    namespace: 'demo',
    name: 'old-cluster',
    inbox: { waiting: 0, setAside: 41, reasons: [{ reason: sourceIsGone('demo', 'old-cluster'), count: 41 }] },
  },
];
export const REFUSED_BY_SCHEMA =
  'Alert.funnelai.dev "grafana-payments-3f9c2a7d51e08b64" is invalid: spec.labels: Too many: 70: must have at most 64 items';
const ASIDE = {
  waiting: 0,
  setAside: 4,
  reasons: [
    { reason: REFUSED_BY_SCHEMA, count: 3 },
    { reason: sourceIsGone('payments', 'grafana-payments'), count: 1 },
  ],
};

export const demoSources = (): SourceItem[] =>
  [
    aSourceItem({ inbox: WAITS }, { rejected: { Invalid: 3, Unauthenticated: 1_204 } }),
    aSourceItem(
      { name: 'grafana-payments', namespace: 'payments', format: 'Grafana', lastReceivedAt: ago(7_400), inbox: ASIDE },
      { alertsPerMinute: 0, bodies: 12, alerts: 12, stored: 12 },
    ),
    aSourceItem(
      {
        name: 'node-exporters-of-the-old-data-centre',
        ready: 'False',
        message: 'expected a Secret old-dc-token in namespace demo, found none; create it with the key token',
      },
      { alertsPerMinute: 0, bodies: 0, alerts: 0, stored: 0, rejected: { Unavailable: 40 } },
    ),
    aSourceItem({ name: 'quiet', ready: 'Unknown' }, { alertsPerMinute: 0, bodies: 0, alerts: 0, stored: 0 }),
  ].map((item) => (item.name === 'quiet' || item.ready === 'False' ? without(item) : item));

function without({ lastReceivedAt: _, ...item }: SourceItem): SourceItem {
  return item;
}

function bodyless({ body: _, ...rejection }: Rejection): Rejection {
  return rejection;
}

export interface FakeSources {
  items: SourceItem[];
  /** What the objects of some have beside what all have, by name. */
  objects: Record<string, { spec?: Partial<AlertSource['spec']>; status?: Partial<AlertSource['status']> }>;
  gone: SourcePage['gone'];
  inbox: InboxState;
  rejections: Rejection[];
  bodiesHidden: boolean;
  page(query: URLSearchParams): SourcePage;
  detail(namespace: string, name: string): SourceDetail | undefined;
  preview(request: PreviewRequest): SourcePreview;
  test(item: SourceItem, request: TestRequest, user: string): TestAnswer;
}

export function createFakeSources(): FakeSources {
  const tests = new Map<string, ReturnType<typeof anAlertItem>>();
  const refused = (item: SourceItem) => Object.values(item.traffic.rejected).reduce((a, b) => a + b, 0);
  const trafficOf = (item: SourceItem) => (refused(item) > 0 ? 'Refused' : item.traffic.bodies > 0 ? 'Taken' : 'None');
  const count = (items: readonly SourceItem[], value: (item: SourceItem) => string) => {
    const counts: Record<string, number> = {};
    for (const item of items) counts[value(item)] = (counts[value(item)] ?? 0) + 1;
    return counts;
  };
  /** While nobody can say what lies in the inbox no row says it. */
  const known = ({ inbox, ...item }: SourceItem): SourceItem =>
    fake.inbox.available && inbox !== undefined ? { ...item, inbox } : item;
  const fake: FakeSources = {
    items: demoSources(),
    objects: {},
    gone: GONE,
    inbox: { available: true, scope: '5b1e7a52-2f6e-4d1c-9a55-0d3a6f6b1c11' },
    rejections: [
      aRejection(),
      aRejection({
        reason: 'Unauthenticated',
        status: 401,
        message: 'The bearer token is not the one of this AlertSource.',
        count: 1_204,
        isKnown: false,
        userAgent: 'curl/8.1',
      }),
    ].map((one) => (one.isKnown ? one : bodyless(one))),
    bodiesHidden: false,
    page(query) {
      const namespace = query.get('namespace');
      const q = (query.get('q') ?? '').toLowerCase();
      const among = (name: string, value: string) =>
        query.getAll(name).length === 0 || query.getAll(name).includes(value);
      const before = fake.items.filter((item) => namespace === null || item.namespace === namespace);
      const items = before.filter(
        (item) =>
          `${item.name} ${item.format}`.toLowerCase().includes(q) &&
          among('format', item.format) &&
          among('ready', item.ready) &&
          among('traffic', trafficOf(item)),
      );
      const trouble = (item: SourceItem) =>
        (item.ready === 'True' ? 4 : 0) - Number(refused(item) > 0) - 2 * Number((item.inbox?.setAside ?? 0) > 0);
      return {
        items: items.sort((a, b) => trouble(a) - trouble(b) || a.name.localeCompare(b.name)).map(known),
        total: items.length,
        facets: {
          format: count(before, (item) => item.format),
          ready: count(before, (item) => item.ready),
          traffic: count(before, trafficOf),
        },
        counted: { of: 'AllReplicas' },
        inbox: fake.inbox,
        gone: fake.inbox.available ? fake.gone.filter((one) => namespace === null || one.namespace === namespace) : [],
        asOf: new Date().toISOString(),
      };
    },
    detail(namespace, name) {
      const item = fake.items.find((one) => one.namespace === namespace && one.name === name);
      if (item === undefined) return undefined;
      const own = `/alerts/${namespace}/${name}`;
      const test = tests.get(`${namespace}/${name}`);
      return {
        item: known(item),
        source: withMore(objectOf(item), fake.objects[name]),
        paths: [own, `${own}/api/v2/alerts`],
        counted: { of: 'AllReplicas' },
        inbox: fake.inbox,
        rejections: refused(item) === 0 ? [] : fake.rejections,
        ...(fake.bodiesHidden
          ? { bodiesHidden: 'Bodies hold alerts, and ana may not list alerts in namespace demo.' }
          : {}),
        ...(test === undefined ? {} : { test }),
      };
    },
    preview: ({ body }) => fakePreview(body),
    test(item, { state, severity }, user) {
      const key = `${item.namespace}/${item.name}`;
      const { incident: _, ...test } = anAlertItem({
        name: `${item.name}-7e57000000000000`,
        namespace: item.namespace,
        source: item.name,
        title: `Test alert sent by ${user}`,
        state,
        severity: severity === 'critical' ? 'Critical' : 'Info',
        startsAt: ago(0),
        receivedAt: ago(0),
        explanation: 'the built-in rule records what is below Medium',
        labels: { alertname: 'FunnelAITest', funnelai_test: 'true' },
        links: [],
      });
      tests.set(key, test);
      return { alert: test.name, outcome: 'created' };
    },
  };
  return fake;
}

function withMore(source: AlertSource, more: FakeSources['objects'][string] | undefined): AlertSource {
  const { auth, ...spec } = source.spec;
  return {
    ...source,
    // Where another source routes to, nobody proves anything.
    spec: { ...spec, ...(auth === undefined || more?.spec?.acceptFrom ? {} : { auth }), ...more?.spec },
    status: { observedGeneration: 1, ...source.status, ...more?.status },
  };
}

function objectOf({ namespace, name, uid, ready, message = '', createdAt, traffic }: SourceItem): AlertSource {
  const at = { lastTransitionTime: createdAt };
  return {
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'AlertSource',
    metadata: { namespace, name, uid, creationTimestamp: createdAt },
    spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: `${name}-token`, key: 'token' } } } },
    status: {
      observedGeneration: 1,
      path: `/alerts/${namespace}/${name}`,
      conditions: [
        ...(ready === 'Unknown' ? [] : [{ type: 'Ready', status: ready, reason: 'Accepting', message, ...at }]),
        ...(traffic.stored > 0
          ? [
              {
                type: 'Receiving',
                status: 'True' as const,
                reason: 'Accepted',
                message: 'what its senders send is taken',
                ...at,
              },
            ]
          : []),
      ],
    },
  };
}
