/** One request as its receiver is given it: text in UTF-8, whatever it came in; what was odd about that is said with each of its alerts. */
import type { Envelope, Reading, Receiver } from '../receivers/receiver.ts';
import { asUtf8 } from './charset.ts';

/** Returns the envelope with its text in UTF-8. A signature is over what came. */
export function inUtf8(receiver: Receiver, came: Envelope): Envelope {
  if (receiver.isBinary?.(came) === true) return came;
  const { body, odd } = asUtf8(came.body);
  return odd === undefined ? came : { ...came, body, signed: came.body, odd };
}

/** Returns what the receiver makes of it. Throws what the receiver throws. */
export async function readingOf(receiver: Receiver, envelope: Envelope): Promise<Reading> {
  const reading = await receiver.read(envelope);
  const { odd } = envelope;
  if (odd === undefined) return reading;
  const received = reading.received.map(({ index, input }) => ({
    index,
    input: { ...input, odd: [...(input.odd ?? []), odd] },
  }));
  return { ...reading, received };
}
