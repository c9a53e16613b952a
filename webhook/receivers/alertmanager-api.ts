/**
 * What Alertmanager's API v2 answers to those who read (amtool, Grafana), told of the alerts of one source. Pure: who may ask is the
 * intake's. Source: Alertmanager's OpenAPI v2 (gettableAlerts, alertGroups, alertmanagerStatus).
 */

import { RE2JS } from '@bufbuild/re2';
import type { Alert } from '@funnelai/crds/generated/types';
import { parseInstant } from '@funnelai/domain/instants';
import { byCodeUnit } from '@funnelai/domain/labels';
import { type Matcher, matches, parseMatchers } from '@funnelai/domain/matcher';
import { MatcherSyntaxError } from '@funnelai/domain/matcher-syntax';
import type { Temporal } from 'temporal-polyfill';
import { API_V2_ALERTS, API_V2_FILTERS } from '../limits.ts';

/** The parts of the API that are answered, behind the source's own path. */
export const API_V2_READS = [
  '/api/v2/alerts',
  '/api/v2/alerts/groups',
  '/api/v2/status',
  '/api/v2/receivers',
  '/api/v2/silences',
] as const;
export type ApiV2Read = (typeof API_V2_READS)[number];

export interface ApiV2Question {
  path: ApiV2Read;
  query: URLSearchParams;
  /** Those of the source, in whatever state. */
  alerts: readonly Alert[];
  startedAt: Temporal.Instant;
}
export type ApiV2Answer = { status: 200; body: unknown; isCut?: true } | { status: 400; body: string };

const RECEIVER = 'funnelai';
/** As Go writes "none". */
const NO_TIME = '0001-01-01T00:00:00.000Z';
const FINGERPRINT_DIGITS = 16;

export function answerApiV2({ path, query, alerts, startedAt }: ApiV2Question): ApiV2Answer {
  if (path === '/api/v2/receivers') return { status: 200, body: [{ name: RECEIVER }] };
  // Silences are no part of Alertmanager's here; there are none.
  if (path === '/api/v2/silences') return { status: 200, body: [] };
  if (path === '/api/v2/status') return { status: 200, body: statusOf(startedAt) };
  let filter: Filter;
  try {
    filter = filterOf(query);
  } catch (error) {
    // A text alone, as Alertmanager answers: its clients expect nothing else.
    if (error instanceof RangeError) return { status: 400, body: error.message };
    if (error instanceof MatcherSyntaxError) return { status: 400, body: `filter: ${error.message}` };
    throw error;
  }
  const found = alerts.filter((alert) => isAsked(alert, filter)).sort(byFingerprint);
  const cut = found.slice(0, API_V2_ALERTS);
  const body = path === '/api/v2/alerts' ? cut.map(gettable) : groupsOf(cut);
  return { status: 200, body, ...(cut.length < found.length ? { isCut: true } : {}) };
}

interface Filter {
  matchers: readonly Matcher[];
  /** Nothing is silenced, inhibited or unprocessed here: what fires is active. */
  active: boolean;
  isReceiver: boolean;
}

function filterOf(query: URLSearchParams): Filter {
  const texts = query.getAll('filter');
  if (texts.length > API_V2_FILTERS)
    throw new RangeError(`filter: found ${texts.length} of them, expected at most ${API_V2_FILTERS}`);
  const active = query.get('active');
  if (active !== null && active !== 'true' && active !== 'false')
    throw new RangeError(`active: found ${JSON.stringify(active.slice(0, 40))}, expected true or false`);
  return {
    matchers: texts.flatMap(parseMatchers),
    active: active !== 'false',
    isReceiver: isReceiver(query.get('receiver')),
  };
}

function isReceiver(pattern: string | null): boolean {
  if (pattern === null || pattern === '') return true;
  try {
    return new RE2JS(`^(?:${pattern})$`).test(RECEIVER);
  } catch {
    throw new RangeError(
      `receiver: found ${JSON.stringify(pattern.slice(0, 80))}, expected a regular expression in RE2 syntax`,
    );
  }
}

/** As with Alertmanager, what has ended is not told of; nor what expired: nobody vouches for it any more. */
function isAsked({ spec, metadata }: Alert, { matchers, active, isReceiver }: Filter): boolean {
  if (!active || !isReceiver || spec.state !== 'Firing' || metadata.deletionTimestamp !== undefined) return false;
  return matchers.every((matcher) => matches(matcher, spec.labels));
}

const byFingerprint = (a: Alert, b: Alert): number => byCodeUnit(a.spec.fingerprint, b.spec.fingerprint);

function gettable({ spec }: Alert): object {
  const generator = spec.links?.find(({ kind }) => kind === 'Source')?.url;
  return {
    labels: spec.labels ?? {},
    annotations: spec.annotations ?? {},
    startsAt: timeOf(spec.startsAt),
    // The lease as of the report that was stored last; it moves on in Postgres.
    endsAt: spec.leaseUntil === undefined ? NO_TIME : timeOf(spec.leaseUntil),
    updatedAt: timeOf(spec.receivedAt),
    fingerprint: spec.fingerprint.slice(0, FINGERPRINT_DIGITS),
    receivers: [{ name: RECEIVER }],
    status: { state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [] },
    ...(generator === undefined ? {} : { generatorURL: generator }),
  };
}

/** Alerts of one incident are one group. */
function groupsOf(alerts: readonly Alert[]): object[] {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const incident = alert.status?.incidentRef?.name ?? '';
    const members = groups.get(incident);
    if (members === undefined) groups.set(incident, [alert]);
    else members.push(alert);
  }
  return [...groups]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([incident, members]) => ({
      labels: incident === '' ? {} : { incident },
      receiver: { name: RECEIVER },
      alerts: members.map(gettable),
    }));
}

function statusOf(startedAt: Temporal.Instant): object {
  return {
    cluster: { status: 'disabled', peers: [] },
    config: { original: '' },
    uptime: startedAt.toString({ fractionalSecondDigits: 3 }),
    versionInfo: { version: 'funnelai', branch: '', revision: '', buildDate: '', buildUser: '', goVersion: '' },
  };
}

const timeOf = (text: string): string =>
  parseInstant(text)?.toString({ fractionalSecondDigits: 3, roundingMode: 'floor' }) ?? NO_TIME;
