/** Times as Lease and Event want them. */
import type { Temporal } from 'temporal-polyfill';

/** RFC 3339 with exactly six fractional digits: the API server refuses a MicroTime with any other number. */
export function microTime(at: Temporal.Instant): string {
  return at.toString({ fractionalSecondDigits: 6 });
}
