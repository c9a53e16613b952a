/**
 * An event recorder that also keeps what is said: Kubernetes forgets its Events after an hour, an incident's story does not. What a
 * numbered change tells already is not kept twice. Bounded, and as little waited for as Events are.
 */
import type { ObjectEvent } from '@funnelai/history/object-events';
import type { Clock } from '@funnelai/kube/clock';
import type { EventRecorder } from '@funnelai/kube/events';

/** Said and not yet handed over; what comes on top is not kept. */
export const EVENTS_HELD = 1_000;
/** Normal ones that no numbered change tells. */
const KEPT = new Set(['AlertsCleared']);
const KINDS = new Set(['Incident', 'Alert']);

export interface KeptEvents extends EventRecorder {
  /** Hands over what was said since, oldest first; whoever cannot store it gives it back. */
  take(): ObjectEvent[];
  giveBack(events: readonly ObjectEvent[]): void;
}

export function keepEvents(events: EventRecorder, o: { clock: Clock; onFull(): void }): KeptEvents {
  let held: ObjectEvent[] = [];
  return {
    event(object, type, reason, note, action) {
      events.event(object, type, reason, note, action);
      const { uid, namespace = '', name } = object.metadata;
      const { kind = '' } = object;
      if (uid === undefined || !KINDS.has(kind) || !(type === 'Warning' || KEPT.has(reason))) return;
      if (held.length >= EVENTS_HELD) o.onFull();
      else held.push({ objectUid: uid, kind, namespace, name, type, reason, note, at: o.clock.now() });
    },
    flush: () => events.flush(),
    take() {
      const taken = held;
      held = [];
      return taken;
    },
    giveBack(back) {
      held = [...back, ...held].slice(0, EVENTS_HELD);
    },
  };
}
