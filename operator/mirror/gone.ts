/** The last state of objects that have left the cluster and whose row does not say so yet: no list has them any more. Bounded. */
import type { KubeObject } from '@funnelai/crds/meta';
import type { Clock } from '@funnelai/kube/clock';

/** Objects that were deleted and are not marked yet are remembered up to this number. */
const MAX_DELETED = 20_000;

export interface Gone<T> {
  object: T;
  at: string;
  /** Nobody deleted it: the cluster was set back or emptied. */
  vanished: boolean;
}

export interface GoneObjects<T extends KubeObject> {
  of(uid: string): Gone<T> | undefined;
  remember(object: T, vanished: boolean): void;
  forget(uid: string): void;
}

export function createGoneObjects<T extends KubeObject>(o: { clock: Clock; onFull(): void }): GoneObjects<T> {
  const gone = new Map<string, Gone<T>>();
  return {
    of: (uid) => gone.get(uid),
    remember(object, vanished) {
      if (gone.size >= MAX_DELETED) {
        o.onFull();
        return;
      }
      const at = object.metadata.deletionTimestamp ?? o.clock.now().toString({ fractionalSecondDigits: 6 });
      gone.set(object.metadata.uid ?? '', { object, at, vanished });
    },
    forget: (uid) => void gone.delete(uid),
  };
}
