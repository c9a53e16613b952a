/** The address at which senders reach funnelAI: as this browser does, until the reader says another, which is remembered. */
import { useState } from 'react';
import { usableBase } from './sender.ts';

const REMEMBERED = 'funnelai.senders';

function recall(): string | undefined {
  try {
    const held = localStorage.getItem(REMEMBERED);
    return held === null ? undefined : usableBase(held);
  } catch {
    return undefined;
  }
}

/** `text` is what stands in the field; `base` the last usable address of it. */
export function useBase(): { text: string; base: string; isUsable: boolean; set: (text: string) => void } {
  const [text, setText] = useState(() => recall() ?? window.location.origin);
  const [base, setBase] = useState(() => usableBase(text) ?? window.location.origin);
  const set = (next: string) => {
    setText(next);
    const usable = usableBase(next);
    if (usable === undefined) return;
    setBase(usable);
    try {
      if (usable === window.location.origin) localStorage.removeItem(REMEMBERED);
      else localStorage.setItem(REMEMBERED, usable);
    } catch {
      // Without storage it holds for as long as the page.
    }
  };
  return { text, base, isUsable: usableBase(text) !== undefined, set };
}
