/** Lets the live stream write into the React Query cache: batches at once, then what they concern is read again, not too often. */
import type { AlertDetail, AlertPage, IncidentDetail, IncidentPage, StreamEvent } from '@funnelai/domain/wire';
import type { QueryClient } from '@tanstack/react-query';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { signedOut } from '../api/client.ts';
import type { AlertQuery, IncidentQuery } from '../api/keys.ts';
import {
  applyToAlerts,
  applyToIncident,
  applyToIncidents,
  type Changes,
  concernsAlert,
  concernsIncident,
} from './apply.ts';
import { joinSharedStream, type SharedStream } from './shared-stream.ts';
import { setSpare } from './spare.ts';
import { setLiveStatus } from './status.ts';

/** Lists are read again at most this often while changes pour in; single objects as soon as the operator had time to answer. */
const LISTS_EVERY_MS = 2_000;
const OBJECT_EVERY_MS = 400;

/** Calls `fn` at once, then at most every `ms`, and once more when calls came in between. */
export function throttle(fn: () => void, ms: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  return function call(): void {
    if (timer !== undefined) {
      again = true;
      return;
    }
    fn();
    timer = setTimeout(() => {
      timer = undefined;
      if (again) {
        again = false;
        call();
      }
    }, ms);
  };
}

function createApplier(client: QueryClient): { apply(changes: Changes, user: string): void; rereadAll(): void } {
  const rereadLists = throttle(() => {
    void client.invalidateQueries({
      predicate: ({ queryKey }) => queryKey[0] === 'incidents' || queryKey[0] === 'alerts',
    });
  }, LISTS_EVERY_MS);
  const objects = new Map<string, () => void>();
  const rereadObject = (key: readonly unknown[]) => {
    const id = JSON.stringify(key);
    let reread = objects.get(id);
    if (reread === undefined) {
      reread = throttle(() => {
        void client.invalidateQueries({ queryKey: key });
        void client.invalidateQueries({ queryKey: ['yaml', `${key[0]}s`, ...key.slice(1)] });
      }, OBJECT_EVERY_MS);
      objects.set(id, reread);
    }
    reread();
  };
  return {
    apply(changes, user) {
      for (const query of client.getQueryCache().findAll()) {
        const [kind, argument] = query.queryKey;
        const data: unknown = query.state.data;
        if (data === undefined) continue;
        if (kind === 'incidents')
          client.setQueryData(
            query.queryKey,
            applyToIncidents(data as IncidentPage, argument as IncidentQuery, changes, user),
            { updatedAt: query.state.dataUpdatedAt },
          );
        else if (kind === 'alerts')
          client.setQueryData(query.queryKey, applyToAlerts(data as AlertPage, argument as AlertQuery, changes), {
            updatedAt: query.state.dataUpdatedAt,
          });
        else if (kind === 'incident' && concernsIncident(data as IncidentDetail, changes)) {
          client.setQueryData(query.queryKey, applyToIncident(data as IncidentDetail, changes), {
            updatedAt: query.state.dataUpdatedAt,
          });
          rereadObject(query.queryKey);
        } else if (kind === 'alert' && concernsAlert(data as AlertDetail, changes)) rereadObject(query.queryKey);
      }
      rereadLists();
    },
    rereadAll() {
      void client.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[0] !== 'me' && queryKey[0] !== 'namespaces',
      });
    },
  };
}

/** Keeps this tab live for `scope` ('' = all namespaces; undefined = not yet known). `user` decides what "mine" is. */
export function useLive(scope: string | undefined, user: string): void {
  const client = useQueryClient();
  const stream = useRef<SharedStream | undefined>(undefined);
  const reader = useRef(user);
  reader.current = user;

  useEffect(() => {
    const applier = createApplier(client);
    const onEvent = (event: StreamEvent) => {
      // A server says it again after its hello, while it is so.
      if (event.type === 'hello') setSpare(undefined);
      if (event.type === 'hello') applier.rereadAll();
      else if (event.type === 'intake') setSpare(event.spare);
      else if (event.type === 'changes') applier.apply(event, reader.current);
    };
    const joined = joinSharedStream({ onEvent, onStatus: setLiveStatus, onSignedOut: signedOut });
    stream.current = joined;
    return () => joined.close();
  }, [client]);

  useEffect(() => {
    if (scope !== undefined) stream.current?.want(scope);
  }, [scope]);
}
