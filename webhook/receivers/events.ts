/** Bodies that are one event, or a list of them: each event becomes an alert, is left out with a reason, or is refused with its faults. */
import type { AlertInput } from '@funnelai/domain/alert-input';
import { cleanText, cutBytes } from '@funnelai/domain/bytes';
import { INTAKE_ALERTS, INTAKE_FAULTS_PER_ALERT } from '../limits.ts';
import { BodyProblem, describe, TooManyAlerts } from './problem.ts';
import type { Reading } from './receiver.ts';
import { type Fault, isRecord } from './values.ts';

/** Names in it are the sender's. */
const IGNORED_BYTES = 512;

/** What an event came to; `undefined` goes with a fault. */
export type EventOutcome = { input: AlertInput } | { ignored: string } | undefined;

/**
 * Reads each event by itself. `read` puts what is wrong into `faults`; an event with a fault is refused whatever it returned.
 * Throws `BodyProblem` when the body is neither an object nor a list, `TooManyAlerts` before it looks at one of them.
 */
export function readEvents(
  body: unknown,
  expected: string,
  read: (event: Record<string, unknown>, faults: Fault[]) => EventOutcome,
): Reading {
  if (!isRecord(body) && !Array.isArray(body)) throw new BodyProblem('', describe(body), expected);
  const events: unknown[] = Array.isArray(body) ? body : [body];
  if (events.length > INTAKE_ALERTS) throw new TooManyAlerts(events.length, INTAKE_ALERTS);
  const reading: Reading = { received: [], problems: [], truncated: 0, ignored: [] };
  for (const [index, event] of events.entries()) {
    const faults: Fault[] = [];
    const outcome = isRecord(event) ? read(event, faults) : undefined;
    if (!isRecord(event)) faults.push({ field: '', found: describe(event), expected });
    if (faults.length > 0)
      for (const fault of faults.slice(0, INTAKE_FAULTS_PER_ALERT)) reading.problems.push({ index, ...fault });
    else if (outcome !== undefined && 'input' in outcome) reading.received.push({ index, input: outcome.input });
    else if (outcome !== undefined) reading.ignored.push(cutBytes(cleanText(outcome.ignored), IGNORED_BYTES));
  }
  return reading;
}
