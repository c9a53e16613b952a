/** Why an alert expired, in words for people: pages, timelines. */
import type { AlertSpec } from '@funnelai/crds/generated/types';

export type ExpiryReason = NonNullable<AlertSpec['expired']>['reason'];

const TEXT: Readonly<Record<ExpiryReason, string>> = {
  LeaseRanOut: 'nothing was heard of it for longer than its sender had announced; nobody said that it resolved',
  SourceDeleted:
    'its AlertSource was deleted, so no report can be about this one any more; nobody said that it resolved',
  DedupChanged: 'its source tells faults apart in another way now; no report is about this one any more',
};

export function expiryText(reason: ExpiryReason): string {
  return TEXT[reason];
}
