/**
 * Reads the webhooks of Sentry's internal integrations: issue alerts, metric alerts, and what becomes of issues. The header
 * sentry-hook-resource says which; without it the body's own shape does. An issue, or a metric rule, is one fault.
 */
import type { AlertInput } from '@funnelai/domain/alert-input';
import { parseJson } from '../intake/json.ts';
import { INTAKE_ALERT_ENTRIES } from '../limits.ts';
import { type EventOutcome, readEvents } from './events.ts';
import { inner, lenientTime, scalar, scalarText, textsOf } from './lenient.ts';
import { describe } from './problem.ts';
import { type Receiver, takesJson } from './receiver.ts';
import { type Fault, isRecord, own } from './values.ts';

const EXPECTED = 'a webhook of a Sentry internal integration: a JSON object with action and data';

export const sentry: Receiver = {
  format: 'Sentry',
  paths: [''],
  takes: takesJson,
  expects: 'application/json',
  read: ({ body, headers }) => {
    const resource = headers['sentry-hook-resource'];
    const named = typeof resource === 'string' ? resource.trim().toLowerCase() : '';
    return readEvents(parseJson(body), EXPECTED, (event, faults) => readHook(event, named, faults));
  },
};

/** Reads one webhook; what is wrong with it goes into `faults`. `resource` is the header's word, empty when there is none. */
export function readHook(event: Record<string, unknown>, resource: string, faults: Fault[]): EventOutcome {
  const action = scalar(event, 'action')?.toLowerCase();
  const data = inner(event, 'data');
  switch (resource === '' ? shapeOf(data) : resource) {
    case 'event_alert':
      return issueAlert(data, faults);
    case 'metric_alert':
      return metricAlert(data, action, faults);
    case 'issue':
      return issue(data, action, faults);
    case undefined:
      faults.push({
        field: 'data',
        found: describe(own(event, 'data')),
        expected: 'an object with event, metric_alert or issue',
      });
      return undefined;
    default:
      return { ignored: `a webhook about ${describe(resource)} is no alert` };
  }
}

function shapeOf(data: Record<string, unknown>): string | undefined {
  if (isRecord(own(data, 'metric_alert'))) return 'metric_alert';
  if (isRecord(own(data, 'event'))) return 'event_alert';
  return isRecord(own(data, 'issue')) ? 'issue' : undefined;
}

function issueAlert(data: Record<string, unknown>, faults: Fault[]): EventOutcome {
  const event = inner(data, 'event');
  const id = scalar(event, 'issue_id');
  if (id === undefined) {
    faults.push({
      field: 'data.event.issue_id',
      found: describe(own(event, 'issue_id')),
      expected: 'the id of the issue',
    });
    return undefined;
  }
  const notes: string[] = [];
  const rule = scalar(data, 'triggered_rule') ?? scalar(inner(data, 'issue_alert'), 'title');
  const level = scalar(event, 'level');
  const title = scalar(event, 'title') ?? `Sentry issue ${id}`;
  return {
    input: {
      labels: textsOf([
        ['alertname', rule ?? title],
        ['severity', level],
        ['issue', id],
        ['project', scalar(event, 'project')],
        ['platform', scalar(event, 'platform')],
        ['environment', scalar(event, 'environment')],
        ...tagsOf(own(event, 'tags')),
      ]),
      annotations: textsOf([
        ['culprit', scalar(event, 'culprit')],
        ['triggered_rule', rule],
        ['event_id', scalar(event, 'event_id')],
      ]),
      state: 'Firing',
      title,
      description: scalar(event, 'message') ?? scalar(event, 'culprit'),
      severity: level,
      links: linkTo(scalar(event, 'web_url'), 'Event in Sentry'),
      dedupKey: `issue/${id}`,
      occurredAt: lenientTime(event, 'datetime', notes) ?? lenientTime(event, 'timestamp', notes),
      notes,
    },
  };
}

/** Issues are reported by alert rules; the hook about issues says only what became of them. */
function issue(data: Record<string, unknown>, action: string | undefined, faults: Fault[]): EventOutcome {
  const raw = inner(data, 'issue');
  const id = scalar(raw, 'id');
  if (id === undefined) {
    faults.push({ field: 'data.issue.id', found: describe(own(raw, 'id')), expected: 'the id of the issue' });
    return undefined;
  }
  if (action !== 'resolved' && action !== 'unresolved')
    return { ignored: `issue ${id} ${action ?? 'without an action'}: only an alert rule fires, only "resolved" ends` };
  const level = scalar(raw, 'level');
  const title = scalar(raw, 'title') ?? `Sentry issue ${id}`;
  const project = inner(raw, 'project');
  const input: AlertInput = {
    labels: textsOf([
      ['alertname', title],
      ['severity', level],
      ['issue', id],
      ['project', scalar(project, 'slug') ?? scalar(project, 'id')],
      ['platform', scalar(raw, 'platform')],
    ]),
    annotations: textsOf([
      ['culprit', scalar(raw, 'culprit')],
      ['shortId', scalar(raw, 'shortId')],
    ]),
    state: action === 'resolved' ? 'Resolved' : 'Firing',
    // The alert rule named it and its tags; this hook knows less.
    only: action === 'resolved' ? 'Ending' : 'State',
    title,
    description: scalar(raw, 'culprit'),
    severity: level,
    links: linkTo(scalar(raw, 'permalink') ?? scalar(raw, 'web_url'), 'Issue in Sentry'),
    dedupKey: `issue/${id}`,
  };
  return { input };
}

const METRIC_STATES = new Map<string, AlertInput['state']>([
  ['critical', 'Firing'],
  ['warning', 'Firing'],
  ['resolved', 'Resolved'],
]);

function metricAlert(data: Record<string, unknown>, action: string | undefined, faults: Fault[]): EventOutcome {
  const alert = inner(data, 'metric_alert');
  const rule = inner(alert, 'alert_rule');
  const state = METRIC_STATES.get(action ?? '');
  if (state === undefined) {
    faults.push({ field: 'action', found: describe(action), expected: '"critical", "warning" or "resolved"' });
  }
  const projects = projectsOf(own(alert, 'projects'));
  const key = metricKey(alert, rule, projects);
  if (key === undefined) {
    const found = describe(own(data, 'metric_alert'));
    faults.push({ field: 'data.metric_alert', found, expected: 'an object with alert_rule.id, or with id' });
  }
  if (state === undefined || key === undefined) return undefined;
  const notes: string[] = [];
  const name = scalar(rule, 'name') ?? scalar(alert, 'title') ?? key;
  return {
    input: {
      labels: textsOf([
        ['alertname', name],
        ['severity', state === 'Firing' ? action : undefined],
        ['project', projects.join(',')],
        ['rule', scalar(rule, 'id')],
        ['environment', scalar(rule, 'environment')],
        ['dataset', scalar(rule, 'dataset')],
      ]),
      annotations: textsOf([
        ['query', scalar(rule, 'query')],
        ['aggregate', scalar(rule, 'aggregate')],
        ['incident', scalar(alert, 'identifier')],
      ]),
      state,
      // Not `description_title`, which begins with the state of the moment; the incident's own title may be two random words.
      title: name,
      description: scalar(data, 'description_text'),
      severity: state === 'Firing' ? action : undefined,
      only: state === 'Resolved' ? 'State' : undefined,
      links: linkTo(scalar(data, 'web_url'), 'Alert in Sentry'),
      dedupKey: key,
      startsAt: lenientTime(alert, 'date_started', notes),
      endsAt: state === 'Resolved' ? lenientTime(alert, 'date_closed', notes) : undefined,
      notes,
    },
  };
}

/** The rule and its projects outlive one incident of Sentry's: a fault that comes back is the same alert in another episode. */
function metricKey(
  alert: Record<string, unknown>,
  rule: Record<string, unknown>,
  projects: readonly string[],
): string | undefined {
  const [ruleId, id] = [scalar(rule, 'id'), scalar(alert, 'id')];
  if (ruleId !== undefined) return `metric/${ruleId}/${projects.join(',')}`;
  return id === undefined ? undefined : `metric-alert/${id}`;
}

function projectsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [];
  return [...new Set(list.flatMap((one) => scalarText(one) ?? []))].sort();
}

/** [["browser", "Chrome"], …], or objects with key and value. */
function tagsOf(tags: unknown): (readonly [string, string | undefined])[] {
  return (Array.isArray(tags) ? tags : []).slice(0, INTAKE_ALERT_ENTRIES).map((tag: unknown) => {
    if (Array.isArray(tag)) return [scalarText(tag[0]) ?? '', scalarText(tag[1])];
    return isRecord(tag) ? [scalar(tag, 'key') ?? '', scalar(tag, 'value')] : ['', undefined];
  });
}

const linkTo = (url: string | undefined, title: string): AlertInput['links'] =>
  url === undefined ? [] : [{ title, url, kind: 'Source' }];
