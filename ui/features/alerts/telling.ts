/** What tells alerts of one title apart: the labels in which they differ, for rows that would otherwise read the same. Pure. */
import type { AlertItem } from '@funnelai/domain/wire';

/** Labels that name a thing people know come first; then the others by name. */
const KNOWN = [
  'pod',
  'deployment',
  'statefulset',
  'persistentvolumeclaim',
  'node',
  'instance',
  'job_name',
  'service',
  'namespace',
];
/** These stand in columns of their own, or say how it was measured. */
const NEVER = new Set(['alertname', 'severity', 'prometheus', 'prometheus_replica', 'replica', 'endpoint']);
/** A row has room for so many. */
const MOST = 2;

const rank = (name: string): number => {
  const place = KNOWN.indexOf(name);
  return place < 0 ? KNOWN.length : place;
};

/** By uid the text `pod=web-1 container=app` of those alerts that share their title with another of the list. */
export function tellingLabels(alerts: readonly AlertItem[]): Map<string, string> {
  const byTitle = new Map<string, AlertItem[]>();
  for (const alert of alerts) {
    const group = byTitle.get(alert.title);
    if (group) group.push(alert);
    else byTitle.set(alert.title, [alert]);
  }
  const texts = new Map<string, string>();
  for (const group of byTitle.values()) {
    const names = labelsThatDiffer(group);
    for (const { uid, labels } of group) {
      const text = names.flatMap((name) => (labels[name] ? [`${name}=${labels[name]}`] : [])).join(' ');
      if (text !== '') texts.set(uid, text);
    }
  }
  return texts;
}

/** The fewest labels, one after the other, that make the most of the group distinct. */
function labelsThatDiffer(group: readonly AlertItem[]): string[] {
  const names = [...new Set(group.flatMap(({ labels }) => Object.keys(labels)))]
    .filter((name) => !NEVER.has(name))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, 'en'));
  const distinct = (chosen: readonly string[]): number =>
    new Set(group.map(({ labels }) => JSON.stringify(chosen.map((name) => labels[name] ?? '')))).size;
  const chosen: string[] = [];
  let reached = 1;
  while (chosen.length < MOST && reached < group.length) {
    let best: { name: string; count: number } | undefined;
    for (const name of names) {
      const count = distinct([...chosen, name]);
      if (count > (best?.count ?? reached)) best = { name, count };
    }
    if (best === undefined) break;
    chosen.push(best.name);
    reached = best.count;
  }
  return chosen;
}
