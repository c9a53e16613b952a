/** What etcd itself counts: how often a key was written since it was made. The proof for every write budget. */

export const PREFIX = '/registry/funnelai.dev';

interface RangeAnswer {
  kvs?: { key: string; version: string }[];
}

async function range(etcdUrl: string, from: string, to?: string): Promise<Map<string, number>> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const response = await fetch(`${etcdUrl}/v3/kv/range`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: base64(from), ...(to ? { range_end: base64(to) } : {}), keys_only: true }),
  });
  if (!response.ok) throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
  const { kvs = [] } = (await response.json()) as RangeAnswer;
  return new Map(kvs.map(({ key, version }) => [Buffer.from(key, 'base64').toString('utf8'), Number(version)]));
}

/** How often this object was written, its create included; 0 when it is not there. */
export async function writesOf(etcdUrl: string, plural: string, namespace: string, name: string): Promise<number> {
  const key = `${PREFIX}/${plural}/${namespace}/${name}`;
  return (await range(etcdUrl, key)).get(key) ?? 0;
}

/** Writes of each object of that kind in the namespace, by name. */
export async function writesIn(etcdUrl: string, plural: string, namespace: string): Promise<Map<string, number>> {
  const start = `${PREFIX}/${plural}/${namespace}/`;
  // '0' is the character after '/': the end of everything below that directory.
  const found = await range(etcdUrl, start, `${start.slice(0, -1)}0`);
  return new Map([...found].map(([key, version]) => [key.slice(start.length), version]));
}

export interface Write {
  key: string;
  /** How often the key had been written with this one; 0 for a deletion. */
  version: number;
  isDeletion: boolean;
  /** When it was seen, on a clock that only goes forward. */
  atMs: number;
}

export interface WriteLog {
  /** Everything that was written since, oldest first. */
  readonly writes: readonly Write[];
  stop(): void;
}

interface WatchAnswer {
  result?: { created?: boolean; events?: { type?: 'DELETE'; kv: { key: string; version?: string } }[] };
}

/**
 * Watches every write below `directory` ("/registry/…/") from now on, deletions included: a key that is gone has no version any more.
 * Resolves once etcd has begun to tell.
 */
export async function recordWrites(etcdUrl: string, directory: string): Promise<WriteLog> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const ending = new AbortController();
  const response = await fetch(`${etcdUrl}/v3/watch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      create_request: { key: base64(directory), range_end: base64(`${directory.slice(0, -1)}0`) },
    }),
    signal: ending.signal,
  });
  const writes: Write[] = [];
  const begun = Promise.withResolvers<void>();
  const read = async () => {
    let rest = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { result } = JSON.parse(line) as WatchAnswer;
        if (result?.created) begun.resolve();
        for (const { type, kv } of result?.events ?? []) {
          const key = Buffer.from(kv.key, 'base64').toString('utf8');
          writes.push({
            key,
            version: Number(kv.version ?? 0),
            isDeletion: type === 'DELETE',
            atMs: performance.now(),
          });
        }
      }
    }
  };
  read().catch((error: unknown) => begun.reject(error));
  await begun.promise;
  return { writes, stop: () => ending.abort() };
}
