/** An incident as Markdown, for hand-overs and tickets. Pure: the zone is an argument. */
import { shownAs } from '@funnelai/domain/lifecycle';
import type { IncidentDetail, TimelineEntry } from '@funnelai/domain/wire';
import { calendarDay, clockTime, zoneOffset } from '../../components/instant-words.ts';
import { linksOf } from './links.ts';
import { sentenceOf } from './sentence.ts';

/** Characters that would become formatting, or a cell's end, are escaped: titles come from outside. */
const escaped = (text: string): string =>
  text.replaceAll(/[\\`*_[\]<>|#]/g, (char) => `\\${char}`).replaceAll(/\s+/g, ' ');

const line = (entry: TimelineEntry, timeZone: string): string => {
  const reason = entry.reason ? ` (${escaped(entry.reason)})` : '';
  return `- \`${clockTime(entry.at, timeZone)} ${zoneOffset(entry.at, timeZone)}\` ${escaped(sentenceOf(entry))}${reason}`;
};

/** Title, state, links and the story, oldest first, grouped by day. `url` is the page's own address. */
export function toMarkdown(detail: IncidentDetail, timeZone: string, url: string): string {
  const { item } = detail;
  const parts = [
    `## ${escaped(item.title)}`,
    '',
    `[${item.name}](${url}) in ${item.namespace}: **${item.severity}**${item.priority ? `, ${item.priority}` : ''}, ${shownAs(item.phase)}, owner ${escaped(item.owner ?? 'nobody')}, ${item.alerts.firing} of ${item.alerts.total} alerts firing${item.alerts.expired ? `, ${item.alerts.expired} expired` : ''}`,
  ];
  if (detail.incident.spec.summary) parts.push('', detail.incident.spec.summary);
  const links = linksOf(detail);
  if (links.length > 0)
    parts.push(
      '',
      ...links.map((link) => `- [${escaped(link.title)}](${link.url.replaceAll(')', '%29')}) ${link.kind}`),
    );
  let day = '';
  for (const entry of [...detail.timeline].sort((a, b) => a.at.localeCompare(b.at))) {
    const own = calendarDay(entry.at, timeZone);
    if (own !== day) {
      parts.push('', `### ${own}`, '');
      day = own;
    }
    parts.push(line(entry, timeZone));
  }
  if (!detail.history.available)
    parts.push(
      '',
      `History could not be read, so older entries may be missing: ${detail.history.reason ?? 'no reason given'}`,
    );
  return `${parts.join('\n')}\n`;
}
