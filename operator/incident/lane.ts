/** How urgent the news of an incident are: whether a person waits for the answer to what he did. Pure. */
import type { Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { parseChangesAnnotation } from '@funnelai/domain/admission-log';
import type { Lane } from '@funnelai/kube/lanes';

/**
 * `human` while an act of a person is not answered in `status`: the admission log has entries of his that are not numbered, or, where
 * admission keeps no log, the phase was moved. `news` for what the operator itself began. All else can be looked at when there is time.
 */
export function laneOfIncident({ metadata, spec, status }: Incident, isMachine: (user: string) => boolean): Lane {
  const answered = status?.logSequence ?? 0;
  const log = parseChangesAnnotation(metadata.annotations?.[CHANGES_ANNOTATION]);
  if (log === undefined) return spec.phase === status?.phase ? 'routine' : 'human';
  if (log.counter <= answered) return spec.phase === status?.phase ? 'routine' : 'news';
  const open = log.entries.filter(({ number }) => number > answered);
  // Entries that were pushed out of the log were somebody's too.
  const isHuman = open.length < log.counter - answered || open.some(({ user }) => !isMachine(user));
  return isHuman ? 'human' : 'news';
}
