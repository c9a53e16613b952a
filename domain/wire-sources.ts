/** The bodies about alert sources that the webhook's API and the pages exchange. Types only. */
import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import type { AlertItem } from './wire.ts';

/** What came to a source in the last 24 hours. About: a replica that dies takes the last seconds with it. */
export interface SourceTraffic {
  /** Over the last five minutes. */
  alertsPerMinute: number;
  bodies: number;
  /** Alerts of bodies that could be read, good and bad. */
  alerts: number;
  /** Of them, those that are stored; repeats too. */
  stored: number;
  /** Bodies that were refused, whole or in part, by the code of the answer (as in `Problem.code`). */
  rejected: Record<string, number>;
}
/** Where the counts come from: of all replicas by way of Postgres, or of the replica that answered, since it started. */
export interface TrafficOrigin {
  of: 'AllReplicas' | 'ThisReplica';
  /** Why it is only this one; for people. */
  reason?: string;
}
/** What of a source lies in the inbox: safe in Postgres, and no Alert yet. A fault that was sent twice meanwhile counts twice. */
export interface SourceInbox {
  waiting: number;
  /** When the one came that has waited longest; absent when none waits. */
  oldestAt?: string;
  /** Those that can never be stored as they are; they lie there until a person puts them back or away. */
  setAside: number;
  /** More than that: so many are counted. */
  hasMoreAside?: true;
  /** Why, the most frequent first: in a list one at most, on a source's page three. */
  reasons: { reason: string; count: number }[];
}
/** Whether anybody can say what lies in the inbox. */
export interface InboxState {
  available: boolean;
  /** Why not; for people. */
  reason?: string;
  /** There is no inbox: no database was named. */
  isOff?: boolean;
  /** What marks the rows of this cluster in the tables of the inbox. */
  scope?: string;
}
/** One row of the list of sources. */
export interface SourceItem {
  namespace: string;
  name: string;
  uid: string;
  format: string;
  /** The condition Ready; `Unknown` while the operator has not looked. */
  ready: 'True' | 'False' | 'Unknown';
  /** Why, for people. */
  message?: string;
  createdAt: string;
  /** When the newest body came of which something was taken. */
  lastReceivedAt?: string;
  traffic: SourceTraffic;
  /** Absent while nobody can say. */
  inbox?: SourceInbox;
  demo: boolean;
}
/** GET /api/sources */
export interface SourcePage {
  items: SourceItem[];
  /** How many match in all, before `limit`. */
  total: number;
  facets: Record<'format' | 'ready' | 'traffic', Record<string, number>>;
  counted: TrafficOrigin;
  inbox: InboxState;
  /** Sources that are not there any more and of which something lies in the inbox: at most 20, those with the most set aside first. */
  gone: { namespace: string; name: string; inbox: SourceInbox }[];
  asOf: string;
}
/** A body that was refused, or several that were refused in the same words. Redacted and cut. */
export interface Rejection {
  firstAt: string;
  lastAt: string;
  count: number;
  /** Code of the answer. */
  reason: string;
  status: number;
  message: string;
  /** Whether the sender had proven to be the source's own. */
  isKnown: boolean;
  /** Behind the source's own path. */
  path: string;
  contentType?: string;
  userAgent?: string;
  /** Of the newest of them; absent when it was not read, or is not yours to see. */
  body?: string;
}
/** GET /api/sources/:namespace/:name */
export interface SourceDetail {
  item: SourceItem;
  /** The object without managedFields. */
  source: AlertSource;
  /** Where it listens, below the address of this server; the first is its own. */
  paths: string[];
  counted: TrafficOrigin;
  inbox: InboxState;
  rejections: Rejection[];
  /** Why the bodies of `rejections` are left out; for people. */
  bodiesHidden?: string;
  /** The test alert of this source while there is one, and you may list alerts. */
  test?: AlertItem;
  /** Why you cannot send a test alert; absent when you can. */
  testRefused?: string;
}
/** POST /api/sources/:namespace/:name/preview */
export interface PreviewRequest {
  body: string;
  /** How `body` is written here. */
  encoding?: 'utf8' | 'base64';
  contentType?: string;
  /** Behind the source's own path; default: the first place where its format listens. */
  path?: string;
  /** Headers that the format reads, such as `ce-type`. */
  headers?: Record<string, string>;
  /** As it stands behind the `?` of the address. */
  query?: string;
}
/** What a body would become if it came now: of a preview, and of POST …/dry-run. Nothing of it is stored, and nothing used up. */
export interface SourcePreview {
  /** What the sender would be told, if the API server and the inbox take what they are given. */
  answer: { status: number; code: string; message: string };
  /** At most the first 100. */
  alerts: PreviewAlert[];
  /** How many alerts there would be: the same fault twice in a body is one, in two places it is two. What only says a word of one is none. */
  total: number;
  /** Reports that make no alert: acknowledgements, and ends of what does not fire. At most the first 100. */
  noted: PreviewNoted[];
  /** What the limits of the source would do to it, as of now; empty where all is within them. */
  limits: PreviewLimit[];
  /** What is wrong, alert by alert. */
  problems: { index: number; field: string; found: string; expected: string }[];
  /** What is wrong with alerts that would be taken all the same; `done` completes "<field> …". At most the first 100. */
  warnings: { index: number; field: string; found: string; expected: string; done: string }[];
  /** Why parts of the body make no alert though nothing is wrong with them. */
  ignored: string[];
  /** Alerts that the sender itself left out. */
  truncated: number;
}
export interface PreviewNoted {
  /** Place in the body, from 0. */
  index: number;
  /** The alert that it is about; absent where none is there, or you may not list alerts there. */
  name?: string;
  namespace: string;
  /** What it would do; for people. */
  text: string;
}
export interface PreviewLimit {
  limit: 'ratePerSecond' | 'maxLiveAlerts';
  /** How many alerts of the body it is about. */
  alerts: number;
  /** What would become of them; for people. */
  text: string;
}
/**
 * `New`: an Alert would be made. `Changed`: the one that is there would be written. `Same`: it says what is there already, and nothing would
 * be written. `Folded`: there is no room, it would be kept in Postgres and counted by an overflow Alert. `Inbox`: it would wait there and
 * become an Alert later. `NotStored`: its sender would have to send it again.
 */
export type PreviewFate = 'New' | 'Changed' | 'Same' | 'Folded' | 'Inbox' | 'NotStored';
export interface PreviewAlert {
  /** Place in the body, from 0. */
  index: number;
  /** The name that its object would have. */
  name: string;
  spec: AlertSpec;
  /** What would become of it; absent where you may not list alerts there. */
  fate?: { kind: PreviewFate; text: string };
  /** Where it would be stored. */
  goes: {
    namespace: string;
    /** Whose alert it would be; absent where you may not read AlertSources there: then name and spec are those that it had here. */
    source?: string;
    /** For people; absent where the source that it came to has no routes. */
    why?: string;
  };
}
/** POST /api/sources/:namespace/:name/test */
export interface TestRequest {
  state: 'Firing' | 'Resolved';
  /** As a sender would say it. Default: info, which the built-in rule only records. */
  severity?: string;
}
export interface TestAnswer {
  /** Name of the alert. */
  alert: string;
  /** `inbox`: it is safe in Postgres, and becomes an Alert later. */
  outcome: 'created' | 'updated' | 'unchanged' | 'inbox';
}
