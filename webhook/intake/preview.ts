/** What a body would become, and where: read by its format, routed and made ready as for the store, and nothing is stored or counted. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import { routeReasonText, type Way } from '@funnelai/domain/route';
import type { PreviewAlert, SourcePreview } from '@funnelai/domain/wire-sources';
import type { Clock } from '@funnelai/kube/clock';
import { INTAKE_PROBLEMS_LISTED, PREVIEW_ALERTS } from '../limits.ts';
import { type AlertProblem, BodyProblem, discreet, MappingBroken, TooManyAlerts } from '../receivers/problem.ts';
import type { Envelope, Reading, Receiver } from '../receivers/receiver.ts';
import { readingOf } from './envelope.ts';
import type { Routing } from './routing.ts';
import { inSlices } from './slices.ts';
import { createWarningList, type Warnings, warned } from './warnings.ts';

export interface PreviewDeps {
  clock: Pick<Clock, 'monotonicMs'>;
  routing: Routing;
  /** What whoever asks may know of other namespaces; everything when absent, as a sender's own token does. */
  sight?: Sight;
}
export interface Sight {
  /** What fires there. */
  alerts(namespace: string): boolean;
  /** What its AlertSources say. */
  sources(namespace: string): boolean;
}
const ALL: Sight = { alerts: () => true, sources: () => true };

/** A body that is not understood is an answer, too. Throws only what is our own fault. */
export async function previewOf(receiver: Receiver, envelope: Envelope, deps: PreviewDeps): Promise<SourcePreview> {
  let reading: Reading;
  try {
    reading = await readingOf(receiver, envelope);
  } catch (error) {
    if (!isOfTheBody(error)) throw error;
    const answer = { ...refusalFor(error), message: error.message };
    return { answer, alerts: [], total: 0, problems: [], warnings: [], ignored: [], truncated: 0 };
  }
  const { alerts, warnings } = await alertsOf(reading, envelope, deps);
  const { problems, truncated } = reading;
  const bad = new Set(problems.map(({ index }) => index)).size;
  const isGood = bad === 0;
  const listed = problems.slice(0, INTAKE_PROBLEMS_LISTED).map(discreet);
  const total = reading.received.length + bad;
  return {
    answer: {
      status: isGood ? 200 : 400,
      code: isGood ? 'Stored' : 'Invalid',
      message: sentence(reading.received.length, total, warnings, listed[0]),
    },
    alerts: alerts.slice(0, PREVIEW_ALERTS),
    total: alerts.length,
    problems: listed,
    warnings: warnings?.listed ?? [],
    ignored: reading.ignored.slice(0, PREVIEW_ALERTS),
    truncated,
  };
}

async function alertsOf(
  reading: Reading,
  { source, now }: Envelope,
  { clock, routing, sight = ALL }: PreviewDeps,
): Promise<{ alerts: PreviewAlert[]; warnings: Warnings | undefined }> {
  const byFault = new Map<string, PreviewAlert>();
  const warnings = createWarningList();
  const pause = inSlices(clock);
  const wayOf = await routing.of(
    source,
    reading.received.map(({ input }) => input),
    sight.alerts,
  );
  for (const { index, input } of reading.received) {
    // Others wait meanwhile: probes, and senders whose alerts are real.
    await pause();
    const way = wayOf(input);
    for (const place of way.places) {
      const isSeen = place === source || sight.sources(place.metadata.namespace ?? '');
      const owner = isSeen ? place : source;
      const { spec, odd } = toAlertSpec(input, owner, now, source);
      warnings.add(index, odd);
      // Of the same fault twice in a body the later word is shown; what is stored is the merge of both.
      byFault.set(`${place.metadata.namespace}/${place.metadata.name}/${spec.fingerprint}`, {
        index,
        name: alertName(owner.metadata.name, spec.fingerprint),
        spec,
        goes: destination(place, way, source, isSeen),
      });
    }
  }
  return { alerts: [...byFault.values()], warnings: warnings.all() };
}

function destination({ metadata }: AlertSource, way: Way, home: AlertSource, isSeen: boolean): PreviewAlert['goes'] {
  const why = routeReasonText(way.why, home);
  return {
    namespace: metadata.namespace ?? '',
    ...(isSeen ? { source: metadata.name } : {}),
    ...(why === undefined ? {} : { why }),
  };
}

function sentence(
  good: number,
  total: number,
  warnings: Warnings | undefined,
  first: AlertProblem | undefined,
): string {
  const stored = `${good} of ${total} ${total === 1 ? 'alert' : 'alerts'} would be stored${warned(warnings)}`;
  if (first === undefined) return stored;
  const place = `alerts[${first.index}]${first.field === '' ? '' : `.${first.field}`}`;
  return `${stored}; the first that would not is ${place}: found ${first.found}, expected ${first.expected}`;
}

function refusalFor(error: Error): Pick<SourcePreview['answer'], 'status' | 'code'> {
  if (error instanceof MappingBroken) return { status: 503, code: 'Unavailable' };
  return error instanceof TooManyAlerts ? { status: 413, code: 'TooLarge' } : { status: 400, code: 'Invalid' };
}

function isOfTheBody(error: unknown): error is Error {
  return [BodyProblem, TooManyAlerts, MappingBroken].some((kind) => error instanceof kind);
}
