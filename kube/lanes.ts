/**
 * Who goes first: what a person waits for, then what is new, then what is only looked at again. A lower lane gives way, but not for ever.
 * Pure; queues and budgets hold what waits.
 */
export const LANES = ['human', 'news', 'routine'] as const;
export type Lane = (typeof LANES)[number];

/** As metrics name them: the scale of controller-runtime, whose low priority is -100. */
export const PRIORITY: Record<Lane, string> = { human: '100', news: '0', routine: '-100' };

/** So often a lane with something in it is passed over in a row at most; then it has its turn. */
export const MOST_PASSED_OVER: Record<Lane, number> = { human: 0, news: 8, routine: 16 };

export type PassedOver = Record<Lane, number>;
export const NONE_PASSED_OVER: PassedOver = { human: 0, news: 0, routine: 0 };

/** The lane whose turn it is, and how often each has been passed over then; undefined when nothing waits. */
export function nextLane(
  isWaiting: (lane: Lane) => boolean,
  passed: PassedOver,
): { lane: Lane; passed: PassedOver } | undefined {
  const waiting = LANES.filter(isWaiting);
  const overdue = waiting.findLast((lane) => lane !== 'human' && passed[lane] >= MOST_PASSED_OVER[lane]);
  const lane = overdue ?? waiting[0];
  if (lane === undefined) return undefined;
  const next = { ...NONE_PASSED_OVER };
  for (const other of waiting) if (other !== lane) next[other] = passed[other] + 1;
  return { lane, passed: next };
}

/** True when `a` goes before `b`. */
export const isHigher = (a: Lane, b: Lane): boolean => LANES.indexOf(a) < LANES.indexOf(b);
export const higherOf = (a: Lane, b: Lane): Lane => (isHigher(b, a) ? b : a);
