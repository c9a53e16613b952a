/**
 * Reads the common alert schema of Azure Monitor, as action groups send it: metric and log alerts by their own id, service and
 * resource health by what they are about, for those come as one message for each change of it.
 */
import type { AlertInput } from '@funnelai/domain/alert-input';
import type { Temporal } from 'temporal-polyfill';
import { parseJson } from '../intake/json.ts';
import { mapOf, readingOf, recordAt, recordsAt, textAt, textsIn } from './cloud-values.ts';
import { lenientTime } from './lenient.ts';
import { BodyProblem, describe } from './problem.ts';
import { type Reading, type Receiver, takesJson } from './receiver.ts';
import { type Fault, isRecord, own } from './values.ts';

export const azureMonitor: Receiver = {
  format: 'AzureMonitor',
  paths: [''],
  takes: takesJson,
  expects: 'application/json',
  tokenParameter: 'token',
  // Action groups try 408, 429, 503 and 504 again, and no other answer.
  holdsAt429: true,
  read: ({ body }) => readAzure(parseJson(body)),
};

const COMMON = 'azuremonitorcommonalertschema';
const STATES = new Map<string, AlertInput['state']>([
  ['fired', 'Firing'],
  ['resolved', 'Resolved'],
]);
/** Azure's levels: Critical, Error, Warning, Informational, Verbose. */
const SEVERITIES = new Map([
  ['sev0', 'critical'],
  ['sev1', 'error'],
  ['sev2', 'warning'],
  ['sev3', 'info'],
  ['sev4', 'debug'],
]);
/** Stages of a service health event after which nothing more is wrong. */
const STAGES_OVER = new Set(['resolved', 'complete', 'canceled', 'rca']);

export function readAzure(body: unknown): Reading {
  if (!isRecord(body)) throw new BodyProblem('', describe(body), 'the JSON object that an action group sends');
  const schema = textAt(body, 'schemaId');
  const data = own(body, 'data');
  const essentials = isRecord(data) ? own(data, 'essentials') : undefined;
  if (schema?.toLowerCase() !== COMMON)
    throw new BodyProblem(
      'schemaId',
      describe(own(body, 'schemaId')),
      '"azureMonitorCommonAlertSchema": enable the common alert schema in the webhook action of the action group',
    );
  if (!isRecord(data) || !isRecord(essentials))
    throw new BodyProblem('data.essentials', describe(essentials), 'an object with alertId and monitorCondition');
  const faults: Fault[] = [];
  const id = textAt(essentials, 'alertId');
  if (id === undefined)
    faults.push({
      field: 'data.essentials.alertId',
      found: describe(own(essentials, 'alertId')),
      expected: 'the id of the alert, the same when it fires and when it is resolved',
    });
  const said = STATES.get(textAt(essentials, 'monitorCondition')?.toLowerCase() ?? '');
  if (said === undefined)
    faults.push({
      field: 'data.essentials.monitorCondition',
      found: describe(own(essentials, 'monitorCondition')),
      expected: '"Fired" or "Resolved"',
    });
  if (id === undefined || said === undefined) return readingOf({ faults });
  return readingOf({
    input: inputOf(essentials, recordAt(data, 'alertContext'), recordAt(data, 'customProperties'), id, said),
  });
}

/** What an alert is about, where its own id is not: each message about the health of something has a new one. */
interface Health {
  key?: string;
  state: AlertInput['state'];
  notes: string[];
  /** When that was so. */
  at?: Temporal.Instant | undefined;
}

function healthOf(
  essentials: Record<string, unknown>,
  context: Record<string, unknown>,
  said: AlertInput['state'],
): Health {
  const service = textAt(essentials, 'monitoringService')?.toLowerCase().replaceAll(' ', '');
  const properties = recordAt(context, 'properties');
  const notes: string[] = [];
  const at = lenientTime(context, 'eventTimestamp', notes);
  if (service === 'servicehealth') {
    const tracking = textAt(properties, 'trackingId');
    const stage = textAt(properties, 'stage')?.toLowerCase();
    const state = stage !== undefined && STAGES_OVER.has(stage) ? 'Resolved' : said;
    if (tracking !== undefined) return { key: `servicehealth/${tracking}`, state, notes, at };
  } else if (service === 'resourcehealth') {
    const target = targetsOf(essentials)[0]?.toLowerCase();
    const health = textAt(properties, 'currentHealthStatus')?.toLowerCase();
    const state = health === 'available' ? 'Resolved' : said;
    if (target !== undefined && health !== undefined) return { key: `resourcehealth/${target}`, state, notes, at };
  } else if (service?.startsWith('activitylog') && said === 'Firing') {
    return {
      state: said,
      notes: ['Azure never says that an alert on the activity log is over: a person resolves it, or expireAfter'],
    };
  }
  return { state: said, notes: [] };
}

function inputOf(
  essentials: Record<string, unknown>,
  context: Record<string, unknown>,
  custom: Record<string, unknown>,
  id: string,
  said: AlertInput['state'],
): AlertInput {
  const { key = id, state, notes, at } = healthOf(essentials, context, said);
  const rule = textAt(essentials, 'alertRule');
  const sev = textAt(essentials, 'severity');
  const [target, ...others] = targetsOf(essentials);
  const criteria = recordsAt(recordAt(context, 'condition'), 'allOf');
  const properties = recordAt(context, 'properties');
  return {
    state,
    dedupKey: key,
    title: textAt(properties, 'title') ?? rule,
    description:
      textAt(essentials, 'description') ?? textAt(properties, 'communication') ?? textAt(context, 'description'),
    labels: mapOf(
      ['alertname', rule ?? 'AzureMonitor'],
      ['severity', SEVERITIES.get(sev?.toLowerCase() ?? '') ?? sev],
      ['azure_severity', sev],
      ['signal_type', textAt(essentials, 'signalType')],
      ['monitoring_service', textAt(essentials, 'monitoringService')],
      ...resourceLabels(target),
      ...criteria.flatMap((one) =>
        recordsAt(one, 'dimensions').map(
          (dimension) => [textAt(dimension, 'name') ?? '', textAt(dimension, 'value')] as const,
        ),
      ),
      ['metric', textAt(criteria[0] ?? {}, 'metricName')],
      ['region', textAt(properties, 'region')],
      ['service', textAt(properties, 'service')],
      ['incident_type', textAt(properties, 'incidentType')],
      ['operation', textAt(context, 'operationName')],
      ...textsIn(custom),
    ),
    annotations: mapOf(
      ['target', target],
      ['other_targets', others.join(' ') || undefined],
      ['value', textAt(criteria[0] ?? {}, 'metricValue')],
      ['threshold', textAt(criteria[0] ?? {}, 'threshold')],
      ['stage', textAt(properties, 'stage')],
      ['health', textAt(properties, 'currentHealthStatus')],
      ['cause', textAt(properties, 'cause')],
      ['caller', textAt(context, 'caller')],
      ['alert_id', id],
    ),
    // Of health it is the time of this message, and not of the first.
    startsAt: key === id ? lenientTime(essentials, 'firedDateTime', notes) : undefined,
    endsAt: state === 'Resolved' ? lenientTime(essentials, 'resolvedDateTime', notes) : undefined,
    occurredAt: at,
    links: linksOf(essentials, criteria[0] ?? {}),
    notes,
  };
}

function targetsOf(essentials: Record<string, unknown>): string[] {
  const ids = own(essentials, 'alertTargetIDs');
  return Array.isArray(ids)
    ? ids.filter((id): id is string => typeof id === 'string' && id !== '').map((id) => id.toWellFormed())
    : [];
}

/** "/subscriptions/S/resourcegroups/G/providers/microsoft.compute/virtualmachines/N", in whatever case Azure writes it today. */
function resourceLabels(target: string | undefined): [string, string | undefined][] {
  const parts = (target ?? '').split('/');
  const after = (name: string) => parts[parts.findIndex((part) => part.toLowerCase() === name) + 1];
  const at = parts.findIndex((part) => part.toLowerCase() === 'providers');
  const has = (name: string) => parts.some((part) => part.toLowerCase() === name);
  return [
    ['subscription', has('subscriptions') ? after('subscriptions')?.toLowerCase() : undefined],
    ['resource_group', has('resourcegroups') ? after('resourcegroups')?.toLowerCase() : undefined],
    [
      'resource_type',
      at < 0
        ? undefined
        : parts
            .slice(at + 1, at + 3)
            .join('/')
            .toLowerCase() || undefined,
    ],
    ['resource', at < 0 ? undefined : parts.at(-1) || undefined],
  ];
}

function linksOf(essentials: Record<string, unknown>, criterion: Record<string, unknown>): AlertInput['links'] {
  const links: [string | undefined, string, AlertInput['links'][number]['kind']][] = [
    [textAt(essentials, 'investigationLink'), 'Alert in Azure', 'Source'],
    [
      textAt(criterion, 'linkToFilteredSearchResultsUI') ?? textAt(criterion, 'linkToSearchResultsUI'),
      'Search results',
      'Graph',
    ],
  ];
  return links.flatMap(([url, title, kind]) => (url === undefined ? [] : [{ url, title, kind }]));
}
