/** Says beside a list of alerts that some of them are no objects of the cluster, how many, and whether all of them can be seen here. */
import type { FoldedState } from '@funnelai/domain/wire';
import Alert from '@mui/material/Alert';
import { number } from '../../components/number.ts';

interface FoldedNoteProps {
  folded: FoldedState | undefined;
  /** How many of them stand in the list. */
  shown: number;
  /** What the operator says of it; a sentence of our own where it has said nothing yet. */
  message?: string | undefined;
}

export function FoldedNote({ folded, shown, message }: FoldedNoteProps) {
  if (folded === undefined && message === undefined) return null;
  if (folded?.unavailable !== undefined)
    return (
      <Alert severity="warning" sx={{ mx: 4, my: 2 }}>
        Alerts of a storm are kept in Postgres and cannot be shown now. {folded.unavailable}
      </Alert>
    );
  const total = folded?.total ?? 0;
  if (total === 0 && message === undefined) return null;
  const rest =
    shown < total
      ? ` The list has the ${number(shown)} most urgent of ${number(total)}; search and filters look at all.`
      : '';
  return (
    <Alert severity="info" sx={{ mx: 4, my: 2 }}>
      {message ??
        `${number(total)} ${total === 1 ? 'alert is' : 'alerts are'} folded: their source has reached limits.maxLiveAlerts, so they are kept in Postgres alone.`}
      {rest}
    </Alert>
  );
}
