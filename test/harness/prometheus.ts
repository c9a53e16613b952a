/** A real Prometheus with one rule that always fires, which tells an entrance of ours of it as it would an Alertmanager. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from '@funnelai/dev/process/child';
import { anyFreePorts } from '@funnelai/dev/process/ports';
import { until } from './wait.ts';

const READY_MS = 20_000;

export interface Prometheus {
  /** `kill -9`: nobody says that anything is over. */
  kill(): Promise<void>;
  /** In good order. It does not resolve its alerts then, either. */
  stop(): Promise<void>;
}

/** Starts one that sends to `target`, an AlertSource's address; `alertname` fires from its first evaluation on. */
export async function startPrometheus(o: { target: URL; token: string; alertname: string }): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'funnelai-prometheus-'));
  const write = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const rules = write('rules.yml', `groups: [{name: g, rules: [{alert: ${o.alertname}, expr: vector(1)}]}]\n`);
  const config = write(
    'prometheus.yml',
    `global: {evaluation_interval: 1s}
rule_files: [${rules}]
alerting:
  alertmanagers:
  - scheme: http
    path_prefix: ${o.target.pathname}
    api_version: v2
    authorization: {type: Bearer, credentials: ${o.token}}
    static_configs: [{targets: ['${o.target.host}']}]
`,
  );
  const [port = 0] = await anyFreePorts(1);
  const running = await launch({
    name: 'prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--rules.alert.resend-delay=1s',
    ],
    cwd: directory,
    logPath: join(directory, 'prometheus.log'),
  });
  await until('Prometheus to be ready', READY_MS, async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok);
  return { kill: async () => void (await running.kill()), stop: async () => void (await running.stop()) };
}
