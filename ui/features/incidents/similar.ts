/** Which open incidents may be the one that someone is about to declare. Pure. */
import type { IncidentItem } from '@funnelai/domain/wire';

/** Words shorter than this, and these, say nothing about what is broken. */
const SHORTEST = 3;
const EMPTY_WORDS = new Set([
  'the',
  'and',
  'are',
  'has',
  'have',
  'for',
  'not',
  'with',
  'from',
  'all',
  'our',
  'was',
  'been',
  'does',
  'can',
  'cannot',
]);
const MOST = 4;

const words = (text: string): Set<string> =>
  new Set(
    text
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word.length >= SHORTEST && !EMPTY_WORDS.has(word)),
  );

/** Up to four incidents that share a word with the title (whole, or as its beginning), those with the most first. */
export function similarIncidents(title: string, incidents: readonly IncidentItem[]): IncidentItem[] {
  const wanted = [...words(title)];
  if (wanted.length === 0) return [];
  return incidents
    .map((item) => {
      const own = [...words(`${item.title} ${item.name}`)];
      const shared = wanted.filter((word) =>
        own.some((one) => one === word || (word.length > SHORTEST && one.startsWith(word))),
      ).length;
      return { item, shared };
    })
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared || b.item.createdAt.localeCompare(a.item.createdAt))
    .slice(0, MOST)
    .map(({ item }) => item);
}
