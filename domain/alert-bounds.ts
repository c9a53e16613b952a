/**
 * Keeps labels and annotations within 8 KiB together, cutting the longest values first, so that what rules match on (short
 * labels) stays whole for as long as anything does.
 */
import { cleanText, cutBytes, headBytes, utf8Bytes } from './bytes.ts';
import { byCodeUnit, type Labels, labelsFrom, sortNames } from './labels.ts';

/** Labels and annotations together: names and values. */
export const TEXT_MAX_BYTES = 8192;
/** What labels may take of it when annotations want the rest. */
const LABELS_MAX_BYTES = 6144;
/** Entries of one map. */
export const ENTRIES_MAX = 256;
/** A longer name is cut; the first of two that become equal stays. */
export const NAME_MAX_BYTES = 256;

type Entry = [name: string, value: string];

/** Returns both maps within bounds, without empty names and values, and says in `notes` what was cut. */
export function bounded(labels: Labels, annotations: Labels, notes: string[]): { labels: Labels; annotations: Labels } {
  const most = mostBytes(labels);
  if (most <= LABELS_MAX_BYTES && most + mostBytes(annotations) <= TEXT_MAX_BYTES) {
    const [plain, told] = [inOrder(labels), inOrder(annotations)];
    if (plain !== undefined && told !== undefined) return { labels: plain, annotations: told };
  }
  const [l, a] = [cleaned(labels), cleaned(annotations)];
  const [labelBytes, annotationBytes] = [size(l), size(a)];
  const forLabels = Math.max(LABELS_MAX_BYTES, TEXT_MAX_BYTES - annotationBytes);
  const keptLabels = fit(l, forLabels, 'label', notes);
  const keptAnnotations = fit(a, TEXT_MAX_BYTES - Math.min(labelBytes, size(keptLabels)), 'annotation', notes);
  return { labels: labelsFrom(keptLabels), annotations: labelsFrom(keptAnnotations) };
}

/** Three bytes a unit: what is within its bounds by this need not be counted, as nearly no map need be. */
function mostBytes(map: Labels): number {
  let units = 0;
  for (const name of Object.keys(map)) units += name.length + (map[name] ?? '').length;
  return units * 3;
}

/** The map with its names sorted and without empty names and values; undefined where something in it has to be cut or cleaned. */
function inOrder(map: Labels): Labels | undefined {
  const names = Object.keys(map);
  if (names.length > ENTRIES_MAX) return undefined;
  let isSorted = true;
  let isWhole = true;
  let before = '';
  for (const name of names) {
    const value = map[name] ?? '';
    if (name.length * 3 > NAME_MAX_BYTES || cleanText(name) !== name || cleanText(value) !== value) return undefined;
    isWhole &&= name !== '' && value !== '';
    isSorted &&= byCodeUnit(before, name) <= 0;
    before = name;
  }
  if (isWhole && isSorted) return map;
  const kept = isWhole ? names : names.filter((name) => name !== '' && map[name] !== '');
  if (!isSorted) sortNames(kept);
  // As assigning would make of this one name something else.
  if (kept.includes('__proto__')) return labelsFrom(kept.map((name): Entry => [name, map[name] ?? '']));
  const ordered: Labels = {};
  for (const name of kept) ordered[name] = map[name] ?? '';
  return ordered;
}

function cleaned(map: Labels): Entry[] {
  const kept = new Map<string, string>();
  for (const [name, value] of Object.entries(map).sort(([x], [y]) => byCodeUnit(x, y))) {
    const key = cutBytes(cleanText(name), NAME_MAX_BYTES);
    if (key !== '' && value !== '' && !kept.has(key)) kept.set(key, cleanText(value));
  }
  return [...kept];
}

const bytes = ([name, value]: Entry): number => utf8Bytes(name) + utf8Bytes(value);
const size = (entries: Entry[]): number => entries.reduce((sum, entry) => sum + bytes(entry), 0);

/** Values are cut to one common length, the largest that fits; only when not even names fit are whole entries left out. */
function fit(entries: Entry[], budget: number, what: string, notes: string[]): Entry[] {
  const few = entries.slice(0, ENTRIES_MAX);
  let kept = few;
  while (kept.length > 0 && kept.reduce((sum, [name]) => sum + utf8Bytes(name) + SHORTEST_VALUE, 0) > budget)
    kept = withoutLargest(kept);
  const left = entries.length - kept.length;
  if (left > 0)
    notes.push(`${left} ${what}s left out: at most ${ENTRIES_MAX}, and ${TEXT_MAX_BYTES} bytes in all, are kept`);
  const longest = commonLength(kept, budget);
  const cut = kept.filter(([, value]) => utf8Bytes(value) > longest).map(([name]) => name);
  if (cut.length > 0) notes.push(`${what} values cut to ${longest} bytes: ${headBytes(cut.join(', '), 512)}`);
  return kept.map(([name, value]) => [name, cutBytes(value, longest)]);
}

/** What is reckoned for a value while asking whether the names fit: the cut mark, and a little to read. */
const SHORTEST_VALUE = 8;

function withoutLargest(entries: Entry[]): Entry[] {
  const largest = entries.reduce((worst, entry) => (utf8Bytes(entry[0]) >= utf8Bytes(worst[0]) ? entry : worst));
  return entries.filter((entry) => entry !== largest);
}

/** Returns the largest length to which all values can be cut so that everything fits; the longest of all when it fits as it is. */
function commonLength(entries: Entry[], budget: number): number {
  const lengths = entries.map(([, value]) => utf8Bytes(value)).sort((x, y) => x - y);
  let room = budget - entries.reduce((sum, [name]) => sum + utf8Bytes(name), 0);
  for (const [i, length] of lengths.entries()) {
    const share = Math.floor(room / (lengths.length - i));
    if (length > share) return share;
    room -= length;
  }
  return lengths.at(-1) ?? 0;
}
