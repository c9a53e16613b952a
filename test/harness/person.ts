/**
 * A person who works incidents with kubectl while parts of the system die: tries again when the connection is lost, looks first
 * whether the lost attempt had gone through, and keeps what the API server acknowledged. An incident has one person at a time.
 */
import type { Incident, Phase } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { LOG_MAX_ENTRIES, parseChangesAnnotation } from '@funnelai/domain/admission-log';
import { systemClock } from '@funnelai/kube/clock';
import type { Dice } from './dice.ts';
import type { Kubectl } from './kubectl.ts';
import type { Act } from './oracle.ts';
import type { Context } from './users.ts';

const RETRY_MS = 200;
const PAUSE_MS = 150;
const TIMEOUT_MS = 10_000;
/** Of more acts in one absence of the operator than admission keeps the first are not told apart: that is no promise, and no story. */
const MOST_UNNUMBERED = LOG_MAX_ENTRIES - 1;
const REFUSAL = /\((?:NotFound|Conflict|Invalid)\)|is invalid/;
/** Where a person goes from each phase; back and forth, so that a story does not run dry. */
const MOVES: Record<Phase, Phase[]> = {
  Detection: ['Response'],
  Response: ['Mitigation', 'Resolution'],
  Mitigation: ['Response', 'Resolution'],
  Resolution: ['Response', 'Closed'],
  Postmortem: ['Response'],
  Closed: ['Response'],
};

export interface PersonOptions {
  kubectl: Kubectl;
  as: Context;
  /** Their user name. */
  user: string;
  namespace: string;
  dice: Dice;
  /** Whether this incident is theirs: nobody else may act on it. */
  isMine(incident: Incident): boolean;
  /** Between two acts. */
  pauseMs?: number;
}

export interface Person {
  /** Acts made until now. */
  acted(): number;
  /** Ends after the act in hand. */
  finish(): Promise<{ acts: Act[]; deleted: string[] }>;
}

type Wish = Pick<Act, 'kind' | 'to' | 'reason'> & { spec: object };

export function startPerson(o: PersonOptions): Person {
  const { dice, kubectl, namespace } = o;
  const acts: Act[] = [];
  const deleted: string[] = [];
  const finishing = new AbortController();
  let serial = 0;

  const run = (args: string[], as: Context = o.as) =>
    kubectl.try([...args, '-n', namespace], { as, timeoutMs: TIMEOUT_MS });

  /**
   * The object that kubectl prints, once the API server has given one; undefined where there is none. In an hour of deaths it once
   * ended well without having printed all: who reads half an answer asks again.
   */
  async function read<T>(args: string[]): Promise<T | undefined> {
    for (;;) {
      const { code, stdout, stderr } = await run([...args, '-o', 'json']);
      const found = code === 0 ? parsed<T>(stdout) : undefined;
      if (found !== undefined || REFUSAL.test(stderr)) return found;
      await systemClock.sleep(RETRY_MS);
    }
  }

  async function mine(): Promise<Incident[]> {
    const { items } = (await read<{ items: Incident[] }>(['get', 'incidents.funnelai.dev'])) ?? { items: [] };
    const isOpenToMe = (incident: Incident) => o.isMine(incident) && unnumbered(incident) < MOST_UNNUMBERED;
    return items.filter((incident) => incident.metadata.deletionTimestamp === undefined && isOpenToMe(incident));
  }

  function wish({ spec }: Incident): Wish {
    serial += 1;
    const mark = `${o.user}-${serial}`;
    if (dice.oneIn(4)) return { kind: 'Owner', to: mark, spec: { owner: { name: mark } } };
    if (dice.oneIn(4)) {
      // Below all that alerts bring: never what the operator would set.
      const severity = spec.severity === 'Low' ? 'Info' : 'Low';
      return { kind: 'Severity', to: severity, spec: { severity } };
    }
    const phase = dice.pick(MOVES[spec.phase]);
    return { kind: 'Phase', to: phase, reason: mark, spec: { phase, phaseReason: mark } };
  }

  async function act(incident: Incident): Promise<void> {
    const { name, uid = '' } = incident.metadata;
    const wanted = wish(incident);
    const beganMs = systemClock.now().epochMilliseconds;
    // The uid makes it this very incident, not one of the same name.
    const patch = JSON.stringify({ metadata: { uid }, spec: wanted.spec });
    const since = counterOf(incident);
    for (;;) {
      const { code, stdout, stderr } = await run([
        ...['patch', 'incidents.funnelai.dev', name, '--type=merge', '-p', patch, '-o', 'json'],
      ]);
      const answeredMs = systemClock.now().epochMilliseconds;
      const done = () => {
        const { spec: _, ...change } = wanted;
        acts.push({ uid, incident: name, by: o.user, beganMs, answeredMs, ...change });
      };
      const answer = code === 0 ? parsed<Incident>(stdout) : undefined;
      if (answer !== undefined) {
        // The operator may have made the same move a moment before: then there was nothing left to do.
        if (wanted.to !== 'Resolution' || hasEntry(answer, since, wanted)) done();
        return;
      }
      if (REFUSAL.test(stderr)) return;
      // Lost on the way there or on the way back.
      await systemClock.sleep(RETRY_MS);
      const now = await read<Incident>(['get', 'incidents.funnelai.dev', name]);
      if (now?.metadata.uid !== uid) throw new Error(`${name} went away with an act of ${o.user} in doubt`);
      if (hasEntry(now, since, wanted)) {
        done();
        return;
      }
    }
  }

  function hasEntry(incident: Incident, since: number, { kind, to, reason = '' }: Wish): boolean {
    const log = parseChangesAnnotation(incident.metadata.annotations?.[CHANGES_ANNOTATION]);
    return (log?.entries ?? []).some(
      (entry) =>
        entry.number > since &&
        entry.field === kind.toLowerCase() &&
        entry.value === to &&
        entry.user === o.user &&
        entry.reason === reason,
    );
  }

  /** Responders may not delete: an administrator does it for them. */
  async function remove({ metadata: { name, uid = '' } }: Incident): Promise<void> {
    deleted.push(uid);
    for (;;) {
      const { code, stderr } = await run(['delete', 'incidents.funnelai.dev', name, '--wait=false'], 'admin');
      if (code === 0 || /NotFound/.test(stderr)) return;
      await systemClock.sleep(RETRY_MS);
      const now = await read<Incident>(['get', 'incidents.funnelai.dev', name]);
      if (now?.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined) return;
    }
  }

  const running = (async () => {
    while (!finishing.signal.aborted) {
      const incidents = await mine();
      if (incidents.length > 0) {
        const incident = dice.pick(incidents);
        if (incident.spec.phase === 'Closed' && dice.oneIn(2)) await remove(incident);
        else await act(incident);
      }
      await systemClock.sleep(o.pauseMs ?? PAUSE_MS, finishing.signal).catch(() => undefined);
    }
  })();
  // Heard by whoever finishes it.
  running.catch(() => undefined);

  return {
    acted: () => acts.length,
    async finish() {
      finishing.abort();
      await running;
      return { acts, deleted };
    },
  };
}

function unnumbered(incident: Incident): number {
  return counterOf(incident) - (incident.status?.logSequence ?? 0);
}

function counterOf({ metadata }: Incident): number {
  return parseChangesAnnotation(metadata.annotations?.[CHANGES_ANNOTATION])?.counter ?? 0;
}

/** What kubectl printed; undefined for half of it. */
function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
