/** Short messages at the foot of the page, read out politely; one at a time, with at most one act such as Undo. */
import Close from '@mui/icons-material/Close';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Snackbar from '@mui/material/Snackbar';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';

const PLAIN_MS = 4_000;
/** How long an act such as Undo is offered. */
export const OFFER_MS = 10_000;

interface Toast {
  id: number;
  message: string;
  act?: { label: string; run: () => void };
}
interface Toasts {
  say(message: string): void;
  /** Says it with an act that is offered for ten seconds. */
  offer(message: string, label: string, run: () => void): void;
  dismiss(): void;
  /** The act on offer, for the `z` key. */
  offered: (() => void) | undefined;
}
const Context = createContext<Toasts>({ say: () => {}, offer: () => {}, dismiss: () => {}, offered: undefined });
export const useToast = (): Toasts => useContext(Context);

let serial = 0;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toast, setToast] = useState<Toast>();
  const say = useCallback((message: string) => setToast({ id: ++serial, message }), []);
  const offer = useCallback(
    (message: string, label: string, run: () => void) => setToast({ id: ++serial, message, act: { label, run } }),
    [],
  );
  const dismiss = useCallback(() => setToast(undefined), []);
  const act = toast?.act;
  const offered = useMemo(() => {
    if (act === undefined) return undefined;
    return () => {
      setToast(undefined);
      act.run();
    };
  }, [act]);
  const value = useMemo(() => ({ say, offer, dismiss, offered }), [say, offer, dismiss, offered]);
  return (
    <Context.Provider value={value}>
      {children}
      <Snackbar
        key={toast?.id ?? 'none'}
        open={toast !== undefined}
        message={toast?.message}
        autoHideDuration={act ? OFFER_MS : PLAIN_MS}
        disableWindowBlurListener
        // Escape leaves a field or a dialog; Undo must not go with it.
        onClose={(_, reason) => reason === 'timeout' && setToast(undefined)}
        anchorOrigin={{ vertical: 'bottom', horizontal: 'left' }}
        // Above the bar of acts on chosen incidents, and above the menu of a narrow screen.
        sx={{ mb: { xs: 'calc(45px + var(--funnelai-foot, 0px))', md: 'var(--funnelai-foot, 0px)' } }}
        action={
          <>
            {act && (
              <Button size="small" onClick={() => offered?.()} sx={{ color: 'inherit', textDecoration: 'underline' }}>
                {act.label}
              </Button>
            )}
            <IconButton aria-label="Dismiss message" color="inherit" onClick={() => setToast(undefined)}>
              <Close fontSize="small" />
            </IconButton>
          </>
        }
        slotProps={{ content: { role: 'status', sx: { fontSize: '0.8125rem', bgcolor: '#2b333d', color: '#f2f5f8' } } }}
      />
    </Context.Provider>
  );
}
