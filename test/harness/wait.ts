/** Waiting for conditions in tests: never a sleep of a guessed length, always a deadline. */
import { until as poll } from '@funnelai/dev/process/until';

/**
 * Asks `condition` until it answers something other than undefined and false, and resolves that. Throws after `deadlineMs`
 * with the last error that the condition threw. `what` completes "waited for …".
 */
export const until: typeof poll = poll;
