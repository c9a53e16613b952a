/**
 * Gives every alert its answer: which rule took it, and which incident has it. The decision is serial per group, and the operator's own
 * writes are in its cache before the next one; which incident it is to be is placing.ts's.
 */
import type { Alert, AlertStatus, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import { isRefused } from '@funnelai/domain/alert-refused';
import { endOfChain, ruleFor } from '@funnelai/domain/correlate';
import { explain, movedVerdict, rulePart } from '@funnelai/domain/explanation';
import { labelValue } from '@funnelai/domain/labels';
import { isForbidden, isInvalid, isNamespaceTerminating, messageOf, TerminalError } from '@funnelai/kube/errors';
import type { Lane } from '@funnelai/kube/lanes';
import { keyOf, splitKey } from '@funnelai/kube/paths';
import { putStatus } from '@funnelai/kube/status';
import { BY_INCIDENT, BY_MERGE_TARGET, BY_ORIGIN, BY_TAKEN_OUT, joinKey, originKey } from '../caches.ts';
import type { Controller, Deps } from '../controller.ts';
import { createQueue } from '../queue.ts';
import { type Answer, type Asked, answeredStatus, laneOfNews, overSince, whatIsAsked } from './decide.ts';
import { createPlacing, type Placed } from './placing.ts';
import { type MergeBook, takenOutOf, whereItGoesBack } from './taken-out.ts';

/** Alerts answered at once. Only the decision of a group is serial; writing the answers is what takes the time. */
const WORKERS = 32;
/** An incident that the API server refuses is asked for again so often: a rule may have been mended. */
const REFUSED_RETRY_MS = 60_000;
/** One that a quota, a policy of the cluster or missing rights forbid: what is made room for is there at once. */
const FORBIDDEN_RETRY_MS = 30_000;
/** One of an alert that is over meanwhile: nobody waits for it, and there may be many. */
const OVER_RETRY_MS = 600_000;

export function createCorrelationController(deps: Deps): Controller {
  const { caches, client, clock, identity, log, metrics, rules } = deps;
  const { place, joinOrphan, read } = createPlacing(deps);
  const queue = createQueue(deps, {
    name: 'correlation',
    workers: WORKERS,
    reads: [ALERTS, INCIDENTS],
    flowOf,
    reconcile,
  });
  let unsubscribe: (() => void)[] = [];

  /** Sources in turn, and in each its alert names. */
  function flowOf(key: string): readonly string[] {
    const { namespace, name } = splitKey(key);
    const spec = caches.alerts.get(namespace, name)?.spec;
    const source = joinKey(namespace, spec?.sourceRef.name ?? '');
    return [source, labelValue(spec?.labels, 'alertname')];
  }

  /** What may open an incident, and what is critical, before the thousandth alert of one that is open. */
  function laneOf(alert: Alert, old: Alert | undefined): Lane {
    if (!isNews(alert, old)) return 'routine';
    const { namespace = '', name } = alert.metadata;
    const found = ruleFor(alert.spec, name, rules.of(namespace).rules);
    if (found.record) return 'routine';
    const incidents = caches.incidents.byIndex(BY_ORIGIN, originKey(namespace, found.rule.name, found.groupKey));
    return laneOfNews(alert.spec, incidents);
  }

  async function reconcile(
    key: string,
    _signal: AbortSignal,
    lane: Lane,
  ): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key);
    const alert = caches.alerts.get(namespace, name);
    if (alert === undefined || alert.metadata.deletionTimestamp !== undefined) return undefined;
    const asked = whatIsAsked(alert, (incident) => caches.incidents.get(namespace, incident), identity.isMachine);
    if (asked.kind === 'nothing') return giveBack(alert);
    if (asked.kind === 'correlate' && (await answerStillStands(alert))) return undefined;
    if (asked.kind !== 'move') return correlate(alert, asked, lane);
    return move(alert, 'Moved', asked.to, movedVerdict(asked.to, asked.from));
  }

  /** A cache may be behind; that an incident is gone is believed only when the API server says so. */
  async function answerStillStands(alert: Alert): Promise<boolean> {
    const namespace = alert.metadata.namespace ?? '';
    const name = alert.status?.incidentRef?.name;
    if (name === undefined || caches.incidents.get(namespace, name) !== undefined) return false;
    const found = await read(namespace, name);
    if (found === undefined) return false;
    const lookup = (other: string) => (other === name ? found : caches.incidents.get(namespace, other));
    return whatIsAsked(alert, lookup, identity.isMachine).kind === 'nothing';
  }

  async function correlate(
    alert: Alert,
    asked: Extract<Asked, { kind: 'correlate' | 'tooLate' }>,
    lane: Lane,
  ): Promise<{ requeueAfterMs: number } | undefined> {
    const namespace = alert.metadata.namespace ?? '';
    const found = ruleFor(alert.spec, alert.metadata.name, rules.of(namespace).rules);
    const rule = found.rule.name;
    const ruleRef = rule === undefined ? {} : { rule };
    const { episode } = asked;
    if (found.record) {
      const { explanation } = found;
      const recorded = answeredStatus(alert, { answer: 'Recorded', episode, explanation, ...ruleRef }, clock.now());
      await write(alert, recorded, lane);
      return undefined;
    }
    let placed: Placed;
    try {
      placed = await (asked.kind === 'tooLate' ? joinOrphan(alert, found) : place(alert, found));
    } catch (error) {
      if (isNamespaceTerminating(error)) throw new TerminalError(messageOf(error));
      if (!isInvalid(error) && !isForbidden(error)) throw error;
      log.error({ alert: keyOf(alert), rule, err: error }, 'the API server refuses the incident of this alert');
      const explanation = explain(found.explanation, `its incident was refused: ${messageOf(error)}`);
      await write(alert, answeredStatus(alert, { answer: 'Refused', episode, explanation, ...ruleRef }, clock.now()));
      if (overSince(alert) !== undefined) return { requeueAfterMs: OVER_RETRY_MS };
      return { requeueAfterMs: isForbidden(error) ? FORBIDDEN_RETRY_MS : REFUSED_RETRY_MS };
    }
    const { answer, incident } = placed;
    // An alert that came back and resolved unseen stays where its earlier episodes are.
    const kept = incident?.metadata.name ?? alert.status?.incidentRef?.name;
    await write(
      alert,
      answeredStatus(
        alert,
        {
          answer,
          episode,
          ...ruleRef,
          ...(kept !== undefined && { incident: kept }),
          explanation: explain(found.explanation, verdictOf(answer, alert, incident)),
        },
        clock.now(),
      ),
      lane,
    );
    return undefined;
  }

  /** To the incident of its group, once that was taken out of what it had been merged into. */
  async function giveBack(alert: Alert): Promise<undefined> {
    const back = whereItGoesBack(alert, mergeBook(alert.metadata.namespace ?? ''));
    if (back === undefined) return;
    const { name } = back.metadata;
    await move(alert, 'Returned', name, `back in ${name}, which was taken out of ${takenOutOf(back)} again`);
  }

  function mergeBook(namespace: string): MergeBook {
    const named = (index: string) => (name: string) => caches.incidents.byIndex(index, joinKey(namespace, name));
    return {
      lookup: (name) => caches.incidents.get(namespace, name),
      takenOutOf: named(BY_TAKEN_OUT),
      mergedInto: named(BY_MERGE_TARGET),
      ofItsGroup({ spec, metadata, status }) {
        const found = ruleFor(spec, metadata.name, rules.of(namespace).rules);
        if (found.record || found.rule.name !== status?.ruleRef?.name) return [];
        return caches.incidents.byIndex(BY_ORIGIN, originKey(namespace, found.rule.name, found.groupKey));
      },
    };
  }

  /** With its incident, to where that was merged or came out of. The start that was answered stays: it is no new episode. */
  async function move(alert: Alert, answer: Answer, incident: string, verdict: string): Promise<undefined> {
    const rule = alert.status?.ruleRef?.name;
    const status = answeredStatus(
      alert,
      {
        answer,
        episode: alert.status?.episode ?? 1,
        incident,
        ...(rule !== undefined && { rule }),
        explanation: explain(rulePart(alert.status?.explanation), verdict),
      },
      clock.now(),
    );
    if (alert.status?.episodeStartedAt !== undefined) status.episodeStartedAt = alert.status.episodeStartedAt;
    await write(alert, status);
  }

  async function write(alert: Alert, status: AlertStatus, lane: Lane = 'news'): Promise<void> {
    const written = await putStatus<Alert>(client, ALERTS, alert, status, { lane });
    if (written === undefined) return;
    caches.alerts.observe(written);
    metrics.answered(status.conditions?.find(({ type }) => type === 'Correlated')?.reason ?? 'Refused');
  }

  function addMembers(incidentKey: string): void {
    for (const alert of caches.alerts.byIndex(BY_INCIDENT, incidentKey)) queue.add(keyOf(alert), 'routine');
  }

  /** What happens to an incident asks its alerts anew only when it left the ways in which it can hold them. */
  function onIncident(incident: Incident, old: Incident | undefined, deleted: boolean): void {
    askThoseOfTheMerge(incident, old);
    const left =
      deleted ||
      incident.metadata.deletionTimestamp !== old?.metadata.deletionTimestamp ||
      incident.spec.mergedInto?.name !== old?.spec.mergedInto?.name ||
      (incident.status?.phase !== old?.status?.phase && incident.spec.phase !== 'Detection');
    if (!left) return;
    const namespace = incident.metadata.namespace ?? '';
    addMembers(keyOf(incident));
    // Those that were merged into it may have alerts that had not yet followed.
    for (const merged of caches.incidents.byIndex(BY_MERGE_TARGET, keyOf(incident))) {
      if (endOfChain(merged, (name) => caches.incidents.get(namespace, name)) !== merged) addMembers(keyOf(merged));
    }
  }

  /** Once it is on record that it was taken out of another, its alerts over there may go back. */
  function askThoseOfTheMerge(incident: Incident, old: Incident | undefined): void {
    const from = takenOutOf(incident);
    if (from === undefined || (old !== undefined && takenOutOf(old) === from)) return;
    const namespace = incident.metadata.namespace ?? '';
    addMembers(joinKey(namespace, from));
    const target = caches.incidents.get(namespace, from);
    const end = target && endOfChain(target, (name) => caches.incidents.get(namespace, name));
    if (end !== undefined) addMembers(keyOf(end));
  }

  return {
    name: 'correlation',
    start() {
      unsubscribe = [
        caches.alerts.subscribe(({ type, object, old, initial }) => {
          if (type !== 'deleted') queue.add(keyOf(object), initial ? 'routine' : laneOf(object, old));
        }),
        caches.incidents.subscribe((event) => onIncident(event.object, event.old, event.type === 'deleted')),
        // A rule that was mended may have kept an incident from being accepted.
        caches.rules.subscribe(({ object }) => {
          for (const alert of caches.alerts.list()) {
            const isHere = alert.metadata.namespace === object.metadata.namespace;
            if (isHere && isRefused(alert)) queue.add(keyOf(alert), 'routine');
          }
        }),
      ];
      for (const alert of caches.alerts.list()) queue.add(keyOf(alert), 'routine');
      queue.start();
    },
    async stop() {
      for (const leave of unsubscribe) leave();
      await queue.stop();
    },
    idle: () => queue.idle(),
  };
}

/** Someone told of it, in contrast to an answer of ours that comes back. */
const isNews = ({ spec }: Alert, old: Alert | undefined): boolean =>
  old === undefined || old.spec.state !== spec.state || old.spec.startsAt !== spec.startsAt;

function verdictOf(answer: Answer, alert: Alert, incident: Incident | undefined): string {
  const name = incident?.metadata.name ?? '';
  const unseen = overSince(alert) === undefined ? '' : ', as it had fired and resolved unseen';
  switch (answer) {
    case 'Opened':
      return `opened ${name}${unseen}`;
    case 'Reopened':
      return `came back, reopened ${name}${unseen}`;
    case 'ResolvedFirst':
      return 'resolved before it was correlated, opens nothing';
    default:
      return `joined ${name}${unseen}`;
  }
}
