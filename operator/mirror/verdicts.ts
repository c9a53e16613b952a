/**
 * What Postgres said of each object: counts it, tells people what they must hear of, and remembers what was refused, so that it is not
 * offered again in the same version before the next pass.
 */
import type { KubeObject } from '@funnelai/crds/meta';
import type { MirroredKind } from '@funnelai/history/compare';
import type { AlertResult, IncidentResult } from '@funnelai/history/mirror';
import type { EventRecorder } from '@funnelai/kube/events';
import type { Metrics } from '../metrics.ts';
import { troubleOf } from './facts.ts';

const KINDS: readonly MirroredKind[] = ['Incident', 'Alert'];

export interface Verdicts {
  note(kind: MirroredKind, object: KubeObject, result: AlertResult | IncidentResult): void;
  /** In this version. */
  isRefused(kind: MirroredKind, object: KubeObject): boolean;
  forget(kind: MirroredKind, uid: string): void;
  /** Everything is offered again. */
  forgetAll(): void;
}

export function createVerdicts({ metrics, events }: { metrics: Metrics; events: EventRecorder }): Verdicts {
  /** Versions by uid. */
  const refused: Record<MirroredKind, Map<string, string>> = { Incident: new Map(), Alert: new Map() };
  const show = (kind: MirroredKind) => metrics.historyPoisoned(kind, refused[kind].size);

  function forget(kind: MirroredKind, uid: string): void {
    if (refused[kind].delete(uid)) show(kind);
  }

  function tellLosses(object: KubeObject, result: IncidentResult): void {
    for (const { from, to } of result.lost ?? []) {
      metrics.historyLost(to - from + 1);
      const what = from === to ? `change ${from} is` : `changes ${from} to ${to} are`;
      events.event(object, 'Warning', 'HistoryLost', `${what} lost: neither cluster nor history has them`, 'Mirroring');
    }
  }

  return {
    note(kind, object, result) {
      const { uid = '', resourceVersion = '' } = object.metadata;
      if ('mirroredSequence' in result) tellLosses(object, result);
      const trouble = troubleOf(result);
      if (trouble === undefined) {
        forget(kind, uid);
        metrics.mirrored(kind, 'stored');
        return;
      }
      refused[kind].set(uid, resourceVersion);
      show(kind);
      const conflict = 'conflict' in result && result.conflict !== undefined;
      metrics.mirrored(kind, conflict ? 'conflict' : 'refused');
      if (kind === 'Incident') {
        events.event(object, 'Warning', conflict ? 'HistoryConflict' : 'HistoryRefused', trouble, 'Mirroring');
      }
    },
    isRefused: (kind, { metadata: { uid = '', resourceVersion } }) => refused[kind].get(uid) === resourceVersion,
    forget,
    forgetAll() {
      for (const kind of KINDS) {
        refused[kind].clear();
        show(kind);
      }
    },
  };
}
