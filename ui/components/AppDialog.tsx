/** Every dialog of the pages: labelled, closed by Escape, focus given back; and whether any is open, so that lists stand still. */
import Dialog, { type DialogProps } from '@mui/material/Dialog';
import DialogTitle from '@mui/material/DialogTitle';
import { type ReactNode, useEffect, useId, useSyncExternalStore } from 'react';

let openDialogs = 0;
const listeners = new Set<() => void>();
const change = (by: number) => {
  openDialogs += by;
  for (const listener of listeners) listener();
};
const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const isDialogOpen = (): boolean => openDialogs > 0;
export const useIsDialogOpen = (): boolean => useSyncExternalStore(subscribe, isDialogOpen);

/** Counts itself as a dialog while mounted. */
export function useCountsAsDialog(isOpen: boolean): void {
  useEffect(() => {
    if (!isOpen) return;
    change(1);
    return () => change(-1);
  }, [isOpen]);
}

interface AppDialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  maxWidth?: DialogProps['maxWidth'];
  /** Something was typed: a click beside the dialog is then a slip, not a wish to lose it. */
  holdsText?: boolean;
  children: ReactNode;
}
export function AppDialog({ title, open, onClose, maxWidth = 'sm', holdsText = false, children }: AppDialogProps) {
  const id = useId();
  useCountsAsDialog(open);
  return (
    <Dialog
      open={open}
      onClose={(_, why) => (why === 'backdropClick' && holdsText ? undefined : onClose())}
      aria-labelledby={id}
      maxWidth={maxWidth}
      fullWidth
    >
      <DialogTitle id={id}>{title}</DialogTitle>
      {children}
    </Dialog>
  );
}
