/** A real Alertmanager that notifies our webhook as fast as it can, to be fed over its own API as Prometheus would. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from '@funnelai/dev/process/child';
import { anyFreePorts } from '@funnelai/dev/process/ports';
import { until } from './wait.ts';

const READY_MS = 15_000;

export interface SentAlert {
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  startsAt?: string;
  endsAt?: string;
  generatorURL?: string;
}

export interface Alertmanager {
  readonly url: string;
  readonly pid: number;
  /** Posts to its API, as Prometheus does. */
  send(alerts: SentAlert[]): Promise<void>;
  /** How many notifications it has tried and how many of those failed, by its own metrics. */
  notifications(): Promise<{ sent: number; failed: number }>;
  stop(): Promise<void>;
}

export interface Target {
  url: string;
  token: string;
  asPagerDuty?: boolean;
}

const receiverConfig = ({
  url,
  token,
  asPagerDuty = false,
}: Target): string => `    ${asPagerDuty ? 'pagerduty_configs' : 'webhook_configs'}:
      - url: ${url}
        send_resolved: true
        ${asPagerDuty ? `routing_key: ${token}` : `http_config: {authorization: {credentials: ${token}}}`}
`;

/** Where Debian (or whoever installed it) put the binary; throws with how to get it. */
function binary(): string {
  for (const name of ['prometheus-alertmanager', 'alertmanager']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      // Tried under its other name.
    }
  }
  throw new Error('no Alertmanager on the PATH; `apt-get install prometheus-alertmanager` brings one');
}

/**
 * Starts one whose only receiver is `target` with that bearer token, or, `asPagerDuty`, with that routing key. Repeats each second, so
 * that repeats are seen. Without a target it takes alerts and tells nobody, and looks at them as seldom as it does by itself.
 */
export async function startAlertmanager(target?: Target): Promise<Alertmanager> {
  const directory = mkdtempSync(join(tmpdir(), 'funnelai-alertmanager-'));
  const config = join(directory, 'alertmanager.yml');
  writeFileSync(
    config,
    `route:
  receiver: funnelai
  group_by: [alertname, namespace]
${target === undefined ? '' : '  group_wait: 1s\n  group_interval: 1s\n  repeat_interval: 1s\n'}receivers:
  - name: funnelai
${target === undefined ? '' : receiverConfig(target)}`,
    { mode: 0o600 },
  );
  const [port = 0] = await anyFreePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const running = await launch({
    name: 'alertmanager',
    command: binary(),
    args: [
      `--config.file=${config}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    cwd: directory,
    logPath: join(directory, 'alertmanager.log'),
  });
  await until('Alertmanager to be ready', READY_MS, async () => (await fetch(`${url}/-/ready`)).ok);
  const counter = (text: string, name: string) =>
    Number(new RegExp(`^${name}\\{[^}]*integration="webhook"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  return {
    url,
    pid: running.pid,
    async send(alerts) {
      const response = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      });
      if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`);
    },
    async notifications() {
      const text = await (await fetch(`${url}/metrics`)).text();
      return {
        sent: counter(text, 'alertmanager_notifications_total'),
        failed: counter(text, 'alertmanager_notifications_failed_total'),
      };
    },
    stop: async () => void (await running.stop()),
  };
}
