/**
 * Reads what a webhook channel of Google Cloud Monitoring sends (schema 1.2): one incident, open or closed. Its id is the identity.
 */
import type { AlertInput } from '@funnelai/domain/alert-input';
import { parseJson } from '../intake/json.ts';
import { mapOf, readingOf, recordAt, recordsAt, textAt, textsIn } from './cloud-values.ts';
import { lenientTime } from './lenient.ts';
import { BodyProblem, describe } from './problem.ts';
import { type Reading, type Receiver, takesJson } from './receiver.ts';
import { type Fault, isRecord, own } from './values.ts';

export const googleMonitoring: Receiver = {
  format: 'GoogleMonitoring',
  paths: [''],
  takes: takesJson,
  expects: 'application/json',
  tokenParameter: 'token',
  read: ({ body }) => readGoogle(parseJson(body)),
};

const STATES = new Map<string, AlertInput['state']>([
  ['open', 'Firing'],
  ['closed', 'Resolved'],
]);

export function readGoogle(body: unknown): Reading {
  const incident = isRecord(body) ? own(body, 'incident') : undefined;
  if (!isRecord(body) || !isRecord(incident)) {
    const found = isRecord(body) ? describe(incident) : describe(body);
    throw new BodyProblem('incident', found, 'the object that a webhook channel of Google Cloud Monitoring sends');
  }
  const faults: Fault[] = [];
  const state = STATES.get(textAt(incident, 'state')?.toLowerCase() ?? '');
  if (state === undefined)
    faults.push({ field: 'incident.state', found: describe(own(incident, 'state')), expected: '"open" or "closed"' });
  const id = textAt(incident, 'incident_id');
  if (id === undefined)
    faults.push({
      field: 'incident.incident_id',
      found: describe(own(incident, 'incident_id')),
      expected: 'the id of the incident, the same when it opens and when it closes',
    });
  if (state === undefined || id === undefined) return readingOf({ faults });
  return readingOf({ input: inputOf(incident, id, state, textAt(body, 'version')) });
}

function inputOf(
  incident: Record<string, unknown>,
  id: string,
  state: AlertInput['state'],
  version: string | undefined,
): AlertInput {
  const policy = textAt(incident, 'policy_name');
  const condition = textAt(incident, 'condition', 'displayName') ?? textAt(incident, 'condition_name');
  // "No severity" says that there is none.
  const severity = textAt(incident, 'severity')?.toLowerCase();
  const notes: string[] = [];
  if (version === 'test') notes.push('Google Cloud Monitoring says that this is a test of its channel');
  return {
    state,
    dedupKey: id,
    title: withoutState(textAt(incident, 'documentation', 'subject')) ?? condition ?? policy ?? `Incident ${id}`,
    description: textAt(incident, 'documentation', 'content') ?? textAt(incident, 'summary'),
    labels: mapOf(
      ['alertname', policy ?? condition ?? 'GoogleMonitoring'],
      ['severity', severity === 'no severity' ? undefined : severity],
      ['condition', condition],
      ['project_id', textAt(incident, 'resource', 'labels', 'project_id') ?? textAt(incident, 'scoping_project_id')],
      ['resource_type', textAt(incident, 'resource', 'type')],
      ['resource_name', textAt(incident, 'resource_name') ?? textAt(incident, 'resource_display_name')],
      ['metric', textAt(incident, 'metric', 'type')],
      ...textsIn(recordAt(incident, 'policy_user_labels')),
      ...textsIn(recordAt(incident, 'resource', 'labels')),
      ...textsIn(recordAt(incident, 'metric', 'labels')),
      ...textsIn(recordAt(incident, 'metadata', 'user_labels')),
    ),
    annotations: mapOf(
      ['summary', textAt(incident, 'summary')],
      ['observed_value', textAt(incident, 'observed_value')],
      ['threshold_value', textAt(incident, 'threshold_value')],
      ['scoping_project_id', textAt(incident, 'scoping_project_id')],
      ['condition_resource', textAt(incident, 'condition', 'name')],
    ),
    startsAt: lenientTime(incident, 'started_at', notes),
    endsAt: state === 'Resolved' ? lenientTime(incident, 'ended_at', notes) : undefined,
    links: [
      ...link(textAt(incident, 'url'), 'Incident in Google Cloud', 'Source'),
      ...recordsAt(recordAt(incident, 'documentation'), 'links').flatMap((one) =>
        link(textAt(one, 'url'), textAt(one, 'displayName') ?? 'Documentation', 'Runbook'),
      ),
    ],
    notes,
  };
}

function link(url: string | undefined, title: string, kind: 'Source' | 'Runbook'): AlertInput['links'] {
  return url === undefined ? [] : [{ url, title, kind }];
}

/** "[ALERT - Error] CPU of checkout", and "[RESOLVED - Error] …" when it is over: the severity and the state have fields of their own. */
const withoutState = (subject: string | undefined): string | undefined =>
  subject?.replace(/^\[(?:ALERT|RESOLVED)(?: - [^\]]{0,100})?\] */i, '') || undefined;
