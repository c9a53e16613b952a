/** What the demo may do: send alerts to the public intake, and act through the API as one of its two people. Nothing else. */
import { Fault } from '../process/fault.ts';
import type { DemoAlert } from './story.ts';

export interface DemoIncident {
  name: string;
  phase: string;
  owner?: string;
  rule?: string;
  alerts: { firing: number; total: number };
}

export interface Edit {
  field: 'phase' | 'severity' | 'resolution';
  from: unknown;
  to: unknown;
}

export interface DemoApi {
  send(alerts: DemoAlert[]): Promise<void>;
  incidents(): Promise<DemoIncident[]>;
  /** How often the alert with the labels of this one came, as far as the operator has judged; 0 while it has not. */
  episodeOf(alert: DemoAlert): Promise<number>;
  edit(as: 'ana' | 'bo', name: string, edits: Edit[], reason: string): Promise<void>;
}

export const NAMESPACE = 'demo';
export const SOURCE = 'alertmanager';
const MOST_ALERTS = 500;
const TIMEOUT_MS = 10_000;
const RETRIES_MS = 60_000;
const PAUSE_MS = 500;

interface Call {
  method: string;
  path: string;
  token: string;
  body?: unknown;
}

export function createDemoApi(o: {
  url: string;
  tokens: { ana: string; bo: string; demoSource: string };
  signal: AbortSignal;
}): DemoApi {
  async function call({ method, path, token, body }: Call): Promise<unknown> {
    const deadline = performance.now() + RETRIES_MS;
    for (;;) {
      o.signal.throwIfAborted();
      const failure = await attempt();
      if (!('why' in failure)) return failure.answer;
      // 401 and 404: the webhook has not seen the source yet. 429 and 5xx: it says itself that trying again helps.
      const worthwhile = failure.status === 0 || [401, 404, 429].includes(failure.status) || failure.status >= 500;
      if (!worthwhile || performance.now() > deadline) throw new Fault(`${method} ${path}: ${failure.why}`);
      await pause(PAUSE_MS, o.signal);
    }
    async function attempt(): Promise<{ answer: unknown } | { status: number; why: string }> {
      try {
        const response = await fetch(`${o.url}${path}`, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.any([o.signal, AbortSignal.timeout(TIMEOUT_MS)]),
        });
        const text = await response.text();
        if (response.ok) return { answer: text === '' || !text.startsWith('{') ? text : JSON.parse(text) };
        return { status: response.status, why: `${response.status} ${text.slice(0, 500)}` };
      } catch (error) {
        return { status: 0, why: error instanceof Error ? error.message : String(error) };
      }
    }
  }

  return {
    async send(alerts) {
      const body = { version: '4', receiver: 'funnelai', status: 'firing', alerts };
      await call({ method: 'POST', path: `/alerts/${NAMESPACE}/${SOURCE}`, token: o.tokens.demoSource, body });
    },
    async incidents() {
      const path = `/api/incidents?namespace=${NAMESPACE}&tab=all&limit=100`;
      return ((await call({ method: 'GET', path, token: o.tokens.ana })) as { items: DemoIncident[] }).items;
    },
    async episodeOf({ labels }) {
      const path = `/api/alerts?namespace=${NAMESPACE}&limit=${MOST_ALERTS}`;
      const { items } = (await call({ method: 'GET', path, token: o.tokens.ana })) as {
        items: { labels: Record<string, string>; episode?: number }[];
      };
      const same = items.find((item) => Object.entries(labels).every(([name, value]) => item.labels[name] === value));
      return same?.episode ?? 0;
    },
    async edit(as, name, edits, reason) {
      await call({
        method: 'PATCH',
        path: `/api/incidents/${NAMESPACE}/${name}`,
        token: o.tokens[as],
        body: { edits, reason },
      });
    },
  };
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
