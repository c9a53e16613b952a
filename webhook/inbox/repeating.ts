/**
 * Which faults are told of again and again while they wait in the inbox, and in which row the last word of that lies: it goes when the next
 * one comes, so that who waits long does not fill the inbox by it. Pure bookkeeping.
 */
import { hash } from 'node:crypto';
import { type FaultKey, faultKey } from '@funnelai/history/fault-key';
import type { StoreRequest } from '../intake/store.ts';

/** A report that says again what the last ones of its fault have said. */
export interface Repeat {
  /** The row that goes for it, if there is one yet. */
  instead: string | undefined;
  /** It lies in that row now; undefined when nobody knows. */
  lies(id: string | undefined): void;
}

export interface Repeating {
  /** To be told of all that is put there. `waits`: something of the same fault lies there. Undefined where it is no repeat. */
  next(request: StoreRequest, waits: boolean): Repeat | undefined;
  /** What was put last of it may not be there. */
  forget(fault: FaultKey): void;
}

interface Known {
  said: string;
  id?: string | undefined;
  isUnderWay?: boolean;
}

export function createRepeating(most: number): Repeating {
  const known = new Map<string, Known>();

  function repeatOf(key: string, one: Known): Repeat {
    one.isUnderWay = true;
    return {
      instead: one.id,
      lies(id) {
        if (known.get(key) !== one) return;
        one.isUnderWay = false;
        if (id === undefined) known.delete(key);
        else one.id = id;
      },
    };
  }

  return {
    next(request, waits) {
      const key = faultKey(request);
      const said = waits ? saidBy(request) : undefined;
      const before = known.get(key);
      if (before !== undefined && before.said === said && before.isUnderWay !== true) return repeatOf(key, before);
      known.delete(key);
      // The first of its words keeps its row: when they began may stand there alone.
      if (said !== undefined && known.size < most) known.set(key, { said });
      return undefined;
    },
    forget: (fault) => void known.delete(faultKey(fault)),
  };
}

/** The same for reports that differ in nothing but when they were received; undefined of what is never merely a repeat. */
function saidBy({ reports, demo, isStored, keep }: StoreRequest): string | undefined {
  const [{ spec, startNamed, endNamed, only }, ...more] = reports;
  // Each acknowledgement is a word of its own.
  if (more.length > 0 || only !== undefined || spec.acknowledgedUpstream !== undefined) return undefined;
  const { receivedAt: _r, leaseUntil: _l, startsAt, endsAt, ...content } = spec;
  const home = keep?.();
  const text = JSON.stringify([
    content,
    startNamed ? startsAt : 0,
    endNamed ? endsAt : 0,
    demo,
    isStored,
    home && [home.namespace, home.source, home.fingerprint],
  ]);
  return hash('sha1', text, 'base64url');
}
