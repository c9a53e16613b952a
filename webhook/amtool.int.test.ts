/** The real amtool, as docs/senders/alertmanager.md has it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@funnelai/test/harness/wait';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { aTeam, type Running, send, startInProcess, type Team, untilKnown } from './testing/world.ts';

const run = promisify(execFile);
const SOON_MS = 20_000;
let one: Running;
let team: Team;
let config: string;
beforeAll(async () => {
  const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
  team = await aTeam(stage);
  one = await startInProcess(stage.kubeconfig);
  await untilKnown(one.url, team);
  config = httpConfig(team.token);
});
afterAll(() => one?.stop());

function httpConfig(token: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'funnelai-amtool-')), 'http.yml');
  writeFileSync(path, `authorization: {type: Bearer, credentials: ${token}}\n`, { mode: 0o600 });
  return path;
}
const source = () => `${one.url}/alerts/${team.namespace}/prom`;
async function amtool(args: string[], o: { config?: string } = {}): Promise<string> {
  const given = [`--alertmanager.url=${source()}`, `--http.config.file=${o.config ?? config}`, '--no-version-check'];
  return (await run('amtool', [...given, ...args], { timeout: SOON_MS })).stdout;
}
const query = async (...args: string[]) =>
  JSON.parse(await amtool(['-o', 'json', 'alert', 'query', ...args])) as { labels: Record<string, string> }[];

describe('amtool', () => {
  it('adds an alert, finds it, and resolves it', async () => {
    await amtool(['alert', 'add', 'alertname=DiskFull', 'node=db-1', '--annotation=summary=The disk is full']);
    await amtool(['alert', 'add', 'alertname=DiskFull', 'node=db-2', '--generator-url=http://example.org/graph']);
    const found = await until('both to be told', SOON_MS, async () => {
      const alerts = await query('alertname=DiskFull');
      return alerts.length === 2 ? alerts : undefined;
    });
    expect(found.map(({ labels }) => labels.node).sort()).toEqual(['db-1', 'db-2']);
    expect((await query('alertname=DiskFull', 'node=~.*-2')).map(({ labels }) => labels.node)).toEqual(['db-2']);
    expect(await query('alertname=Other')).toEqual([]);
    expect(await amtool(['alert', 'query', 'DiskFull'])).toContain('The disk is full');
    expect(await amtool(['-o', 'extended', 'alert', 'query', 'DiskFull'])).toContain('http://example.org/graph');

    await amtool([
      'alert',
      'add',
      'alertname=DiskFull',
      'node=db-1',
      '--end=2020-01-01T00:00:00Z',
      '--start=2019-01-01T00:00:00Z',
    ]);
    await amtool(['alert', 'add', 'alertname=DiskFull', 'node=db-2', `--end=${new Date().toISOString()}`]);
    await until('the second to be over', SOON_MS, async () => {
      const left = await query('alertname=DiskFull');
      // What ended in 2020 is an earlier episode of the first: it fires still.
      return left.length === 1 && left[0]?.labels.node === 'db-1';
    });
  });

  it('is told nothing without the token, and what is wrong with a matcher', async () => {
    await expect(amtool(['alert', 'query'], { config: httpConfig('wrong') })).rejects.toThrow(/401/);
    await expect(amtool(['alert', 'query', 'a=~"("'])).rejects.toThrow(
      /filter: line 1, column \d+: expected a comma or the end, found/,
    );
    await expect(amtool(['alert', 'query', '--receiver=('])).rejects.toThrow(
      'receiver: found "(", expected a regular expression',
    );
  });

  it('prints why an alert, or a silence, is not taken', async () => {
    await expect(amtool(['alert', 'add', 'alertname='])).rejects.toThrow(
      'alerts[0].labels: found 1 without a value, expected at least one label with a value',
    );
    await expect(amtool(['silence', 'add', 'alertname=DiskFull', '--comment=x'])).rejects.toThrow(
      'does not listen at "/api/v2/silences"',
    );
  });

  it('sees nothing of another source, and may be asked under any name of this server', async () => {
    await send(one.url, team, [{ status: 'firing', labels: { alertname: 'Mine' } }]);
    await until('it to be told', SOON_MS, async () => (await query('alertname=Mine')).length === 1);
    const other = await aTeam({ assets: inject('assets'), kubeconfig: inject('kubeconfig') });
    await untilKnown(one.url, other);
    const answer = await fetch(`${one.url}/alerts/${other.namespace}/prom/api/v2/alerts`, {
      headers: { authorization: `Bearer ${other.token}` },
    });
    expect(await answer.json()).toEqual([]);
  });

  it('reads status, receivers, silences and groups, as Grafana does', async () => {
    const headers = { authorization: `Bearer ${team.token}` };
    for (const path of ['status', 'receivers', 'silences', 'alerts/groups']) {
      const answer = await fetch(`${source()}/api/v2/${path}`, { headers });
      expect([path, answer.status]).toEqual([path, 200]);
    }
    expect((await fetch(`${source()}/api/v2/other`, { headers })).status).toBe(404);
    expect(await amtool(['silence', 'query'])).not.toContain('error');
    expect(await amtool(['cluster', 'show'])).toContain('disabled');
  });
});
