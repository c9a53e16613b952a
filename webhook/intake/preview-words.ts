/** What is said of the alerts of a body that is only looked at: one by one, of the limits that they meet, and of what makes none. Pure. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { maxLiveAlertsOf } from '@funnelai/domain/folding';
import { overRateText, rateOf } from '@funnelai/domain/rate';
import type { PreviewAlert, PreviewLimit, PreviewNoted, SourcePreview } from '@funnelai/domain/wire-sources';
import { keyOf } from '@funnelai/kube/paths';
import { discreet } from '../receivers/problem.ts';
import type { Reading } from '../receivers/receiver.ts';
import { placed } from './answer.ts';
import type { Foreseen } from './foresight.ts';
import type { Group } from './grouping.ts';
import { mergeReports, type StoreOutcome, type StoreRequest } from './store.ts';
import { type Warnings, warned } from './warnings.ts';

/** One fault of the body, in one of the places where it would go. */
export interface Fault extends Group {
  /** Absent where it may not be known what fires. */
  foreseen?: Foreseen;
}

/** Whether its reports only say a word of an alert: they make none, and change the state of none. */
export const isOnlyNoted = ({ reports }: StoreRequest, seen: Foreseen | undefined): boolean =>
  mergeReports(undefined, reports) === undefined && (seen === undefined || seen.next?.state === seen.held?.state);

/** What a report that makes no alert does. `seen` is absent where it may not be known what fires. */
export function notedText({ reports }: StoreRequest, seen: Foreseen | undefined): string {
  const { only, spec } = reports[reports.length - 1] ?? reports[0];
  if (only !== 'Acknowledgement')
    return 'It ends an alert that does not fire: no alert is made of that, and nothing changes.';
  const { by, trusted } = spec.acknowledgedUpstream ?? {};
  const who = by === undefined ? 'An acknowledgement' : `An acknowledgement by ${by}`;
  const then =
    trusted === undefined
      ? 'It changes nothing else, as the source does not say trustAcknowledge.'
      : 'The source says trustAcknowledge: the incident moves to Response once each of its alerts that fire is acknowledged so.';
  if (seen === undefined) return `${who}: noted on its alert where that fires; no alert is made of it. ${then}`;
  if (seen.outcome.kind === 'unavailable') return `${who}: it would not be noted now: ${seen.outcome.message}.`;
  if (seen.held?.state !== 'Firing')
    return `${who}: no alert of this key fires, so there is nothing to note it on, and none is made.`;
  if (seen.outcome.kind === 'inbox')
    return `${who}: it waits in the inbox, and is noted once what came before it is an Alert.`;
  if (seen.next === seen.held) return `${who}: one is noted already on the alert that fires, and nothing changes.`;
  return `${who}: noted on the alert that fires; no other is made. ${then}`;
}

/** What would become of one alert. */
export function fateOf({ outcome, held, next, overflow }: Foreseen): NonNullable<PreviewAlert['fate']> {
  if (outcome.kind === 'inbox') {
    const why = outcome.isOverRate ? 'it is over the rate of the source' : 'an earlier report of it waits there';
    return { kind: 'Inbox', text: `waits in the inbox first, as ${why}, and becomes an Alert later` };
  }
  if (outcome.kind === 'unavailable' || outcome.kind === 'refused' || outcome.kind === 'gone')
    return { kind: 'NotStored', text: `not stored now: ${outcome.message}` };
  if (overflow !== undefined)
    return { kind: 'Folded', text: `folded: kept in Postgres, and counted by the overflow Alert ${overflow}` };
  if (outcome.kind === 'unchanged')
    return { kind: 'Same', text: 'is there already and says the same: nothing is written' };
  if (held === undefined || outcome.kind === 'created') {
    const late = next?.state === 'Resolved' ? ', which has ended before anything of it fired' : '';
    return { kind: 'New', text: `makes a new Alert${late}` };
  }
  return { kind: 'Changed', text: changed(held.state, next?.state ?? held.state) };
}

function changed(from: string, to: string): string {
  if (from === 'Firing' && to === 'Resolved') return 'resolves the Alert that fires';
  if (from !== 'Firing' && to === 'Firing') return `makes the Alert fire again that is ${from}`;
  return 'changes the Alert that is there';
}

/** What the limits would do to all of these, that came to `home`. */
export function limitsOf(home: AlertSource, all: readonly Fault[]): PreviewLimit[] {
  const isOver = ({ foreseen }: Fault) =>
    foreseen !== undefined && 'isOverRate' in foreseen.outcome ? foreseen.outcome.isOverRate : false;
  const byPlace = [...Map.groupBy(all, ({ place }) => place)];
  return [...overRate(home, all.filter(isOver)), ...byPlace.flatMap(([place, of]) => noRoom(place, of))];
}

function overRate(home: AlertSource, over: readonly Fault[]): PreviewLimit[] {
  const rate = rateOf(home);
  const outcome = over[0]?.foreseen?.outcome;
  if (outcome === undefined || rate === undefined) return [];
  const alerts = alertsOf(over);
  const waits = `${counted(alerts, 'alert waits', 'alerts wait')} in the inbox and become Alerts at that rate`;
  const text = outcome.kind === 'unavailable' ? outcome.message : `${overRateText(keyOf(home), rate)}: ${waits}`;
  return [{ limit: 'ratePerSecond', alerts, text }];
}

function noRoom(place: AlertSource, all: readonly Fault[]): PreviewLimit[] {
  const folded = all.filter(({ foreseen }) => foreseen?.overflow !== undefined);
  const full = all.filter(({ foreseen }) => foreseen?.outcome.kind === 'unavailable' && foreseen.outcome.isFull);
  const limits: PreviewLimit[] = [];
  if (folded.length > 0) {
    const alerts = alertsOf(folded);
    const bound = `source ${keyOf(place)} has no more room under limits.maxLiveAlerts (${maxLiveAlertsOf(place)})`;
    const text = `${bound}: ${counted(alerts, 'alert is', 'alerts are')} kept in Postgres and counted by an overflow Alert`;
    limits.push({ limit: 'maxLiveAlerts', alerts, text });
  }
  const first = full[0]?.foreseen?.outcome;
  if (first?.kind === 'unavailable')
    limits.push({ limit: 'maxLiveAlerts', alerts: alertsOf(full), text: first.message });
  return limits;
}

const alertsOf = (some: readonly Fault[]): number => new Set(some.flatMap(({ indices }) => indices)).size;
const counted = (n: number, one: string, many: string): string => (n === 1 ? `1 ${one}` : `${n} ${many}`);

/** What its sender is told that has to send the body again; undefined when all of it is taken. */
export function notTaken(all: readonly Fault[], isTooMany: boolean, said: string): SourcePreview['answer'] | undefined {
  const away = all.filter(({ foreseen }) => foreseen?.outcome.kind === 'unavailable');
  const outcomes = away.flatMap(({ foreseen }) => (foreseen?.outcome.kind === 'unavailable' ? [foreseen.outcome] : []));
  const [first] = outcomes;
  if (first === undefined) return undefined;
  const waitMs = outcomes.reduce((most, { retryAfterMs = 0 }) => Math.max(most, retryAfterMs), 0);
  const again = waitMs === 0 ? '' : `; it may come again in ${Math.ceil(waitMs / 1_000)} s`;
  return isTooMany
    ? { status: 429, code: 'TooMany', message: `nothing of the body would be stored now: ${first.message}${again}` }
    : {
        status: 503,
        code: 'Unavailable',
        message: `${said}; ${alertsOf(away)} would not be now: ${first.message}${again}`,
      };
}

/** All of it in one sentence. */
export function sentence(o: {
  problems: Reading['problems'];
  alerts: readonly Fault[];
  noted: readonly PreviewNoted[];
  warnings: Warnings | undefined;
}): string {
  const ofKind = (kind: StoreOutcome['kind']) => o.alerts.filter(({ foreseen }) => foreseen?.outcome.kind === kind);
  const away = new Set(ofKind('unavailable'));
  const good = alertsOf(o.alerts.filter((fault) => !away.has(fault)));
  const total = alertsOf(o.alerts) + new Set(o.problems.map(({ index }) => index)).size;
  const inbox = alertsOf(ofKind('inbox'));
  const folded = alertsOf(o.alerts.filter(({ foreseen }) => foreseen?.overflow !== undefined));
  const which = (n: number, how: string) => (n === 0 ? '' : `, ${n === good ? '' : `${n} of them `}${how}`);
  const stored = `${good} of ${total} ${total === 1 ? 'alert' : 'alerts'} would be stored${which(inbox, 'in the inbox for now')}${which(folded, 'folded')}`;
  const bad = o.problems[0];
  const none = o.noted.length === 0 ? [] : [`${counted(o.noted.length, 'report makes', 'reports make')} no alert`];
  return [
    ...(total === 0 && none.length > 0 ? [] : [`${stored}${warned(o.warnings)}`]),
    ...none,
    ...(bad === undefined ? [] : [`the first that would not is ${placed(discreet(bad))}`]),
  ].join('; ');
}
