/** Moving an incident to another phase, and the ten seconds in which it can be taken back. */
import type { Phase } from '@funnelai/crds/generated/types';
import type { FieldEdit, IncidentDetail, IncidentItem } from '@funnelai/domain/wire';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { keys } from '../../api/keys.ts';
import { asApiError } from '../../api/problem.ts';
import { useSession } from '../../app/session.tsx';
import { shownActor } from '../../components/actor.ts';
import { useToast } from '../../components/Toasts.tsx';
import { movedLine, reversalOf, undoLabel } from './moves.ts';
import { undoEdits } from './undo.ts';
import { useEdit } from './use-edit.ts';

export interface MoveOptions {
  reason?: string;
  /** Other fields that go in the same write. */
  edits?: FieldEdit[];
}
export type Move = (item: IncidentItem, to: Phase, options?: MoveOptions) => Promise<IncidentDetail>;

const reversed = ({ field, from, to }: FieldEdit): FieldEdit => ({ field, from: to, to: from });

export function useMove(): Move {
  const edit = useEdit();
  const client = useQueryClient();
  const toast = useToast();
  const { me } = useSession();
  return useCallback(
    async (item, to, { reason, edits = [] } = {}) => {
      const detail = await edit(item, {
        edits: [{ field: 'phase', from: item.phase, to }, ...edits],
        ...(reason ? { reason } : {}),
      });
      const line = movedLine(item.name, item.phase, to);
      const reversal = reversalOf(item.phase, to);
      if (!reversal.isOffered) {
        toast.say(line);
        return detail;
      }
      toast.offer(line, undoLabel(reversal, me.paging), () => {
        const held = client.getQueryData<IncidentDetail>(keys.incident(item.namespace, item.name));
        edit(item, {
          edits: [...undoEdits(item, held?.item ?? detail.item, to, me.user), ...edits.map(reversed)],
          reason: 'undone',
        }).then(
          () => toast.say(`Undone. ${movedLine(item.name, to, item.phase)}`),
          (error: unknown) => toast.say(`Not undone: ${conflictLine(asApiError(error))}`),
        );
      });
      return detail;
    },
    [edit, client, toast, me.paging, me.user],
  );
}

/** A refusal in one sentence, for places without room for the field's own display. */
export function conflictLine(error: ReturnType<typeof asApiError>): string {
  const { conflict } = error.problem;
  if (conflict === undefined) return error.message;
  return `${shownActor(conflict.by) ?? 'someone else'} changed ${conflict.field} to ${conflict.theirs ?? 'nothing'} first.`;
}
