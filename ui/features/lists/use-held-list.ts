/** A list as it is read from the API and held still for its reader. */
import { useRef } from 'react';
import type { Held } from './held-rows.ts';
import { useHeldRows } from './use-held-rows.ts';

interface ReadList<T> {
  data: { items: T[]; total: number } | undefined;
  /** The rows are those of the last filter, while this one's are being read. */
  isPlaceholderData: boolean;
}
export interface HeldList<T> {
  held: Held<T> & { release: () => void };
  /** How many match in all; undefined while nothing has been read. */
  total: number | undefined;
  /** How many of them were read. */
  shown: number;
}

const NOTHING: readonly never[] = [];
const UNREAD = '';

/** `query` is what was asked for: another one starts afresh, under its own key once its rows are there. */
export function useHeldList<T extends { uid: string }>(
  list: ReadList<T>,
  query: unknown,
  isBusy: boolean,
): HeldList<T> {
  const lastKey = useRef('');
  const page = list.data;
  // The first rows never wait: there is nothing yet that they could move under a busy reader.
  const key = page === undefined ? UNREAD : list.isPlaceholderData ? lastKey.current : JSON.stringify(query);
  lastKey.current = key;
  const held = useHeldRows<T>(key, page?.items ?? NOTHING, isBusy);
  return { held, total: page?.total, shown: page?.items.length ?? 0 };
}
