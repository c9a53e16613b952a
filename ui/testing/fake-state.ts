/** The state of the fake API: incidents and alerts in memory, the moves it allows, the faults it plays. */
import type { Incident } from '@funnelai/crds/generated/types';
import type {
  Access,
  AlertItem,
  AlertPage,
  Declaration,
  IncidentDetail,
  IncidentEdit,
  IncidentItem,
  IncidentPage,
  IntakeSpare,
  StreamEvent,
} from '@funnelai/domain/wire';
import { anAlertItem, anIncidentItem, aTimeline, manyIncidents, nextUid } from './builders.ts';
import { anObject, applyEdit, type Entry, mayNotPatch, Refusal } from './fake-entry.ts';
import { alertPage, incidentPage } from './fake-lists.ts';
import { createFakeRules, type FakeRules } from './fake-rules.ts';
import { createFakeSources, type FakeSources } from './fake-sources.ts';

const ALL_VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const;

/** What a test may switch while the pages run. */
export interface Faults {
  /** Every read answers 500. */
  failing: boolean;
  /** Reads take this long. */
  slowMs: number;
  /** Reads answer 403. */
  forbidden: boolean;
  /** Writes answer 403 though access says otherwise: RBAC changed a moment ago. */
  refuseWrites: boolean;
  /** The next PATCH of the title is refused by the schema. */
  invalidTitle: boolean;
  readOnly: boolean;
  historyAway: boolean;
  streamDown: boolean;
  paging: boolean;
  welcome: boolean;
}

/** As the overflow Alerts among them count. */
function foldedOf(alerts: readonly AlertItem[]): { total: number } | undefined {
  const counts = alerts.flatMap(({ standsFor }) => standsFor?.count ?? []);
  return counts.length === 0 ? undefined : { total: counts.reduce((sum, count) => sum + count, 0) };
}

function truncated(incident: Incident, count: number): Incident {
  const condition = {
    type: 'AlertsTruncated',
    status: 'True' as const,
    reason: 'SourceAtItsBound',
    message: `${count} further alerts of it, ${count} of them firing, found no room in the cluster`,
    lastTransitionTime: incident.metadata.creationTimestamp ?? '',
  };
  const status = incident.status ?? { observedGeneration: 1 };
  return { ...incident, status: { ...status, conditions: [...(status.conditions ?? []), condition] } };
}

export interface FakeState {
  faults: Faults;
  user: string;
  token: string;
  namespaces: string[];
  all: boolean;
  alerts: AlertItem[];
  sources: FakeSources;
  rules: FakeRules;
  incident(name: string): IncidentItem;
  reset(items: IncidentItem[], alerts?: AlertItem[]): void;
  add(item: IncidentItem): void;
  page(query: URLSearchParams): IncidentPage;
  alertPage(query: URLSearchParams): AlertPage;
  detail(namespace: string, name: string): IncidentDetail;
  edit(namespace: string, name: string, edit: IncidentEdit, by: string): IncidentDetail;
  declare(namespace: string, declaration: Declaration, by: string): IncidentDetail;
  remove(name: string): void;
  access(): Access;
  onEvent(listener: (event: StreamEvent) => void): () => void;
  /** Alerts come in by the inbox from now on, or do not any more. */
  setSpare(spare: IntakeSpare | undefined): void;
}

export function createFakeState(): FakeState {
  const entries = new Map<string, Entry>();
  const listeners = new Set<(event: StreamEvent) => void>();
  let spare: IntakeSpare | undefined;
  let version = 1000;
  const emit = (event: StreamEvent) => {
    for (const listener of listeners) listener(event);
  };
  const changed = (item: IncidentItem) => emit({ type: 'changes', incidents: [item], alerts: [], deleted: [] });
  const enter = (item: IncidentItem) =>
    entries.set(`${item.namespace}/${item.name}`, { item, timeline: aTimeline(item), extra: {}, lastBy: {} });
  const need = (namespace: string, name: string): Entry => {
    const entry = entries.get(`${namespace}/${name}`);
    if (entry === undefined)
      throw new Refusal(404, {
        code: 'NotFound',
        message: `incidents.funnelai.dev "${name}" not found, neither in the cluster nor in history`,
      });
    return entry;
  };
  const live = (): IncidentItem[] =>
    [...entries.values()].filter((entry) => entry.deletedAt === undefined).map((entry) => entry.item);

  const state: FakeState = {
    faults: {
      failing: false,
      slowMs: 0,
      forbidden: false,
      refuseWrites: false,
      invalidTitle: false,
      readOnly: false,
      historyAway: false,
      streamDown: false,
      paging: false,
      welcome: false,
    },
    user: 'ana',
    token: 'ana-token',
    namespaces: ['demo', 'payments'],
    all: true,
    alerts: [],
    sources: createFakeSources(),
    rules: createFakeRules(),
    incident: (name) => [...entries.values()].find((entry) => entry.item.name === name)?.item ?? anIncidentItem(),
    reset(items, alerts = []) {
      entries.clear();
      for (const item of items) enter(item);
      state.alerts = alerts;
    },
    add(item) {
      enter(item);
      changed(item);
    },
    page: (query) => incidentPage(live(), query, state.user, String(version)),
    alertPage(query) {
      const folded = foldedOf(state.alerts);
      return { ...alertPage(state.alerts, query, String(version)), ...(folded && { folded }) };
    },
    detail(namespace, name) {
      const entry = need(namespace, name);
      const alerts = state.alerts.filter((alert) => alert.incident === name && alert.namespace === namespace);
      const folded = foldedOf(alerts);
      return {
        incident: folded === undefined ? anObject(entry) : truncated(anObject(entry), folded.total),
        item: entry.item,
        ...(entry.deletedAt ? { deletedAt: entry.deletedAt } : {}),
        alerts: alerts.slice(0, 1_000),
        // Of the folded ones a few stand among them.
        alertsTotal: alerts.length + Math.max(0, (folded?.total ?? 0) - alerts.filter((one) => one.foldedInto).length),
        ...(folded && { folded }),
        timeline: entry.timeline,
        history: state.faults.historyAway
          ? { available: false, reason: 'Postgres refused the connection: connect ECONNREFUSED 127.0.0.1:5432' }
          : { available: true },
      };
    },
    edit(namespace, name, edit, by) {
      const entry = need(namespace, name);
      if (state.faults.refuseWrites) throw mayNotPatch(namespace, name, by);
      applyEdit(entry, edit, by, { version: String(++version), refusesTitles: state.faults.invalidTitle });
      changed(entry.item);
      return state.detail(namespace, name);
    },
    declare(namespace, declaration, by) {
      const item = anIncidentItem({
        namespace,
        name: `declared-${['amber', 'calm', 'ivory'][version % 3]}-otter`,
        uid: nextUid(),
        title: declaration.title,
        severity: declaration.severity,
        phase: declaration.onIt ? 'Response' : 'Detection',
        createdAt: new Date().toISOString(),
        phaseSince: new Date().toISOString(),
        alerts: { firing: 0, resolved: 0, total: 0 },
        ...(declaration.onIt ? { owner: by } : {}),
      });
      delete item.rule;
      state.add(item);
      return state.detail(namespace, item.name);
    },
    remove(name) {
      const entry = [...entries.values()].find((one) => one.item.name === name);
      if (entry === undefined) return;
      entry.deletedAt = new Date().toISOString();
      emit({
        type: 'changes',
        incidents: [],
        alerts: [],
        deleted: [{ kind: 'Incident', namespace: entry.item.namespace, name, uid: entry.item.uid }],
      });
    },
    access: () => {
      const verbs = state.faults.readOnly ? (['get', 'list', 'watch'] as const) : ALL_VERBS;
      return {
        incidents: [...verbs],
        alerts: [...verbs],
        alertsources: [...verbs],
        correlationrules: ['get', 'list', 'watch'],
      };
    },
    setSpare(now) {
      spare = now;
      emit({ type: 'intake', ...(now === undefined ? {} : { spare: now }) });
    },
    onEvent(listener) {
      listeners.add(listener);
      if (spare !== undefined) listener({ type: 'intake', spare });
      return () => listeners.delete(listener);
    },
  };
  state.reset(manyIncidents(24), demoAlerts());
  return state;
}

/** Alerts of the first incidents, so that every page has something to show. */
export function demoAlerts(): AlertItem[] {
  return manyIncidents(6).flatMap((incident, i) =>
    Array.from({ length: 8 }, (_, n) =>
      anAlertItem({
        name: `prom-${(0x3f9c2a7d + i * 977 + n * 31).toString(16)}51e08b64`,
        incident: incident.name,
        title: `${incident.title} (${n + 1})`,
        severity: incident.severity,
        state: n % 4 === 3 ? 'Resolved' : 'Firing',
        explanation: `rule "${incident.rule}" on alertname=KubePodCrashLooping, namespace=shop; joined ${incident.name}`,
      }),
    ),
  );
}
