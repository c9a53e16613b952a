/** What was wrong with alerts that are taken all the same: collected within a bound, and said in one sentence. Pure. */
import { noteOf, type Oddity } from '@funnelai/domain/possible-times';
import { INTAKE_PROBLEMS_LISTED } from '../limits.ts';
import { type AlertWarning, discreet } from '../receivers/problem.ts';

export interface Warnings {
  /** How many alerts. */
  alerts: number;
  /** The first hundred. */
  listed: AlertWarning[];
}

export interface WarningList {
  /** Of an alert that goes to two places the first word counts. */
  add(index: number, odd: readonly Oddity[]): void;
  /** Undefined when there is none. */
  all(): Warnings | undefined;
}

export function createWarningList(): WarningList {
  const seen = new Set<number>();
  const listed: AlertWarning[] = [];
  return {
    add(index, odd) {
      if (odd.length === 0 || seen.has(index)) return;
      seen.add(index);
      for (const one of odd.slice(0, INTAKE_PROBLEMS_LISTED - listed.length)) listed.push(discreet({ index, ...one }));
    },
    all: () => (seen.size === 0 ? undefined : { alerts: seen.size, listed }),
  };
}

/** Returns what is said behind "2 of 2 alerts are stored"; nothing where nothing was wrong. */
export function warned(warnings: Warnings | undefined): string {
  const first = warnings?.listed[0];
  if (warnings === undefined || first === undefined) return '';
  const which = warnings.alerts === 1 ? '1 with a warning' : `${warnings.alerts} with warnings, the first`;
  return `; ${which}: ${textOf(first)}`;
}

/** One warning in one line. */
export const textOf = ({ index, field, ...rest }: AlertWarning): string =>
  noteOf({ field: field === '' ? '' : `alerts[${index}].${field}`, ...rest });
