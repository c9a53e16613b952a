/** What takes a move back. Pure. */
import type { Phase } from '@funnelai/crds/generated/types';
import type { FieldEdit, IncidentItem } from '@funnelai/domain/wire';

/** The edits that take a move back: the phase, and the owner when the acknowledgement made this person the owner. */
export function undoEdits(before: IncidentItem, now: IncidentItem, to: Phase, user: string): FieldEdit[] {
  const edits: FieldEdit[] = [{ field: 'phase', from: to, to: before.phase }];
  const becameOwner = before.owner === undefined && now.owner === user;
  if (before.phase === 'Detection' && becameOwner) edits.push({ field: 'owner', from: user, to: null });
  return edits;
}
