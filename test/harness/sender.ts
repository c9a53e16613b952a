/**
 * A sender that behaves as Alertmanager does: one body for each group, sent again whole on 5xx and on a lost connection until it
 * is answered 2xx; then the next. What it fires and resolves follows from a seed; what it was answered is for the oracle.
 */
import { systemClock } from '@funnelai/kube/clock';
import type { Dice } from './dice.ts';
import type { AnsweredFault } from './oracle.ts';

const REQUEST_MS = 5_000;
const RETRY_MS = 150;
const PAUSE_MS = 100;
/** A start is told apart from the end before it. */
const MIN_EPISODE_MS = 20;

export interface SenderOptions {
  /** Asked for each attempt: a webhook may come back elsewhere. */
  url(): string;
  token: string;
  dice: Dice;
  /** Labels of every fault of this group. */
  labels: Record<string, string>;
  /** So many faults there are, each with a label `fault` of its own. */
  faults: number;
  /** Between two bodies, and up to as much again; a tenth of a second where absent. */
  pauseMs?: number;
}

export interface Sender {
  /** Ends the changes, sends the last state until it is answered, and resolves what was answered. */
  finish(): Promise<AnsweredFault[]>;
  /** Attempts that were not answered 2xx. */
  failures(): number;
}

interface Fault {
  id: string;
  state: 'Firing' | 'Resolved';
  startsAt: string;
  endsAt?: string;
  changedMs: number;
}

export function startSender(o: SenderOptions): Sender {
  const { dice, pauseMs = PAUSE_MS } = o;
  const faults = new Map<string, Fault>();
  const answered = new Map<string, AnsweredFault>();
  const finishing = new AbortController();
  let failures = 0;

  /** A few faults begin, end, or come back; each once, for an end that is in no body is one that nobody was told of. */
  function turn(): void {
    const changes = 1 + dice.roll(3);
    const changed = new Set<string>();
    for (let i = 0; i < changes; i += 1) {
      const id = `${Object.values(o.labels).join('-')}-${dice.roll(o.faults)}`;
      if (changed.has(id)) continue;
      changed.add(id);
      const now = systemClock.now();
      const before = faults.get(id);
      if (before !== undefined && now.epochMilliseconds - before.changedMs < MIN_EPISODE_MS) continue;
      const at = now.toString({ fractionalSecondDigits: 6 });
      const changedMs = now.epochMilliseconds;
      if (before?.state === 'Firing') faults.set(id, { ...before, state: 'Resolved', endsAt: at, changedMs });
      else faults.set(id, { id, state: 'Firing', startsAt: at, changedMs });
    }
  }

  /** Everything of the group, as Alertmanager sends it: what fires, and what has ended and was not told of yet. */
  function body(): { told: Fault[]; text: string } {
    const told = [...faults.values()].filter(
      ({ id, state, startsAt }) =>
        state === 'Firing' || answered.get(id)?.state !== 'Resolved' || answered.get(id)?.startsAt !== startsAt,
    );
    const alerts = told.map(({ id, state, startsAt, endsAt }) => ({
      status: state === 'Firing' ? 'firing' : 'resolved',
      labels: { ...o.labels, fault: id, severity: 'critical' },
      annotations: { summary: `${id} is in trouble` },
      startsAt,
      endsAt: endsAt ?? '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example/graph',
      fingerprint: id,
    }));
    const isFiring = told.some(({ state }) => state === 'Firing');
    const message = {
      version: '4',
      groupKey: JSON.stringify(o.labels),
      truncatedAlerts: 0,
      status: isFiring ? 'firing' : 'resolved',
      receiver: 'funnelai',
      groupLabels: o.labels,
      commonLabels: o.labels,
      commonAnnotations: {},
      externalURL: 'http://alertmanager.example',
      alerts,
    };
    return { told, text: JSON.stringify(message) };
  }

  async function send(): Promise<void> {
    const { told, text } = body();
    if (told.length === 0) return;
    for (;;) {
      const status = await attempt(text);
      if (status >= 200 && status < 300) break;
      failures += 1;
      // Alertmanager gives such a body up: here it is a fault of the story.
      if (status >= 400 && status < 500) throw new Error(`the intake answered ${status} to a good body: ${lastText}`);
      await systemClock.sleep(RETRY_MS);
    }
    for (const { id, state, startsAt } of told) answered.set(id, { id, state, startsAt });
  }

  let lastText = '';
  async function attempt(text: string): Promise<number> {
    try {
      const response = await fetch(o.url(), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${o.token}` },
        body: text,
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      lastText = await response.text();
      return response.status;
    } catch {
      return 0;
    }
  }

  const running = (async () => {
    while (!finishing.signal.aborted) {
      turn();
      await send();
      await systemClock.sleep(pauseMs + dice.roll(pauseMs), finishing.signal).catch(() => undefined);
    }
    await send();
  })();
  // Heard by whoever finishes it.
  running.catch(() => undefined);

  return {
    async finish() {
      finishing.abort();
      await running;
      return [...answered.values()];
    },
    failures: () => failures,
  };
}
