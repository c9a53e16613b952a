/** A busy namespace: senders whose faults come and go, and people who work what opens. The same seed asks for the same. */
import type { Incident } from '@funnelai/crds/generated/types';
import { createDice } from './dice.ts';
import type { Kubectl } from './kubectl.ts';
import type { Told } from './oracle.ts';
import { startPerson } from './person.ts';
import { startSender } from './sender.ts';
import { type Context, userOf } from './users.ts';

const PEOPLE: Context[] = ['ana', 'bo'];

/** Pauses of each sender between its bodies, and of each person between acts; the harness's own haste where absent. */
export interface Pace {
  senderPauseMs?: number;
  personPauseMs?: number;
  /** Nobody works what opens. */
  isUnattended?: boolean;
}

export interface LoadOptions extends Pace {
  namespace: string;
  /** Where the namespace's source takes alerts; asked for each attempt. */
  url(): string;
  token: string;
  kubectl: Kubectl;
  seed: number;
  /** Groups of alerts, each with a sender and, by the rules, an incident of its own. Named by label `cluster`. */
  groups: number;
  faults: number;
}

export interface Load {
  /** Ends it; what was answered is final then. */
  finish(): Promise<Told>;
  /** Sends that were not answered 2xx: a fault that nobody felt proves nothing. */
  failures(): number;
  /** What people have done until now. */
  acts(): number;
}

export function startLoad(o: LoadOptions): Load {
  const senders = Array.from({ length: o.groups }, (_, i) =>
    startSender({
      url: o.url,
      token: o.token,
      dice: createDice(o.seed * 1_000 + i),
      labels: { alertname: 'KubePodCrashLooping', namespace: 'pay', cluster: `c${i}` },
      faults: o.faults,
      ...(o.senderPauseMs !== undefined && { pauseMs: o.senderPauseMs }),
    }),
  );
  const isOf = (at: number) => (incident: Incident) => {
    const sum = [...(incident.metadata.uid ?? '')].reduce((total, char) => total + char.charCodeAt(0), 0);
    return sum % PEOPLE.length === at;
  };
  const people = (o.isUnattended ? [] : PEOPLE).map((as, i) =>
    startPerson({
      kubectl: o.kubectl,
      as,
      user: userOf(as).name,
      namespace: o.namespace,
      dice: createDice(o.seed * 1_000 + 500 + i),
      isMine: isOf(i),
      ...(o.personPauseMs !== undefined && { pauseMs: o.personPauseMs }),
    }),
  );
  return {
    async finish() {
      const [faults, works] = await Promise.all([
        Promise.all(senders.map((sender) => sender.finish())),
        Promise.all(people.map((person) => person.finish())),
      ]);
      return {
        faults: faults.flat(),
        acts: works.flatMap(({ acts }) => acts),
        deleted: works.flatMap(({ deleted }) => deleted),
      };
    },
    acts: () => people.reduce((total, person) => total + person.acted(), 0),
    failures: () => senders.reduce((total, sender) => total + sender.failures(), 0),
  };
}
