/** What a body would become: read by its format and made ready as for the store, and nothing is stored, counted or looked up. */
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import type { PreviewAlert, SourcePreview } from '@funnelai/domain/wire';
import { type Clock, nextTurn } from '@funnelai/kube/clock';
import { INTAKE_PROBLEMS_LISTED, INTAKE_SLICE_MS, PREVIEW_ALERTS } from '../limits.ts';
import { BodyProblem, discreet, MappingBroken, TooManyAlerts } from '../receivers/problem.ts';
import type { Envelope, Reading, Receiver } from '../receivers/receiver.ts';
import { JsonSyntaxError } from './json.ts';

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
  let sliceEndsMs = clock.monotonicMs() + INTAKE_SLICE_MS;
  for (const { index, input } of reading.received) {
    // Others wait meanwhile: probes, and senders whose alerts are real.
    if (clock.monotonicMs() >= sliceEndsMs) {
      await nextTurn();
      sliceEndsMs = clock.monotonicMs() + INTAKE_SLICE_MS;
    }
    const { spec } = toAlertSpec(input, envelope.source, envelope.now);
    // Of the same fault twice in a body the later word is shown; what is stored is the merge of both.
    const name = alertName(envelope.source.metadata.name, spec.fingerprint);
    byFault.set(spec.fingerprint, { index, name, spec });
  }
  const { problems, truncated } = reading;
  const bad = new Set(problems.map(({ index }) => index)).size;
  const isGood = bad === 0;
  return {
    answer: { status: isGood ? 200 : 400, code: isGood ? 'Stored' : 'Invalid', message: sentence(reading, bad) },
    alerts: [...byFault.values()].slice(0, PREVIEW_ALERTS),
    total: byFault.size,
    problems: problems.slice(0, INTAKE_PROBLEMS_LISTED).map(discreet),
    ignored: reading.ignored.slice(0, PREVIEW_ALERTS),
    truncated,
  };
}

function sentence({ received, problems }: Reading, bad: number): string {
  const total = received.length + bad;
  const good = `${received.length} of ${total} ${total === 1 ? 'alert' : 'alerts'} would be stored`;
  const [first] = problems.slice(0, 1).map(discreet);
  if (first === undefined) return good;
  const place = `alerts[${first.index}]${first.field === '' ? '' : `.${first.field}`}`;
  return `${good}; the first that would not is ${place}: found ${first.found}, expected ${first.expected}`;
}

function refusalFor(error: Error): Pick<SourcePreview['answer'], 'status' | 'code'> {
  if (error instanceof MappingBroken) return { status: 503, code: 'Unavailable' };
  return error instanceof TooManyAlerts ? { status: 413, code: 'TooLarge' } : { status: 400, code: 'Invalid' };
}

function isOfTheBody(error: unknown): error is Error {
  return [BodyProblem, TooManyAlerts, JsonSyntaxError, MappingBroken].some((kind) => error instanceof kind);
}
