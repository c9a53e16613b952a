/** What is said above a timeline of how history stands to the incident. Pure. */
import type { HistoryState } from '@funnelai/domain/wire';

export interface HistoryNote {
  /** In the way of what the reader came for, or only worth a glance. */
  isTrouble: boolean;
  head: string;
  text: string;
}

/** Undefined while history has everything. */
export function historyNote({ available, reason, behind = 0, trouble }: HistoryState): HistoryNote | undefined {
  if (!available) {
    const text = 'What follows is what the incident itself still holds; older entries are missing, not lost.';
    return { isTrouble: true, head: 'History cannot be read now.', text: [text, reason].filter(Boolean).join(' ') };
  }
  const changes = behind === 1 ? '1 change' : `${behind} changes`;
  if (trouble !== undefined) {
    const head = behind > 0 ? `History is ${changes} behind.` : 'History is behind.';
    return { isTrouble: true, head, text: `Nothing is lost: the incident itself holds them. ${trouble}` };
  }
  return behind > 0 ? { isTrouble: false, head: `${changes} on the way to history`, text: '' } : undefined;
}
