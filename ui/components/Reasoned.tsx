/**
 * Around a button that may not be possible now. It stays where keyboard and screen reader find it, says that it is disabled and why,
 * and does nothing: a natively disabled one takes no focus, and who cannot point at it would never learn the reason.
 */
import Box from '@mui/material/Box';
import Tooltip from '@mui/material/Tooltip';
import { type CSSProperties, cloneElement, type MouseEvent, type ReactElement, useId, useState } from 'react';

interface ButtonProps {
  'aria-disabled'?: boolean;
  'aria-describedby'?: string;
  className?: string;
  style?: CSSProperties;
  type?: 'button' | 'submit' | 'reset';
  onClick?: (event: MouseEvent<HTMLElement>) => void;
}

/** Read out, and not seen: the tooltip shows the same. */
const UNSEEN = {
  position: 'absolute',
  width: '1px',
  height: '1px',
  overflow: 'hidden',
  clipPath: 'inset(50%)',
} as const;
/** After a touch it stays for as long as it takes to read it. */
const READ_MS = 6_000;

interface ReasonedProps {
  /** Why it is not possible; undefined when it is. */
  reason: string | undefined;
  /** What the tooltip says while it is possible. */
  title?: string;
  children: ReactElement<ButtonProps>;
}

export function Reasoned({ reason, title, children }: ReasonedProps) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  if (reason === undefined) return title === undefined ? children : <Tooltip title={title}>{children}</Tooltip>;
  return (
    <>
      <Tooltip
        title={reason}
        describeChild
        open={isOpen}
        onOpen={() => setOpen(true)}
        onClose={() => setOpen(false)}
        leaveTouchDelay={READ_MS}
      >
        {cloneElement(children, {
          'aria-disabled': true,
          'aria-describedby': id,
          // Looks as MUI has disabled ones, and can still be pointed at.
          className: 'Mui-disabled',
          style: { pointerEvents: 'auto' },
          type: 'button',
          // A finger cannot point without pressing.
          onClick: (event) => {
            event.preventDefault();
            setOpen(true);
          },
        })}
      </Tooltip>
      <Box component="span" id={id} sx={UNSEEN}>
        {reason}
      </Box>
    </>
  );
}
