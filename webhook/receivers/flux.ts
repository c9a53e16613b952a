/**
 * Reads the events that Flux's notification-controller posts by its providers `generic` and `generic-hmac`. One object that Flux
 * reconciles is one fault: an error about it fires, the controller's own word that it succeeded resolves; all else makes no alert.
 * (The provider `alertmanager` speaks Alertmanager's API v2.)
 */
import type { AlertInput } from '@funnelai/domain/alert-input';
import { parseJson } from '../intake/json.ts';
import { INTAKE_ALERT_ENTRIES } from '../limits.ts';
import { type EventOutcome, readEvents } from './events.ts';
import { inner, lenientTime, scalar, scalarText, textsOf } from './lenient.ts';
import { describe } from './problem.ts';
import { type Receiver, takesJson } from './receiver.ts';
import { type Fault, own } from './values.ts';

const EXPECTED = 'an event of Flux’s notification-controller: a JSON object with involvedObject, severity and reason';

export const flux: Receiver = {
  format: 'Flux',
  paths: [''],
  takes: takesJson,
  expects: 'application/json',
  read: ({ body }) => readEvents(parseJson(body), EXPECTED, readFluxEvent),
};

/**
 * Reasons of info events that say the object is as it should be. RollbackSucceeded and UninstallSucceeded do not: they end a remedy,
 * and the release is still not what was asked for. DriftCorrected does: helm-controller looks for drift only in what is deployed as
 * asked for, and says nothing more once it is mended.
 */
const SUCCESS = new Set([
  'ReconciliationSucceeded',
  'Succeeded',
  'NewArtifact',
  'ArtifactUpToDate',
  'ChartPullSucceeded',
  'ChartPackageSucceeded',
  'InstallSucceeded',
  'UpgradeSucceeded',
  'TestSucceeded',
  'DriftCorrected',
]);
/** kustomize-controller reports recovery in these words under the reason Progressing. */
const HEALTHY = /^Health check passed\b/;

/** Metadata that changes with every revision, or is for readers: no rule should match on it. */
const FOR_READERS = new Set([
  'summary',
  'revision',
  'originRevision',
  'checksum',
  'digest',
  'oci-digest',
  'app-version',
  'change_request',
  'commit_status',
  'token',
]);

/** Reads one event; what is wrong with it goes into `faults`. */
export function readFluxEvent(event: Record<string, unknown>, faults: Fault[]): EventOutcome {
  const about = inner(event, 'involvedObject');
  const [kind, name] = [scalar(about, 'kind'), scalar(about, 'name')];
  if (kind === undefined || name === undefined) {
    const found = describe(own(event, 'involvedObject'));
    faults.push({ field: 'involvedObject', found, expected: 'an object with kind and name' });
    return undefined;
  }
  const namespace = scalar(about, 'namespace');
  const reason = scalar(event, 'reason') ?? '';
  const message = scalar(event, 'message') ?? '';
  const severity = scalar(event, 'severity')?.toLowerCase();
  const what = [kind, [namespace, name].filter((part) => part !== undefined).join('/')].join(' ');
  const state = stateOf(severity, reason, message);
  if (state === undefined)
    return { ignored: `${what}: ${severity ?? 'event'} ${describe(reason)} is no fault and ends none` };
  const notes: string[] = [];
  if (severity === undefined) notes.push('no severity: taken for an error by its reason');
  const at = lenientTime(event, 'timestamp', notes);
  const group = (scalar(about, 'apiVersion') ?? '').split('/')[0];
  const entries = Object.entries(inner(event, 'metadata')).slice(0, INTAKE_ALERT_ENTRIES);
  const metadata = entries.flatMap(([key, value]): [string, string][] => {
    const shown = scalarText(value);
    return shown === undefined ? [] : [[shortName(key), shown]];
  });
  const input: AlertInput = {
    labels: textsOf([
      ['alertname', `Flux${kind}Failed`],
      ['kind', kind],
      ['name', name],
      ['namespace', namespace],
      ['controller', scalar(event, 'reportingController')],
      ['severity', state === 'Firing' ? 'error' : undefined],
      ['reason', state === 'Firing' ? reason : undefined],
      ...metadata.filter(([key]) => !FOR_READERS.has(key)),
    ]),
    annotations: textsOf([
      ['message', message],
      ...metadata
        .filter(([key]) => FOR_READERS.has(key))
        .map(([key, value]) => [key === 'summary' ? 'eventSummary' : key, value] as const),
    ]),
    state,
    title: `${what} failed${reason === '' ? '' : `: ${reason}`}`,
    description: message,
    severity: 'error',
    links: [],
    // The uid tells one cluster's object from its namesake in another, and is the same in the event that resolves.
    dedupKey: [group, kind, namespace ?? '', name, scalar(about, 'uid') ?? ''].join('/'),
    // Flux says of most objects that all is well; few of them ever failed.
    only: state === 'Resolved' ? 'Ending' : undefined,
    occurredAt: at,
    notes,
  };
  return { input };
}

/** Undefined for what is neither: progress, drift, a remedy. Nothing is resolved by a reason that is not known to mean success. */
function stateOf(severity: string | undefined, reason: string, message: string): AlertInput['state'] | undefined {
  if (severity === 'error') return 'Firing';
  if (severity === undefined && /(?:Failed|Error)$/.test(reason)) return 'Firing';
  if (severity !== 'info') return undefined;
  return SUCCESS.has(reason) || (reason === 'Progressing' && HEALTHY.test(message)) ? 'Resolved' : undefined;
}

/** "kustomize.toolkit.fluxcd.io/revision" is "revision", whichever controller or Alert put it there. */
const shortName = (key: string): string => key.replace(/^(?:[a-z0-9-]+\.)*toolkit\.fluxcd\.io\//, '');
