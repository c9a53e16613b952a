import { userOf } from '@funnelai/test/harness/users';
import { until } from '@funnelai/test/harness/wait';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { STREAM_RECHECK_MS } from './limits.ts';
import { listen } from './testing/listen.ts';
import { ask, aTeam, type Running, send, startInProcess, type Team, untilKnown } from './testing/world.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let app: Running;
let team: Team;
beforeAll(async () => {
  team = await aTeam(stage);
  app = await startInProcess(stage.kubeconfig);
  await untilKnown(app.url, team);
});
afterAll(() => app?.stop());

describe('the live stream', () => {
  it('shows a kubectl patch within a second, an alert that comes in, and what is deleted', async () => {
    const { name } = (
      await ask(app.url, 'ana', `/api/incidents/${team.namespace}`, {
        method: 'POST',
        body: { title: 'Live', severity: 'Low' },
      })
    ).body;
    const stream = await listen(app.url, 'viewer', `?namespace=${team.namespace}`);
    expect([stream.status, stream.type]).toEqual([200, 'text/event-stream; charset=utf-8']);
    await until('hello', 2_000, () => stream.events[0]?.type === 'hello');
    const patch = ['incidents.funnelai.dev', name, '-n', team.namespace, '--type=merge'];
    await team.kubectl.run(['patch', ...patch, '-p', '{"spec":{"title":"By kubectl"}}'], { as: 'bo' });
    await until('the patch on the stream', 1_000, () =>
      stream.events.some((e) => e.incidents?.some((i) => i.title === 'By kubectl')),
    );
    await send(app.url, team, [{ status: 'firing', labels: { alertname: 'Live' } }]);
    await until('the alert on the stream', 1_000, () => stream.events.some((e) => (e.alerts?.length ?? 0) > 0));
    await team.kubectl.run(['patch', ...patch, '-p', '{"metadata":{"finalizers":null}}']);
    await team.kubectl.run(['delete', 'incidents.funnelai.dev', name, '-n', team.namespace]);
    await until('the deletion on the stream', 2_000, () =>
      stream.events.some((e) => e.deleted?.some((d) => d.name === name && d.kind === 'Incident')),
    );
    stream.close();
  });

  it('is for those who may watch, and holds nothing of other namespaces', async () => {
    expect((await listen(app.url, 'stranger', `?namespace=${team.namespace}`)).status).toBe(403);
    expect((await listen(app.url, 'ana', '')).status).toBe(403);
    const other = await aTeam(stage);
    await untilKnown(app.url, other);
    const [mine, all] = await Promise.all([
      listen(app.url, 'ana', `?namespace=${team.namespace}`),
      listen(app.url, 'admin', ''),
    ]);
    await send(app.url, other, [{ status: 'firing', labels: { alertname: 'Elsewhere' } }]);
    await until('the alert on the stream of all', 2_000, () =>
      all.events.some((e) => e.alerts?.some((a) => a.namespace === other.namespace)),
    );
    expect(mine.events.flatMap((e) => e.alerts ?? []).filter((a) => a.namespace !== team.namespace)).toEqual([]);
    mine.close();
    all.close();
  });

  it('ends, and says so, when the right is taken away', async () => {
    const own = await aTeam(stage);
    const stream = await listen(app.url, 'viewer', `?namespace=${own.namespace}`);
    expect(stream.status).toBe(200);
    await own.kubectl.run(['delete', 'rolebinding', 'funnelai-viewer', '-n', own.namespace]);
    await until('the stream to end', STREAM_RECHECK_MS + 10_000, () => stream.ended());
    expect(stream.events.at(-1)).toEqual({ type: 'bye', reason: 'revoked' });
  });

  it('ends at once for whom signs out, and for nobody else', async () => {
    const query = `?namespace=${team.namespace}`;
    const [gone, other] = await Promise.all([listen(app.url, 'bo', query), listen(app.url, 'ana', query)]);
    const answer = await fetch(`${app.url}/api/session`, {
      method: 'DELETE',
      headers: { cookie: `funnelai_session=1:${userOf('bo').token}`, 'x-funnelai': '1', origin: app.url },
    });
    expect(answer.status).toBe(204);
    await until('the stream to end', 1_000, () => gone.ended());
    expect(gone.events.at(-1)).toEqual({ type: 'bye', reason: 'signedOut' });
    expect([other.ended(), other.events.map((e) => e.type)]).toEqual([false, ['hello']]);
    other.close();
  });

  it('ends at once when the webhook goes, and does not hold it', async () => {
    const brief = await startInProcess(stage.kubeconfig);
    const stream = await listen(brief.url, 'ana', `?namespace=${team.namespace}`);
    await until('hello', 2_000, () => stream.events.length > 0);
    const began = performance.now();
    await brief.stop();
    expect(performance.now() - began).toBeLessThan(3_000);
    await until('the stream to end', 1_000, () => stream.ended());
    expect(stream.events.at(-1)).toEqual({ type: 'bye', reason: 'shutdown' });
  });
});
