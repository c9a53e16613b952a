/** The open incidents that may take over: the most urgent at once, and by what is typed all others, which the server looks for. */
import type { IncidentItem } from '@funnelai/domain/wire';
import { useEffect, useState } from 'react';
import { useIncidents } from '../../api/queries.ts';
import { parseFilter, toQuery } from '../incidents/url.ts';
import { MOST_ROWS } from '../lists/limits.ts';
import { useHeldList } from '../lists/use-held-list.ts';
import { MOST_LISTED } from './merge-targets.ts';

/** Typing settles for this long before the server is asked. */
const SETTLE_MS = 250;
/** As long as a search may be. */
const QUERY_CHARACTERS = 256;

export interface MergeTargets {
  offered: IncidentItem[];
  /** Of them those that are open no more. */
  gone: ReadonlySet<string>;
  /** The reading of the most urgent. */
  open: ReturnType<typeof useIncidents>;
  /** Set where they are not all: how many there are, and whether the rest can be searched. */
  more: { total: number; listed: number; isSearching: boolean; error: unknown } | undefined;
}

export function useMergeTargets(
  namespace: string | undefined,
  isOffered: (item: IncidentItem) => boolean,
  typed: string,
): MergeTargets {
  const [settled, setSettled] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed.trim().slice(0, QUERY_CHARACTERS)), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const all = parseFilter(new URLSearchParams());
  const query = toQuery({ ...all, limit: MOST_ROWS }, namespace);
  const open = useIncidents(query);
  // They keep their places while someone points at one of them.
  const { rows } = useHeldList(open, query, true).held;
  const isShort = open.data !== undefined && open.data.total > open.data.items.length;
  const asked = isShort && settled !== '';
  const found = useIncidents(toQuery({ ...all, q: settled, limit: MOST_LISTED }, namespace), asked);
  const known = new Set(rows.map(({ item }) => item.uid));
  const others = asked ? (found.data?.items ?? []).filter(({ uid }) => !known.has(uid)) : [];
  return {
    offered: [...rows.map(({ item }) => item), ...others].filter(isOffered),
    gone: new Set(rows.filter(({ isGone }) => isGone).map(({ item }) => item.uid)),
    open,
    more: isShort
      ? {
          total: open.data.total,
          listed: open.data.items.length,
          isSearching: asked && found.isFetching,
          error: asked ? found.error : null,
        }
      : undefined,
  };
}
