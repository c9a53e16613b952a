import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKubeClient, type KubeClient } from './client.ts';
import type { Credentials } from './credentials.ts';
import { isAlreadyExists, isConflict, isInvalid, isNamespaceTerminating, KubeError } from './errors.ts';
import { FakeClock } from './test-clock.ts';
import {
  aConfigMap,
  acceptWatch,
  aList,
  bookmark,
  CONFIG_MAPS,
  event,
  inTurn,
  type ScriptedServer,
  startScriptedServer,
  status,
} from './testing/scripted-server.ts';
import { until } from './testing/until.ts';

let server: ScriptedServer;
let clock: FakeClock;
let client: KubeClient;

beforeEach(async () => {
  server = await startScriptedServer();
  clock = new FakeClock();
  client = createKubeClient(server.connection(), { clock, poolSize: 4 });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

const caught = async (promise: Promise<unknown>): Promise<KubeError> => {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(KubeError);
  return error as KubeError;
};
const key = { namespace: 'default', name: 'a' };

describe('the pool', () => {
  it('sends any number of calls over no more connections than it may have, and keeps them', async () => {
    server.answer((_, reply) => reply.json(200, aConfigMap()));
    await Promise.all(Array.from({ length: 200 }, () => client.get(CONFIG_MAPS, key)));
    await Promise.all(Array.from({ length: 200 }, () => client.withToken('t').get(CONFIG_MAPS, key)));
    expect(server.seen).toHaveLength(400);
    expect(server.connections.total).toBeLessThanOrEqual(4);
  });

  it('gives each watch a connection of its own, so that watches cannot starve calls', async () => {
    server.answer((seen, reply) => (seen.isWatch ? reply.accept() : reply.json(200, aConfigMap())));
    const stop = new AbortController();
    const all = async () => {
      let events = 0;
      for await (const _ of client.watch(CONFIG_MAPS, { resourceVersion: '1' }, stop.signal)) events++;
      return events;
    };
    const watches = Array.from({ length: 6 }, all);
    await until('six watches', () => server.streams.length === 6);
    await client.get(CONFIG_MAPS, key);
    stop.abort();
    expect(await Promise.all(watches)).toEqual([0, 0, 0, 0, 0, 0]);
    await until('their connections are gone', () => server.connections.open === 1);
  });
});

describe('requests', () => {
  it('addresses core and named groups, all namespaces and one, and subresources', async () => {
    server.answer((_, reply) => reply.json(200, aList([], '1')));
    const incidents = {
      group: 'funnelai.dev',
      version: 'v1alpha1',
      plural: 'incidents',
      kind: 'Incident',
      namespaced: true,
    };
    await client.list(CONFIG_MAPS, { limit: 5 });
    await client.list(incidents, { namespace: 'pay', labelSelector: 'a=b' });
    await client.mergePatch(incidents, { namespace: 'pay', name: 'x' }, { status: {} }, { subresource: 'status' });
    await client.apply(CONFIG_MAPS, aConfigMap(), { fieldManager: 'me', force: true });
    expect(server.seen.map((s) => [s.method, s.path, s.query.toString(), s.headers['content-type']])).toEqual([
      ['GET', '/api/v1/configmaps', 'limit=5', undefined],
      ['GET', '/apis/funnelai.dev/v1alpha1/namespaces/pay/incidents', 'labelSelector=a%3Db', undefined],
      ['PATCH', '/apis/funnelai.dev/v1alpha1/namespaces/pay/incidents/x/status', '', 'application/merge-patch+json'],
      [
        'PATCH',
        '/api/v1/namespaces/default/configmaps/a',
        'fieldManager=me&force=true',
        'application/apply-patch+yaml',
      ],
    ]);
  });

  it.each(['', '..', 'a/b', 'a%2fb', 'a?b', 'a b'])('never builds a path from the name %j', async (name) => {
    expect(await caught(client.get(CONFIG_MAPS, { namespace: 'default', name }))).toMatchObject({
      status: 400,
      transient: false,
    });
    expect(await caught(client.delete(CONFIG_MAPS, { namespace: name, name: 'a' }))).toMatchObject({ status: 400 });
    expect(server.seen).toHaveLength(0);
  });

  it('fills in what the items of a built-in list lack', async () => {
    server.answer((_, reply) =>
      reply.json(200, { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'x' } }] }),
    );
    expect((await client.list(CONFIG_MAPS)).items).toEqual([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } },
    ]);
  });

  it('acts as another person with nothing but the token', async () => {
    const credentials: Credentials = {
      current: async () => ({
        headers: { authorization: 'Bearer ours', 'impersonate-user': 'root' },
        tls: { rejectUnauthorized: true },
      }),
      refresh: async () => false,
      movedFrom: async () => false,
    };
    const own = createKubeClient(server.connection(credentials), { clock });
    server.answer((_, reply) => reply.json(200, aConfigMap()));
    await own.withToken('anas').get(CONFIG_MAPS, key);
    await own.get(CONFIG_MAPS, key);
    expect(server.seen.map((s) => [s.headers.authorization, s.headers['impersonate-user']])).toEqual([
      ['Bearer anas', undefined],
      ['Bearer ours', 'root'],
    ]);
    expect(await caught(own.withToken('a\r\nb').get(CONFIG_MAPS, key))).toMatchObject({ status: 401 });
    await own.close();
  });

  it('reads credentials anew when they are refused, and asks once more', async () => {
    let token = 'old';
    const credentials: Credentials = {
      current: async () => ({ headers: { authorization: `Bearer ${token}` }, tls: { rejectUnauthorized: true } }),
      refresh: async () => {
        const changed = token !== 'new';
        token = 'new';
        return changed;
      },
      movedFrom: async () => false,
    };
    const own = createKubeClient(server.connection(credentials), { clock });
    server.answer((seen, reply) =>
      seen.headers.authorization === 'Bearer new'
        ? reply.json(201, aConfigMap())
        : reply.json(401, status(401, 'Unauthorized', 'Unauthorized')),
    );
    await own.create(CONFIG_MAPS, aConfigMap());
    token = 'bad';
    server.answer((_, reply) => reply.json(401, status(401, 'Unauthorized', 'Unauthorized')));
    expect(await caught(own.get(CONFIG_MAPS, key))).toMatchObject({ status: 401, transient: false });
    expect(server.seen).toHaveLength(4);
    await own.close();
  });
});

describe('refusals', () => {
  it('carries reason, field causes and how long to wait', async () => {
    const details = {
      kind: 'Incident',
      causes: [{ field: 'spec.phase', reason: 'FieldValueInvalid', message: 'cannot go there' }],
    };
    server.answer((_, reply) => reply.json(422, status(422, 'Invalid', 'Incident "x" is invalid', details)));
    const error = await caught(client.create(CONFIG_MAPS, aConfigMap()));
    expect(isInvalid(error)).toBe(true);
    expect(error).toMatchObject({ reason: 'Invalid', transient: false, perhapsStored: false, causes: details.causes });
    expect(error.message).toContain('Incident "x" is invalid');
  });

  it('tells a conflict, worth a fresh read, from a name that is taken, which is not', async () => {
    server.answer(
      inTurn(
        (_, reply) => reply.json(409, status(409, 'Conflict', 'changed')),
        (_, reply) => reply.json(409, status(409, 'AlreadyExists', 'taken')),
        (_, reply) => reply.json(403, status(403, 'Forbidden', 'x', { causes: [{ reason: 'NamespaceTerminating' }] })),
      ),
    );
    const conflict = await caught(client.replace(CONFIG_MAPS, aConfigMap()));
    const taken = await caught(client.create(CONFIG_MAPS, aConfigMap()));
    const ending = await caught(client.create(CONFIG_MAPS, aConfigMap()));
    expect([isConflict(conflict), isAlreadyExists(conflict), conflict.transient]).toEqual([true, false, true]);
    expect([isConflict(taken), isAlreadyExists(taken), taken.transient]).toEqual([false, true, false]);
    expect([isNamespaceTerminating(ending), ending.transient]).toEqual([true, false]);
  });

  it('understands answers that are no Status', async () => {
    server.answer((_, reply) => reply.json(502, '<html>Bad gateway'));
    const error = await caught(client.create(CONFIG_MAPS, aConfigMap()));
    expect(error).toMatchObject({ status: 502, reason: 'HTTP502', transient: true, perhapsStored: true });
    expect(error.message).toContain('Bad gateway');
  });

  it.each([
    [429, { 'retry-after': '1' }],
    [503, { 'retry-after': '1' }],
  ])(
    'repeats even a write after %i with Retry-After, when the server said so and not before',
    async (code, headers) => {
      server.answer(
        inTurn(
          (_, reply) => reply.json(code, status(code, 'TooManyRequests', 'later'), headers),
          (_, reply) => reply.json(201, aConfigMap({ rv: '9' })),
        ),
      );
      const created = client.create(CONFIG_MAPS, aConfigMap());
      await until('it waits', () => clock.pending() === 2);
      await clock.advance(999);
      expect(server.seen).toHaveLength(1);
      await clock.advance(1);
      expect((await created).metadata.resourceVersion).toBe('9');
    },
  );

  it('stops repeating: after four attempts, or when asked to wait for long', async () => {
    server.answer((_, reply) => reply.json(429, status(429, 'TooManyRequests', 'later'), { 'retry-after': '0' }));
    const first = caught(client.get(CONFIG_MAPS, key));
    await until('it gave up', async () => {
      await clock.advance(1);
      return server.seen.length === 4;
    });
    expect(await first).toMatchObject({ status: 429, transient: true, perhapsStored: false });
    server.answer((_, reply) => reply.json(429, status(429, 'TooManyRequests', 'later'), { 'retry-after': '60' }));
    expect(await caught(client.get(CONFIG_MAPS, key))).toMatchObject({ retryAfterMs: 60_000 });
    expect(server.seen).toHaveLength(5);
  });

  it.each([500, 503, 504])('never repeats a write after a bare %i, and says that it may be stored', async (code) => {
    server.answer((_, reply) => reply.json(code, status(code, 'X', 'etcdserver: request timed out')));
    expect(await caught(client.create(CONFIG_MAPS, aConfigMap()))).toMatchObject({
      transient: true,
      perhapsStored: true,
    });
    expect(server.seen).toHaveLength(1);
  });
});

describe('no answer', () => {
  it('gives up at the deadline, and says that the write may be stored', async () => {
    server.answer(() => {});
    const error = caught(client.create(CONFIG_MAPS, aConfigMap(), { timeoutMs: 2_000 }));
    await until('the request is there', () => server.seen.length === 1);
    await clock.advance(2_000);
    expect(await error).toMatchObject({ status: 0, reason: 'Timeout', transient: true, perhapsStored: true });
    await until('the connection is given up', () => server.connections.open === 0);
  });

  it('has a deadline for an answer that drips, too', async () => {
    server.answer((_, reply) => {
      reply.accept();
      reply.bytes('{"metadata":');
    });
    const error = caught(client.get(CONFIG_MAPS, key));
    await until('the answer began', () => server.streams.length === 1);
    await clock.advance(15_000);
    expect(await error).toMatchObject({ reason: 'Timeout', perhapsStored: false });
  });

  it('gives up at the deadline, too, when nobody takes up the connection, or all of them are busy', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const hung = createKubeClient({ ...server.connection(), server: `https://127.0.0.1:${port}` }, { clock });
    server.answer(() => {});
    const busy = Array.from({ length: 4 }, () => caught(client.get(CONFIG_MAPS, key)));
    await until('all connections are busy', () => server.seen.length === 4);
    const began = performance.now();
    const late = [hung, client].map((one) => caught(one.get(CONFIG_MAPS, key, { timeoutMs: 1_000 })));
    await until('one waits for a handshake', () => sockets.length === 1);
    await clock.advance(1_000);
    for (const error of await Promise.all(late)) expect(error).toMatchObject({ reason: 'Timeout', transient: true });
    expect(performance.now() - began).toBeLessThan(3_000);
    await clock.advance(15_000);
    await Promise.all(busy);
    expect(server.seen).toHaveLength(4);
    await hung.close();
    mute.close();
  });

  it('lets the caller give up', async () => {
    server.answer(() => {});
    const stop = new AbortController();
    const error = caught(client.mergePatch(CONFIG_MAPS, key, {}, { signal: stop.signal }));
    await until('the request is there', () => server.seen.length === 1);
    stop.abort();
    expect(await error).toMatchObject({ reason: 'Aborted', perhapsStored: true });
    expect(await caught(client.create(CONFIG_MAPS, aConfigMap(), { signal: stop.signal }))).toMatchObject({
      perhapsStored: false,
    });
  });

  it('knows that nothing was stored when nobody listens', async () => {
    await server.close();
    expect(await caught(client.create(CONFIG_MAPS, aConfigMap()))).toMatchObject({
      status: 0,
      reason: 'ConnectionFailed',
      transient: true,
      perhapsStored: false,
    });
    server = await startScriptedServer();
  });

  it('counts a write as perhaps stored when its answer breaks off, and repeats a read', async () => {
    server.answer((_, reply) => {
      reply.accept();
      reply.bytes('{"metadata":{');
      reply.cut();
    });
    expect(await caught(client.create(CONFIG_MAPS, aConfigMap()))).toMatchObject({ status: 0, perhapsStored: true });
    server.answer(
      inTurn(
        (_, reply) => reply.cut(),
        (_, reply) => reply.json(200, aConfigMap()),
      ),
    );
    expect(await client.get(CONFIG_MAPS, key)).toEqual(aConfigMap());
  });
});

describe('a watch', () => {
  /** Events as they come; `done` resolves with what ended the watch. */
  const follow = (o: { silenceMs?: number } = {}) => {
    const events: string[] = [];
    const run = async () => {
      for await (const e of client.watch(CONFIG_MAPS, { resourceVersion: '1', ...o })) {
        events.push(`${e.type} ${e.object.metadata.name ?? ''}@${e.object.metadata.resourceVersion}`);
      }
    };
    return {
      events,
      done: run().then(
        () => undefined,
        (e: KubeError) => e,
      ),
    };
  };
  const collect = async () => {
    const { events, done } = follow();
    const error = await done;
    return { events, error };
  };

  it('reads lines however they are cut, within a character too, and ends quietly', async () => {
    const whole = Buffer.from(
      [
        event('ADDED', aConfigMap({ name: 'zürich', rv: '2' })),
        event('DELETED', aConfigMap({ name: 'ürün', rv: '3' })),
        bookmark('4'),
      ]
        .map((e) => `${JSON.stringify(e)}\n`)
        .join('\r\n'),
    );
    server.answer(async (_, reply) => {
      reply.accept();
      for (const byte of whole) {
        reply.bytes(Buffer.from([byte]));
        if (byte > 127) await new Promise((resolve) => setImmediate(resolve));
      }
      reply.end();
    });
    expect(await collect()).toEqual({ events: ['ADDED zürich@2', 'DELETED ürün@3', 'BOOKMARK @4'], error: undefined });
  });

  it.each([
    ['garbage', '<html>\n'],
    ['an event without a version', '{"type":"ADDED","object":{"metadata":{}}}\n'],
    ['an unknown type', '{"type":"RENAMED","object":{"metadata":{"resourceVersion":"2"}}}\n'],
    ['a line cut short', '{"type":"ADDED","object":{"metadata":{"resou'],
  ])('takes %s for an error, after the events before it', async (_, bytes) => {
    server.answer((_, reply) => {
      reply.accept();
      reply.line(event('ADDED', aConfigMap({ rv: '2' })));
      reply.bytes(bytes);
      reply.end();
    });
    const { events, error } = await collect();
    expect(events).toEqual(['ADDED a@2']);
    expect(error).toMatchObject({ reason: 'WatchGarbled', transient: true });
  });

  it('throws for a refusal and for an ERROR event alike', async () => {
    server.answer((_, reply) => reply.json(410, status(410, 'Expired', 'too old')));
    expect((await collect()).error).toMatchObject({ status: 410, reason: 'Expired' });
    server.answer((_, reply) => {
      reply.accept();
      reply.line({ type: 'ERROR', object: status(410, 'Expired', 'too old') });
    });
    expect((await collect()).error).toMatchObject({ status: 410, reason: 'Expired' });
  });

  it('takes silence for death, bookmarks for life', async () => {
    server.answer(acceptWatch);
    const watched = follow({ silenceMs: 90_000 });
    const stream = await until('the watch', () => server.streams[0]);
    await until('its watchdog', () => clock.pending() === 1);
    for (const [at, rv] of ['2', '3', '4'].entries()) {
      await clock.advance(60_000);
      stream.line(bookmark(rv));
      await until(`bookmark ${rv}`, () => watched.events.length === at + 1);
    }
    await clock.advance(89_999);
    expect(server.connections.open).toBe(1);
    await clock.advance(1);
    expect(await watched.done).toMatchObject({ reason: 'WatchSilent', transient: true });
    await until('the connection is given up', () => server.connections.open === 0);
  });

  it('does not wait for ever to be accepted', async () => {
    server.answer(() => {});
    const watched = follow();
    await until('the request', () => server.seen.length === 1);
    await clock.advance(30_000);
    expect(await watched.done).toMatchObject({ reason: 'Timeout' });
  });
});
