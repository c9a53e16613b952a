/** The acts on chosen incidents with what follows each: the message, ten seconds of Undo where the way back is legal, the refusals. */
import type { Phase } from '@funnelai/crds/generated/types';
import { shownAs } from '@funnelai/domain/lifecycle';
import type { FieldEdit, IncidentItem } from '@funnelai/domain/wire';
import { useState } from 'react';
import { useSession } from '../../app/session.tsx';
import { useToast } from '../../components/Toasts.tsx';
import { reversalOf, undoLabel } from '../incident/moves.ts';
import { undoEdits } from '../incident/undo.ts';
import { type Refused, useBulk } from './use-bulk.ts';

export interface BulkActs {
  isBusy: boolean;
  /** What was refused in the last act, until it is dismissed. */
  refused: readonly Refused[];
  dismiss(): void;
  move(
    items: readonly IncidentItem[],
    to: Phase,
    options?: { reason?: string; editsOf?: (item: IncidentItem) => FieldEdit[] },
  ): Promise<void>;
  assign(items: readonly IncidentItem[], owner: string): Promise<void>;
  merge(items: readonly IncidentItem[], target: IncidentItem): Promise<void>;
}

const many = (count: number): string => `${count} ${count === 1 ? 'incident' : 'incidents'}`;

export function useBulkActs(): BulkActs {
  const { bulk, latest } = useBulk();
  const toast = useToast();
  const { me } = useSession();
  const [isBusy, setBusy] = useState(false);
  const [refused, setRefused] = useState<readonly Refused[]>([]);
  const run = async (...args: Parameters<typeof bulk>) => {
    setBusy(true);
    setRefused([]);
    const result = await bulk(...args);
    setRefused(result.refused);
    setBusy(false);
    return result;
  };
  const undo = async (...args: Parameters<typeof bulk>) => {
    const { done, refused: kept } = await run(...args);
    toast.say(`Undone for ${many(done.length)}${kept.length > 0 ? `, not for ${kept.length}` : ''}`);
  };
  return {
    isBusy,
    refused,
    dismiss: () => setRefused([]),
    async move(items, to, { reason, editsOf = () => [] } = {}) {
      const { done } = await run(items, (item) => ({
        edits: [{ field: 'phase', from: item.phase, to }, ...editsOf(item)],
        ...(reason ? { reason } : {}),
      }));
      if (done.length === 0) return;
      const line =
        to === 'Response' && done.every(({ before }) => before.phase === 'Detection')
          ? 'acknowledged'
          : `→ ${shownAs(to)}`;
      const message = `${many(done.length)} ${line}`;
      const reversals = done.map(({ before }) => reversalOf(before.phase, to));
      if (!reversals.every((one) => one.isOffered)) return toast.say(message);
      const pagesAgain = reversals.some((one) => one.pagesAgain);
      toast.offer(message, undoLabel({ isOffered: true, pagesAgain }, me.paging), () => {
        void undo(
          done.map(({ before }) => before),
          (item) => ({
            edits: [
              ...undoEdits(item, latest(item), to, me.user),
              ...editsOf(item).map(({ field, from, to: set }): FieldEdit => ({ field, from: set, to: from })),
            ],
            reason: 'undone',
          }),
        );
      });
    },
    async assign(items, owner) {
      const to = owner === '' ? null : owner;
      const { done } = await run(items, (item) => ({ edits: [{ field: 'owner', from: item.owner ?? null, to }] }));
      if (done.length === 0) return;
      toast.offer(`${many(done.length)} → ${to ?? 'nobody'}`, 'Undo', () => {
        void undo(
          done.map(({ before }) => before),
          (item) => ({ edits: [{ field: 'owner', from: to, to: item.owner ?? null }] }),
        );
      });
    },
    async merge(items, target) {
      const { done } = await run(items, (item) => ({
        edits: [
          { field: 'phase', from: item.phase, to: 'Closed' },
          { field: 'mergedInto', from: item.mergedInto ?? null, to: target.name },
        ],
        reason: `merged into ${target.name}`,
      }));
      if (done.length > 0) toast.say(`${many(done.length)} merged into ${target.name}`);
    },
  };
}
