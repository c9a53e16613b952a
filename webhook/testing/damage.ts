/** Damages recorded bodies as careless senders, proxies and attackers do: fields lost, doubled, retyped, nested, renamed; bytes broken. */
import fc from 'fast-check';

/** One wound: `at` picks a value anywhere in the document, `with` what is put there. */
export interface Wound {
  kind: 'drop' | 'retype' | 'nest' | 'twin' | 'swap' | 'rename' | 'bury';
  at: number;
  other: number;
  with: unknown;
}
export interface BrokenBytes {
  kind: 'flip' | 'cut' | 'insert';
  at: number;
}

const STRANGE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  ' ',
  'resolved',
  'firing',
  '0001-01-01T00:00:00Z',
  '2026-03-01T14:02:10.123456789+09:00',
  '1772373730000',
  '99999999999999999999999',
  'not a time',
  'javascript:alert(1)',
  'https://user:secret@host.example/x',
  '\u0000\ud800',
  'тревога/警報 🔥',
  'x'.repeat(20_000),
  [],
  {},
  [[[]]],
  { toString: 'x', length: -1 },
];
const NAMES = ['__proto__', 'constructor', 'toString', 'a/b c', 'ярлык', '', 'hasOwnProperty'];

export const wound: fc.Arbitrary<Wound> = fc.record({
  kind: fc.constantFrom('drop', 'retype', 'nest', 'twin', 'swap', 'rename', 'bury'),
  at: fc.nat(),
  other: fc.nat(),
  with: fc.oneof(fc.constantFrom(...STRANGE), fc.jsonValue()),
});
export const brokenBytes: fc.Arbitrary<BrokenBytes> = fc.record({
  kind: fc.constantFrom('flip', 'cut', 'insert'),
  at: fc.nat(),
});

/** Returns the body with these wounds: of a JSON document, or of one line of JSON lines; of other bodies only bytes are broken. */
export function damaged(body: Buffer, wounds: readonly Wound[], bytes: BrokenBytes | null): Buffer {
  const documents = documentsOf(body);
  if (documents === undefined) return breakBytes(body, bytes ?? { kind: 'flip', at: wounds[0]?.at ?? 0 });
  const which = (wounds[0]?.at ?? 0) % documents.length;
  const wounded = documents.map((document, i) => (i === which ? wounds.reduce(inflict, document) : document));
  const text = Buffer.from(wounded.map((document) => JSON.stringify(document) ?? 'null').join('\n'), 'utf8');
  return bytes === null ? text : breakBytes(text, bytes);
}

/** Where in a body further alerts may stand: as a line, as a list around the document, or in a list inside it. */
export type Batch = 'lines' | 'root' | readonly string[];

/** Returns the places where a second copy of what is there makes one alert more. */
export async function batchesIn(body: Buffer, countOf: (body: Buffer) => Promise<number>): Promise<Batch[]> {
  const documents = documentsOf(body);
  const [document] = documents ?? [];
  if (documents === undefined || document === undefined) return [];
  const places: Batch[] = ['lines', 'root', ...listsIn(document, [])];
  const alone = await countOf(body);
  const found: Batch[] = [];
  for (const place of places) if ((await countOf(withNeighbour(body, place, [], false))) > alone) found.push(place);
  return found;
}

/** Returns the body with a damaged copy of its alert before or behind the good one. */
export function withNeighbour(body: Buffer, place: Batch, wounds: readonly Wound[], isFirst: boolean): Buffer {
  const [document] = documentsOf(body) ?? [];
  const pair = (good: unknown): unknown[] => {
    const bad = wounds.reduce(inflict, structuredClone(good));
    return isFirst ? [bad, good] : [good, bad];
  };
  if (place === 'lines')
    return Buffer.from(
      pair(document)
        .map((one) => JSON.stringify(one) ?? 'null')
        .join('\n'),
      'utf8',
    );
  if (place === 'root')
    return Buffer.from(JSON.stringify(Array.isArray(document) ? document.flatMap(pair) : pair(document)));
  const copy = structuredClone(document);
  const list = place.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], copy) as unknown[];
  list.splice(0, 1, ...pair(list[0]));
  return Buffer.from(JSON.stringify(copy), 'utf8');
}

/** The documents of a JSON body, or of JSON lines; undefined for any other. */
function documentsOf(body: Buffer): unknown[] | undefined {
  const text = body.toString('utf8');
  for (const parts of [[text], text.split('\n').filter((line) => line.trim() !== '')]) {
    try {
      return parts.map((part) => JSON.parse(part) as unknown);
    } catch {
      // The next way of reading it.
    }
  }
  return undefined;
}

function breakBytes(body: Buffer, { kind, at }: BrokenBytes): Buffer {
  const where = at % (body.length + 1);
  if (kind === 'cut') return body.subarray(0, where);
  const inserted = Buffer.from([at % 256]);
  return Buffer.concat([body.subarray(0, where), inserted, body.subarray(kind === 'insert' ? where : where + 1)]);
}

type Holder = Record<string, unknown> | unknown[];
const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

/** Every place of the document: what holds it, and under which name. The document itself is held by a list of one. */
function placesIn(holder: Holder): [Holder, string][] {
  return Object.entries(holder).flatMap(([key, value]): [Holder, string][] => [
    [holder, key],
    ...(isHolder(value) ? placesIn(value) : []),
  ]);
}

function listsIn(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (!isHolder(value)) return [];
  const own = Array.isArray(value) && value.length > 0 && path.length > 0 ? [path] : [];
  return [...own, ...Object.entries(value).flatMap(([key, inner]) => listsIn(inner, [...path, key]))];
}

/** Changes a copy: the wound may hit the document itself. */
function inflict(document: unknown, { kind, at, other, with: strange }: Wound): unknown {
  const root: [unknown] = [structuredClone(document)];
  const places = placesIn(root);
  const [holder, key] = places[at % places.length] ?? [root, '0'];
  const [otherHolder, otherKey] = places[other % places.length] ?? [root, '0'];
  const value = heldAt(holder, key);
  if (kind === 'drop') remove(holder, key);
  else if (kind === 'retype') put(holder, key, strange);
  else if (kind === 'nest') put(holder, key, other % 2 === 0 ? [value] : { [key]: value });
  else if (kind === 'bury') put(holder, key, JSON.stringify(value) ?? '');
  else if (kind === 'rename') {
    remove(holder, key);
    put(holder, Array.isArray(holder) ? key : (NAMES[other % NAMES.length] ?? ''), value);
  } else if (kind === 'twin') {
    if (Array.isArray(holder)) holder.push(value);
    else put(holder, `${key}2`, value);
  } else if (!placesIn([value]).some(([inside]) => inside === otherHolder)) {
    // A value is never put inside itself.
    const swapped = heldAt(otherHolder, otherKey);
    if (!placesIn([swapped]).some(([inside]) => inside === holder)) {
      put(holder, key, swapped);
      put(otherHolder, otherKey, value);
    }
  }
  return root[0];
}

const heldAt = (holder: Holder, key: string): unknown => (holder as Record<string, unknown>)[key];

/** As JSON.parse would: also a name like __proto__ becomes a property like any other. */
function put(holder: Holder, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function remove(holder: Holder, key: string): void {
  if (Array.isArray(holder) && holder.length > 1) holder.splice(Number(key), 1);
  else if (!Array.isArray(holder)) delete holder[key];
}
