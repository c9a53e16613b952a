/** Text in a dialog that Escape must not lose: it is there again when the dialog is opened again, for as long as the tab. */
import { useState } from 'react';
import { useSession } from '../app/session.tsx';
import { useToast } from './Toasts.tsx';

/** The oldest go first. */
const MOST_KEPT = 20;
const kept = new Map<string, string>();

export interface KeptText {
  text: string;
  set(text: string): void;
  /** Closes the dialog and keeps the text: says so where there is any. */
  leave(): void;
  /** Closes it, and the text was used, or is not wanted any more. */
  discard(): void;
}

/** `place` says what the text is for; what another person typed in this tab is not shown. `onClose` closes the dialog. */
export function useKeptText(place: string, onClose: () => void): KeptText {
  const { me } = useSession();
  const toast = useToast();
  const key = `${me.user}/${place}`;
  const [text, setText] = useState(kept.get(key) ?? '');
  return {
    text,
    set(next) {
      kept.delete(key);
      if (next.trim() !== '') kept.set(key, next);
      const [oldest] = kept.size > MOST_KEPT ? kept.keys() : [];
      if (oldest !== undefined) kept.delete(oldest);
      setText(next);
    },
    leave() {
      if (text.trim() !== '') toast.say('Your text is kept: it is there when you come back');
      onClose();
    },
    discard() {
      kept.delete(key);
      onClose();
    },
  };
}
