/** What etcd itself counts: how often a key was written since it was made. The proof for every write budget. */

const PREFIX = '/registry/funnelai.dev';

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
