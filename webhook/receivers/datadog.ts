/**
 * Reads what Datadog's webhook sends with the payload of docs/senders/datadog.md. A monitor and the scope that it found at fault are
 * one fault. All values are text; a variable that Datadog does not know stands there with its dollar sign and counts as absent.
 */
import type { AlertInput } from '@funnelai/domain/alert-input';
import { byCodeUnit } from '@funnelai/domain/labels';
import { parseJson } from '../intake/json.ts';
import { INTAKE_ALERT_ENTRIES } from '../limits.ts';
import { type EventOutcome, readEvents } from './events.ts';
import { lenientTime, scalar, textsOf } from './lenient.ts';
import { describe } from './problem.ts';
import { type Receiver, takesJson } from './receiver.ts';
import { type Fault, own } from './values.ts';

const EXPECTED = 'a JSON object made by the payload of docs/senders/datadog.md';

export const datadog: Receiver = {
  format: 'Datadog',
  paths: [''],
  takes: takesJson,
  expects: 'application/json',
  read: ({ body }) => readEvents(parseJson(body), EXPECTED, readDatadog),
};

/** Datadog's transitions, and the severity of a monitor without a priority. */
const TRANSITIONS = new Map<string, { state: AlertInput['state']; severity?: string }>([
  ['triggered', { state: 'Firing', severity: 'error' }],
  ['warn', { state: 'Firing', severity: 'warning' }],
  ['no data', { state: 'Firing', severity: 'warning' }],
  ['recovered', { state: 'Resolved' }],
  // Whether it is one of the three above is not said, only that it is not over.
  ['renotify', { state: 'Firing' }],
]);

/** Reads one event; what is wrong with it goes into `faults`. */
export function readDatadog(event: Record<string, unknown>, faults: Fault[]): EventOutcome {
  const [word, alertId, aggregKey] = ['alert_transition', 'alert_id', 'aggreg_key'].map((key) => variable(event, key));
  // "Re-Triggered", "Re-No Data" and the like repeat what was.
  const plain = word?.toLowerCase().replace(/^re-(?=\w)/, '');
  const transition = TRANSITIONS.get(plain ?? '');
  if (transition === undefined) {
    const found = describe(own(event, 'alert_transition'));
    faults.push({
      field: 'alert_transition',
      found,
      expected: 'Triggered, Warn, No Data or Recovered ($ALERT_TRANSITION)',
    });
  }
  const tags = tagsOf(variable(event, 'tags'));
  const scope = tagsOf(variable(event, 'alert_scope'));
  const key = alertId === undefined ? aggregKey : [alertId, scopeText(scope)].join('/');
  if (key === undefined) {
    const found = describe(own(event, 'alert_id'));
    faults.push({
      field: 'alert_id',
      found,
      expected: 'the id of the monitor ($ALERT_ID), or aggreg_key ($AGGREG_KEY)',
    });
  }
  if (transition === undefined || key === undefined) return undefined;
  const { state } = transition;
  const notes: string[] = [];
  if (alertId === undefined) notes.push('no alert_id: the key is aggreg_key');
  if (plain === 'no data') notes.push('Datadog says "No Data": whether the fault is there is not known');
  const org = variable(event, 'org_id');
  const priority = variable(event, 'alert_priority')?.toUpperCase();
  const severity = severityOf(transition.severity, priority);
  const title =
    withoutState(variable(event, 'alert_title')) ??
    withoutState(variable(event, 'event_title')) ??
    `Monitor ${alertId ?? key}`;
  const timeAt = (name: string) => lenientTime({ [name]: variable(event, name) }, name, notes);
  const at = timeAt('date') ?? timeAt('last_updated');
  return {
    input: {
      labels: textsOf([
        ['alertname', title],
        ['severity', severity],
        ['priority', priority],
        ['monitor', alertId],
        ['host', variable(event, 'hostname')],
        ['org', variable(event, 'org_name')],
        ...scope,
        ...tags,
      ]),
      annotations: textsOf([
        ['status', variable(event, 'alert_status')],
        ['query', variable(event, 'alert_query')],
        ['metric', variable(event, 'alert_metric')],
        ['scope', variable(event, 'alert_scope')],
        ['tags', variable(event, 'tags')],
      ]),
      state,
      title,
      description: variable(event, 'body'),
      severity,
      links: [
        ...linkTo(variable(event, 'link'), 'Event in Datadog', 'Source'),
        ...linkTo(variable(event, 'snapshot'), 'Graph', 'Graph'),
      ],
      dedupKey: org === undefined ? key : `${org}/${key}`,
      // How bad it was, and what was said of it, stays when it is over.
      occurredAt: at,
      only: state === 'Resolved' || plain === 'renotify' ? 'State' : undefined,
      notes,
    },
  };
}

/** The priority of the monitor speaks of its alerts; a warning, or missing data, is never worse than that word. */
function severityOf(word: string | undefined, priority: string | undefined): string | undefined {
  if (priority === undefined || !/^P[1-5]$/.test(priority)) return word;
  return word === 'warning' && (priority === 'P1' || priority === 'P2') ? word : priority;
}

/** Returns a field unless it is empty, "null", or the very variable that Datadog did not fill in. */
function variable(event: Record<string, unknown>, key: string): string | undefined {
  const value = scalar(event, key);
  return value === undefined || value === 'null' || /^\$[A-Z_]+$/.test(value) ? undefined : value;
}

/** "role:computing-node, monitor": pairs become labels; a tag without a value says only that it is there. A key may come often. */
function tagsOf(list: string | undefined): (readonly [string, string])[] {
  const byKey = new Map<string, Set<string>>();
  for (const tag of (list ?? '').split(',', INTAKE_ALERT_ENTRIES).map((one) => one.trim())) {
    const colon = tag.indexOf(':');
    const [key, value] = colon < 0 ? [tag, 'true'] : [tag.slice(0, colon), tag.slice(colon + 1)];
    if (key === '' || key === '*' || value === '') continue;
    byKey.set(key, (byKey.get(key) ?? new Set()).add(value));
  }
  return [...byKey].map(([key, values]) => [key, [...values].sort(byCodeUnit).join(',')]);
}

/** One text for one scope, whatever the order of its tags. */
function scopeText(scope: readonly (readonly [string, string])[]): string {
  return [...scope]
    .map(([key, value]) => `${key}:${value}`)
    .sort(byCodeUnit)
    .join(',');
}

/** "[P2] [Triggered on {host:web-1}] Load is high" is how Datadog writes priority, state and title, in both of its variables for a title. */
const withoutState = (title: string | undefined): string | undefined =>
  title?.replace(/^(?:\[P[1-5]\] *)?\[(?:Re-)?(?:Triggered|Warn|No Data|Recovered|Renotify)[^\]]{0,1000}\] */i, '') ||
  undefined;

const linkTo = (url: string | undefined, title: string, kind: 'Source' | 'Graph'): AlertInput['links'] =>
  url === undefined ? [] : [{ title, url, kind }];
