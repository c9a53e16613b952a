/** Which of the incidents that may take over fit what was typed. Pure. */
import type { IncidentItem } from '@funnelai/domain/wire';

/** So many are listed at once; typing finds the others. */
export const MOST_LISTED = 100;

/** Those in which every word is found, as the server finds them. */
export function fitting(offered: readonly IncidentItem[], typed: string): IncidentItem[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const isFound = ({ title, namespace, name, owner = '', rule = '' }: IncidentItem) => {
    const text = [title, `${namespace}/${name}`, owner, rule].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return offered.filter(isFound).slice(0, MOST_LISTED);
}
