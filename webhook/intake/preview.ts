/** What a body would become, and where: read by its format, routed and made ready as for the store, and nothing is stored or counted. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { alertName } from '@funnelai/domain/fingerprint';
import { refusedPreview } from '@funnelai/domain/refused-preview';
import { routeReasonText, type Way } from '@funnelai/domain/route';
import type { PreviewAlert, PreviewNoted, SourcePreview } from '@funnelai/domain/wire-sources';
import type { Clock } from '@funnelai/kube/clock';
import { INTAKE_PROBLEMS_LISTED, PREVIEW_ALERTS } from '../limits.ts';
import { BodyProblem, discreet, MappingBroken, TooManyAlerts } from '../receivers/problem.ts';
import type { Envelope, Reading, Receiver } from '../receivers/receiver.ts';
import { readingOf } from './envelope.ts';
import type { Foresight } from './foresight.ts';
import { ALL_SEEN, groupByFault, type Sight } from './grouping.ts';
import { type Fault, fateOf, isOnlyNoted, limitsOf, notedText, notTaken, sentence } from './preview-words.ts';
import { combined } from './report.ts';
import type { Routing } from './routing.ts';

export interface PreviewDeps {
  clock: Pick<Clock, 'monotonicMs'>;
  routing: Routing;
  foresight: Foresight;
  /** What whoever asks may know of other namespaces; everything when absent, as a sender's own token does. */
  sight?: Sight;
}
export interface Previewed {
  preview: SourcePreview;
  /** What the body deserves by itself: what a limit does to it now, it may not do in a moment, and is no fault of a template. */
  status: number;
}

/** A body that is not understood is an answer, too. Throws only what is our own fault. */
export async function previewOf(receiver: Receiver, envelope: Envelope, deps: PreviewDeps): Promise<Previewed> {
  let reading: Reading;
  try {
    reading = await readingOf(receiver, envelope);
  } catch (error) {
    if (!isOfTheBody(error)) throw error;
    const { status, code } = refusalFor(error);
    return { status, preview: refusedPreview({ status, code, message: error.message }) };
  }
  const { source } = envelope;
  const grouped = await groupByFault(source, reading.received, { ...deps, receipt: { now: () => envelope.now } });
  const { warnings } = grouped;
  const faults: Fault[] = grouped.groups;
  const isTooMany = await foresee(faults, receiver, deps);
  const isWord = ({ request, foreseen }: Fault) => isOnlyNoted(request, foreseen);
  const alerts = faults.filter((fault) => !isWord(fault));
  const noted = faults.filter(isWord).map(wordOf);
  const bad = new Set(reading.problems.map(({ index }) => index)).size;
  const status = bad === 0 ? 200 : 400;
  const code = bad === 0 ? 'Stored' : 'Invalid';
  const message = sentence({ problems: reading.problems, alerts, noted, warnings });
  return {
    status,
    preview: {
      answer: notTaken(faults, isTooMany, message) ?? { status, code, message },
      alerts: alerts.slice(0, PREVIEW_ALERTS).map((fault) => alertOf(fault, source)),
      total: alerts.length,
      noted: noted.slice(0, PREVIEW_ALERTS),
      limits: limitsOf(source, faults),
      problems: reading.problems.slice(0, INTAKE_PROBLEMS_LISTED).map(discreet),
      warnings: warnings?.listed ?? [],
      ignored: reading.ignored.slice(0, PREVIEW_ALERTS),
      truncated: reading.truncated,
    },
  };
}

/** Whether the sender would be told to hold all of it. Of a namespace into which whoever asks may not look nothing is foreseen. */
async function foresee(
  faults: readonly Fault[],
  { holdsAt429 }: Receiver,
  { foresight, sight = ALL_SEEN }: PreviewDeps,
): Promise<boolean> {
  const known = faults.filter(({ place, isSeen }) => isSeen && sight.alerts(place.metadata.namespace ?? ''));
  const { each, isTooMany } = await foresight.of(
    known.map(({ request }) => request),
    { holdsAt429: holdsAt429 === true },
  );
  for (const [i, fault] of known.entries()) {
    const foreseen = each[i];
    const { doubt } = fault;
    if (foreseen === undefined) continue;
    fault.foreseen =
      doubt === undefined
        ? foreseen
        : { ...foreseen, outcome: { kind: 'unavailable', message: doubt }, overflow: undefined };
  }
  return isTooMany;
}

function alertOf({ place, way, isSeen, request, indices, foreseen }: Fault, home: AlertSource): PreviewAlert {
  const { reports, source, fingerprint } = request;
  const last = reports.at(-1) ?? reports[0];
  const merged = foreseen?.next ?? reports.reduce(combined, undefined) ?? last.spec;
  const fate = foreseen === undefined ? undefined : fateOf(foreseen);
  return {
    index: indices.at(-1) ?? 0,
    name: foreseen?.name ?? alertName(source, fingerprint),
    // A repeat writes nothing of itself; what it says is what was asked about.
    spec: fate?.kind === 'Same' && last.only === undefined ? last.spec : merged,
    ...(fate === undefined ? {} : { fate }),
    goes: destination(place, way, home, isSeen),
  };
}

function wordOf({ place, request, indices, foreseen }: Fault): PreviewNoted {
  return {
    index: indices.at(-1) ?? 0,
    ...(foreseen?.held === undefined ? {} : { name: foreseen.name }),
    namespace: place.metadata.namespace ?? '',
    text: notedText(request, foreseen),
  };
}

function destination({ metadata }: AlertSource, way: Way, home: AlertSource, isSeen: boolean): PreviewAlert['goes'] {
  const why = routeReasonText(way.why, home);
  return {
    namespace: metadata.namespace ?? '',
    ...(isSeen ? { source: metadata.name } : {}),
    ...(why === undefined ? {} : { why }),
  };
}

function refusalFor(error: Error): Pick<SourcePreview['answer'], 'status' | 'code'> {
  if (error instanceof MappingBroken) return { status: 503, code: 'Unavailable' };
  return error instanceof TooManyAlerts ? { status: 413, code: 'TooLarge' } : { status: 400, code: 'Invalid' };
}

function isOfTheBody(error: unknown): error is Error {
  return [BodyProblem, TooManyAlerts, MappingBroken].some((kind) => error instanceof kind);
}
