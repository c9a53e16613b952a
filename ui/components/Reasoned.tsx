/** Around a button that may be disabled: then its reason is in a tooltip that pointer and keyboard both reach, and is read out. */
import Tooltip from '@mui/material/Tooltip';
import type { ReactElement } from 'react';

export function Reasoned({ reason, children }: { reason: string | undefined; children: ReactElement }) {
  if (reason === undefined) return children;
  return (
    <Tooltip title={reason} describeChild>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a disabled button takes no focus, and its reason must be reachable by keyboard */}
      <span tabIndex={0} role="note" aria-label={reason} style={{ display: 'inline-flex' }}>
        {children}
      </span>
    </Tooltip>
  );
}
