/** What a body would become: read by its format and made ready as for the store, and nothing is stored, counted or looked up. */
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import type { PreviewAlert, SourcePreview } from '@funnelai/domain/wire';
import type { Clock } from '@funnelai/kube/clock';
import { INTAKE_PROBLEMS_LISTED, PREVIEW_ALERTS } from '../limits.ts';
import { type AlertProblem, BodyProblem, discreet, MappingBroken, TooManyAlerts } from '../receivers/problem.ts';
import type { Envelope, Reading, Receiver } from '../receivers/receiver.ts';
import { JsonSyntaxError } from './json.ts';
import { inSlices } from './slices.ts';

/** A body that is not understood is an answer, too. Throws only what is our own fault. */
export async function previewOf(
  receiver: Receiver,
  envelope: Envelope,
  clock: Pick<Clock, 'monotonicMs'>,
): Promise<SourcePreview> {
  let reading: Reading;
  try {
    reading = await receiver.read(envelope);
  } catch (error) {
    if (!isOfTheBody(error)) throw error;
    return {
      answer: { ...refusalFor(error), message: error.message },
      alerts: [],
      total: 0,
      problems: [],
      ignored: [],
      truncated: 0,
    };
  }
  const byFault = new Map<string, PreviewAlert>();
  const pause = inSlices(clock);
  for (const { index, input } of reading.received) {
    // Others wait meanwhile: probes, and senders whose alerts are real.
    await pause();
    const { spec } = toAlertSpec(input, envelope.source, envelope.now);
    // Of the same fault twice in a body the later word is shown; what is stored is the merge of both.
    const name = alertName(envelope.source.metadata.name, spec.fingerprint);
    byFault.set(spec.fingerprint, { index, name, spec });
  }
  const { problems, truncated } = reading;
  const bad = new Set(problems.map(({ index }) => index)).size;
  const isGood = bad === 0;
  const listed = problems.slice(0, INTAKE_PROBLEMS_LISTED).map(discreet);
  const total = reading.received.length + bad;
  return {
    answer: {
      status: isGood ? 200 : 400,
      code: isGood ? 'Stored' : 'Invalid',
      message: sentence(reading.received.length, total, listed[0]),
    },
    alerts: [...byFault.values()].slice(0, PREVIEW_ALERTS),
    total: byFault.size,
    problems: listed,
    ignored: reading.ignored.slice(0, PREVIEW_ALERTS),
    truncated,
  };
}

function sentence(good: number, total: number, first: AlertProblem | undefined): string {
  const stored = `${good} of ${total} ${total === 1 ? 'alert' : 'alerts'} would be stored`;
  if (first === undefined) return stored;
  const place = `alerts[${first.index}]${first.field === '' ? '' : `.${first.field}`}`;
  return `${stored}; the first that would not is ${place}: found ${first.found}, expected ${first.expected}`;
}

function refusalFor(error: Error): Pick<SourcePreview['answer'], 'status' | 'code'> {
  if (error instanceof MappingBroken) return { status: 503, code: 'Unavailable' };
  return error instanceof TooManyAlerts ? { status: 413, code: 'TooLarge' } : { status: 400, code: 'Invalid' };
}

function isOfTheBody(error: unknown): error is Error {
  return [BodyProblem, TooManyAlerts, JsonSyntaxError, MappingBroken].some((kind) => error instanceof kind);
}
