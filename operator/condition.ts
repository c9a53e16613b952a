/**
 * How the operator is, as its probes tell: whether a restart would help, what it waits for, what is not well though it works. Pure.
 */

export interface Facts {
  /** Kinds that were never complete. */
  missing: string[];
  /** Kinds that are held and not kept up to date. */
  failing: string[];
  /** Of the Lease; undefined while it is not held. */
  renewedAtMs: number | undefined;
  /** Since when the controllers of a term that is over have been stopping. */
  stoppingSinceMs: number | undefined;
  /** Since when the API server does not let the Lease be had or looked at, and what it says. */
  leaseTrouble: { sinceMs: number; message: string } | undefined;
  /** Whether Postgres takes writes; undefined where none are made. */
  takesHistory: boolean | undefined;
}

export interface Condition {
  /** What only a new process can mend. */
  stuck?: string;
  /** What has to come first. */
  waitsFor?: string;
  /** What is said of a process that is ready nevertheless. */
  degraded?: string;
}

/** A leader gives up 8 s after its last renewal, by itself; another may take the Lease after 12. One that still leads then has lost its way. */
const LONGEST_RENEWAL_MS = 20_000;
/** One reconcile may take 30 s; controllers that take much longer to end hold up the next term for ever. */
const LONGEST_STOP_MS = 90_000;
/** A conflict or an answer that was lost is over with the next try. */
const LEASE_TROUBLE_MS = 5_000;

export function conditionOf(facts: Facts, nowMs: number): Condition {
  const { missing, failing, renewedAtMs, stoppingSinceMs, leaseTrouble, takesHistory } = facts;
  const seconds = (since: number) => Math.round((nowMs - since) / 1000);
  const condition: Condition = {};
  if (renewedAtMs !== undefined && nowMs - renewedAtMs > LONGEST_RENEWAL_MS) {
    condition.stuck = `it leads, though the Lease was not renewed for ${seconds(renewedAtMs)} s`;
  } else if (stoppingSinceMs !== undefined && nowMs - stoppingSinceMs > LONGEST_STOP_MS) {
    condition.stuck = `the controllers of a term that is over do not end, for ${seconds(stoppingSinceMs)} s now`;
  }
  if (missing.length > 0) condition.waitsFor = `the first complete list of ${missing.join(', ')}`;
  const degraded: string[] = [];
  if (failing.length > 0) degraded.push(`not up to date: ${failing.join(', ')}`);
  if (leaseTrouble !== undefined && nowMs - leaseTrouble.sinceMs >= LEASE_TROUBLE_MS) {
    degraded.push(`the Lease cannot be had for ${seconds(leaseTrouble.sinceMs)} s: ${leaseTrouble.message}`);
  }
  if (takesHistory === false) degraded.push('Postgres takes no writes, history waits');
  if (degraded.length > 0) condition.degraded = degraded.join('; ');
  return condition;
}
