/**
 * Whose fault it is that writes fail: the API server's, or of something that stands before the writes of one namespace, such as an admission
 * webhook that hangs. Pure.
 */
import { FAILURES_TO_OPEN } from './breaker.ts';

/** The namespaces in which writes have failed since one went well anywhere; none that had been given up by itself before. */
export type Failing = readonly string[];
/** `ask`: nobody can say before the API server has answered, or not answered, a question that has nothing to do with that namespace. */
export type Blame = 'nobody' | 'ask' | 'apiServer';

/** After a write failed in `namespace`; `givenUp`: it was given up before that, or is by it. */
export function blamed(
  failing: Failing,
  namespace: string,
  givenUp: { before: boolean; now: boolean },
): { failing: Failing; blame: Blame } {
  // A probe of it that fails is no news.
  if (givenUp.before) return { failing, blame: 'nobody' };
  const all = failing.includes(namespace) ? failing : [...failing, namespace];
  // Not all of them stand behind the same broken thing, or it is as good as the API server itself.
  if (all.length >= FAILURES_TO_OPEN) return { failing: [], blame: 'apiServer' };
  return { failing: all, blame: givenUp.now ? 'ask' : 'nobody' };
}
