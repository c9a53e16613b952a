/** Why an alert is in its incident, in the words of its status: first the rule and its group, then what happened. Written by the operator, read again by who tells the story. Pure. */

/** "rule … on …; joined x". */
export function explain(rule: string, verdict: string): string {
  return `${rule}; ${verdict}`;
}

/** The part of a kept explanation that names rule and group; what happened then comes after it. */
export function rulePart(explanation: string | undefined): string {
  if (explanation === undefined) return 'no rule is on record';
  const at = explanation.lastIndexOf('; ');
  return at < 0 ? explanation : explanation.slice(0, at);
}

/** It followed its incident, which was merged. */
export const movedVerdict = (to: string, from: string): string => `moved to ${to}, into which ${from} was merged`;
