/** The bodies that the webhook's API and the pages exchange. Types only: the webhook builds them, the pages show them. */
import type {
  Alert,
  Incident,
  IncidentChange,
  LinkKind,
  Phase,
  Priority,
  Severity,
} from '@funnelai/crds/generated/types';

/** GET /api/me, and the answer of a successful sign-in. */
export interface Me {
  user: string;
  groups: string[];
  /**
   * What `npm start` shows once more on the first page; absent on a real installation, and for who may not read the Secrets of all
   * namespaces: one of its lines holds the token of an AlertSource.
   */
  welcome?: Welcome;
  /** The notice "nobody is being paged" is shown while this is false. No escalation exists yet. */
  paging: boolean;
}
export interface Welcome {
  /** Four labelled lines to copy, in order. */
  lines: { label: string; command: string }[];
}

/** GET /api/namespaces: those in which this person may list incidents. */
export interface NamespaceList {
  namespaces: string[];
  /** May this person read incidents of all namespaces at once? */
  all: boolean;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
/** GET /api/access?namespace=: what the API server lets this person do there, by plural resource name. */
export type Access = Record<'incidents' | 'alerts' | 'alertsources' | 'correlationrules', Verb[]>;

export interface AlertCounts {
  firing: number;
  resolved: number;
  /** Their sender fell silent, and nobody said that they resolved; absent when there is none. */
  expired?: number;
  total: number;
  /** Beside them, those that fire and are kept in Postgres alone; absent when there are none. */
  folded?: number;
}

/** One row of the incident list. */
export interface IncidentItem {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  title: string;
  severity: Severity;
  priority?: Priority;
  phase: Phase;
  /** RFC 3339; falls back to creation while the operator has not answered yet. */
  phaseSince: string;
  createdAt: string;
  acknowledgedAt?: string;
  owner?: string;
  rule?: string;
  alerts: AlertCounts;
  /** All alerts of it have resolved, a person is asked to resolve it. */
  alertsCleared: boolean;
  mergedInto?: string;
  demo: boolean;
}
export type IncidentTab = 'open' | 'mine' | 'unacknowledged' | 'postmortem' | 'closed' | 'all';
/** GET /api/incidents */
export interface IncidentPage {
  items: IncidentItem[];
  /** How many match in all, before `limit`. */
  total: number;
  /** Of the namespace(s) asked for, before the facets, by tab. */
  tabs: Record<IncidentTab, number>;
  /** Of the tab, before the facets: value → count; '' counts those without one. */
  facets: Record<'severity' | 'priority' | 'phase' | 'owner' | 'rule', Record<string, number>>;
  /** State of the live cache that answered; the stream resumes after it. */
  resourceVersion: string;
  asOf: string;
}

/** One row of the alert list, and of an incident's alerts. */
export interface AlertItem {
  namespace: string;
  name: string;
  uid: string;
  state: Alert['spec']['state'];
  severity: Severity;
  title: string;
  source: string;
  startsAt: string;
  endsAt?: string;
  /** Only while Expired. */
  expired?: NonNullable<Alert['spec']['expired']>;
  receivedAt: string;
  episode?: number;
  incident?: string;
  /** Absent while no rule has answered. */
  explanation?: string;
  /** The API server refused its incident; the operator asks again. */
  isRefused?: true;
  /** Only while it fires: acknowledged in the system that sent it, by whom where that was said, and whether its source is trusted in that. */
  acknowledged?: { by?: string; isTrusted: boolean };
  labels: Record<string, string>;
  links: { title: string; url: string; kind: LinkKind }[];
  demo: boolean;
  /** It is no object: its source had reached limits.maxLiveAlerts, it is kept in Postgres, and this overflow Alert counts it. */
  foldedInto?: string;
  /** Of an overflow Alert: how many it counts, how many of them fire, and how many expired where some did. */
  standsFor?: { count: number; firing: number; expired?: number };
}
/** Alerts that are kept in Postgres alone, beside those of the cluster. */
export interface FoldedState {
  /** How many match; the list holds the most urgent of them. */
  total: number;
  /** Why they cannot be shown; for people. */
  unavailable?: string;
}
/** GET /api/alerts */
export interface AlertPage {
  items: AlertItem[];
  total: number;
  /** Absent while nothing is folded. */
  folded?: FoldedState;
  facets: Record<'state' | 'severity' | 'source' | 'alertname', Record<string, number>>;
  resourceVersion: string;
  asOf: string;
}
/** GET /api/alerts/:namespace/:name */
export interface AlertDetail {
  /** The object without managedFields; when it is gone from the cluster, the last one that history has. */
  alert: Alert;
  /** Set when the object was deleted. */
  deletedAt?: string;
  /** Set when there is no object: the name of the overflow Alert that counts it. */
  foldedInto?: string;
  /** Present while the incident exists. */
  incident?: IncidentItem;
  /** How often this fault began anew in so many days, and about how often its sender repeated it. Absent while history is away. */
  recurrence?: { episodes: number; repeats: number; days: number };
}

/** One line of an incident's timeline, merged from `status.changes` and history; each change once. */
export interface TimelineEntry {
  at: string;
  /** `Event`: something that the operator said and is no change; `reason` is its word for it. `Lost`: changes of which neither the cluster nor history knows anything any more. */
  kind: IncidentChange['kind'] | 'Lost' | 'Event' | 'Opened' | 'AlertJoined' | 'AlertResolved' | 'AlertExpired';
  text: string;
  by?: string;
  from?: string;
  to?: string;
  reason?: string;
  sequence?: number;
  /** Name of the alert, for the kinds about one. */
  alert?: string;
  verified?: boolean;
}

/** How history stands to an incident. */
export interface HistoryState {
  /** Whether Postgres answered. */
  available: boolean;
  /** Why it did not; for people. */
  reason?: string;
  /** Changes that the cluster has numbered and Postgres does not have yet; absent when it has all, or did not answer. */
  behind?: number;
  /** What the operator says stands between them (its condition HistoryMirrored is False); for people. */
  trouble?: string;
}

/** GET /api/incidents/:namespace/:name */
export interface IncidentDetail {
  /** The object without managedFields; when it is gone from the cluster, the last one that history has. */
  incident: Incident;
  item: IncidentItem;
  /** Set when the object was deleted; then everything else is history. */
  deletedAt?: string;
  /** The most urgent 1,000; of the same the timeline tells. */
  alerts: AlertItem[];
  /** How many there are. */
  alertsTotal: number;
  /** Absent when none of its alerts was folded. */
  folded?: FoldedState;
  timeline: TimelineEntry[];
  history: HistoryState;
}

/** Fields that PATCH may set. `null` removes one. */
export type EditableField =
  | 'phase'
  | 'owner'
  | 'severity'
  | 'priority'
  | 'title'
  | 'summary'
  | 'resolution'
  | 'links'
  | 'mergedInto';
export type IncidentLink = NonNullable<Incident['spec']['links']>[number];
export interface FieldEdit {
  field: EditableField;
  /** The value that the person saw; null when there was none. `owner` and `mergedInto` are plain names here, `links` is the whole list. */
  from: string | null | Incident['spec']['resolution'] | IncidentLink[];
  to: string | null | Incident['spec']['resolution'] | IncidentLink[];
}
/** PATCH /api/incidents/:namespace/:name: all edits in one write, each guarded by its old value. */
export interface IncidentEdit {
  edits: FieldEdit[];
  /** Goes into spec.phaseReason when `phase` is among the edits. */
  reason?: string;
}
/** POST /api/incidents/:namespace */
export interface Declaration {
  title: string;
  summary?: string;
  severity: Severity;
  priority?: Priority;
  /** "I am on it": born in Response, owned by the declarer. */
  onIt?: boolean;
}

/** Body of every answer that is not 2xx, under /api. */
export interface Problem {
  /**
   * Stable, for programs: Unauthenticated | Forbidden | NotFound | Conflict | Invalid | Unavailable | TooLarge | TooMany |
   * MethodNotAllowed | UnsupportedMediaType | Internal.
   */
  code: string;
  /** For people: what was expected, what was found, what to do. In the API server's own words where it refused. */
  message: string;
  requestId: string;
  /** JSON path like spec.phase, when the refusal is about a field. */
  field?: string;
  /** For Forbidden: the missing right, and the command that would grant it. */
  missing?: { verb: string; resource: string; namespace?: string; grant: string };
  /** For Conflict: who was first. */
  conflict?: { field: string; by?: string; at?: string; yours: string | null; theirs: string | null };
}

/**
 * Alerts take the long way: the API server does not take them, or those in the inbox are late. bothAway: the inbox takes none either,
 * and senders are told to keep what they have. databaseAway: Postgres cannot be reached, and alerts go to etcd alone. databaseOld: it lacks migrations that this version needs. full: some are
 * turned away, as their source has reached its bound and Postgres does not take what is beyond.
 */
export interface IntakeSpare {
  why: 'apiServerAway' | 'late' | 'bothAway' | 'databaseAway' | 'databaseOld' | 'full';
  /** Alerts that are safe in Postgres and not in etcd yet; as last seen. */
  waiting: number;
  since: string;
  /** With what is about the database: some are turned away for that, as their source has reached its bound. */
  isRefusing?: true;
}
/**
 * GET /api/stream?namespace=: server-sent events. First `hello`, then `changes` batched at 250–500 ms; comment lines every
 * 15 s keep it open. `id:` is opaque; a client that reconnects re-reads its lists after `hello`. When the server ends it in good
 * order the last one is `bye`, which is also its event's name: an EventSource hears it by that name, and the others as messages.
 */
export type StreamEvent =
  | { type: 'hello'; at: string; resumed: boolean }
  | {
      type: 'changes';
      incidents: IncidentItem[];
      alerts: AlertItem[];
      deleted: { kind: 'Incident' | 'Alert'; namespace: string; name: string; uid: string }[];
    }
  /** How alerts come in now; `spare` is absent while all of them go straight to etcd, as after each hello until it is said otherwise. */
  | { type: 'intake'; spare?: IntakeSpare }
  /** shutdown: connect again. revoked, signedOut: the API server, or the person, took it away. unchecked: it could not be asked for minutes. */
  | { type: 'bye'; reason: 'shutdown' | 'revoked' | 'signedOut' | 'unchecked' };
