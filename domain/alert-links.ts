/** Where to look for more about an alert: what its sender and its annotations name, http and https only. */
import type { LinkKind } from '@funnelai/crds/generated/types';
import { cleanText, cutBytes, utf8Bytes } from './bytes.ts';
import { type Labels, labelValue } from './labels.ts';

export interface AlertLink {
  title: string;
  url: string;
  kind: LinkKind;
}

export const LINKS_MAX = 16;
export const LINK_TITLE_MAX_BYTES = 256;
/** A longer address is left out: cut, it would lead elsewhere. */
export const LINK_URL_MAX_BYTES = 2048;

const ANNOTATIONS: readonly [name: string, title: string, kind: LinkKind][] = [
  ['runbook_url', 'Runbook', 'Runbook'],
  ['runbook', 'Runbook', 'Runbook'],
  ['dashboard_url', 'Dashboard', 'Dashboard'],
  ['dashboard', 'Dashboard', 'Dashboard'],
  ['dashboardURL', 'Dashboard', 'Dashboard'],
  ['panel_url', 'Panel', 'Graph'],
  ['panelURL', 'Panel', 'Graph'],
  ['silence_url', 'Silence', 'Silence'],
  ['silenceURL', 'Silence', 'Silence'],
];

/** Returns links that senders put into fields of their own, for a receiver to hand over. */
export function senderLinks(urls: {
  generatorURL?: string | undefined;
  dashboardURL?: string | undefined;
  panelURL?: string | undefined;
  silenceURL?: string | undefined;
}): AlertLink[] {
  const links: AlertLink[] = [];
  if (urls.dashboardURL) links.push({ title: 'Dashboard', url: urls.dashboardURL, kind: 'Dashboard' });
  if (urls.panelURL) links.push({ title: 'Panel', url: urls.panelURL, kind: 'Graph' });
  if (urls.generatorURL) links.push({ title: 'Source', url: urls.generatorURL, kind: 'Source' });
  if (urls.silenceURL) links.push({ title: 'Silence', url: urls.silenceURL, kind: 'Silence' });
  return links;
}

/** Returns each address once, runbooks first, at most 16; says in `notes` how many the sender gave that are no links. */
export function linksFrom(annotations: Labels, sent: readonly AlertLink[], notes: string[]): AlertLink[] {
  const links: AlertLink[] = [];
  const addresses = new Set<string>();
  let refused = 0;
  function take(title: string, url: string, kind: LinkKind): void {
    const address = webAddress(url);
    if (address === undefined) refused += 1;
    if (address === undefined || addresses.has(address)) return;
    addresses.add(address);
    if (links.length === LINKS_MAX) return;
    links.push({ title: cutBytes(cleanText(title).trim(), LINK_TITLE_MAX_BYTES) || kind, url: address, kind });
  }
  for (const [name, title, kind] of ANNOTATIONS) {
    const url = labelValue(annotations, name);
    if (url !== '') take(title, url, kind);
  }
  for (const { title, url, kind } of sent) take(title, url, kind);
  if (refused > 0)
    notes.push(`${refused} links left out: not an http or https address of at most ${LINK_URL_MAX_BYTES} bytes`);
  const left = addresses.size - links.length;
  if (left > 0) notes.push(`${left} links left out: at most ${LINKS_MAX} are kept`);
  return links;
}

/** Read lately: the thousand alerts of a rule name the same runbook, and mostly the same graph. Emptied when full. */
const lately = new Map<string, string | undefined>();
const REMEMBERED = 256;
const REMEMBERED_LENGTH = 512;

/** Returns the address in its normal form, without white space or control characters; undefined for any other scheme. */
export function webAddress(text: string): string | undefined {
  if (text.length > REMEMBERED_LENGTH) return addressOf(text);
  const known = lately.get(text);
  if (known !== undefined || lately.has(text)) return known;
  const address = addressOf(text);
  if (lately.size >= REMEMBERED) lately.clear();
  lately.set(text, address);
  return address;
}

function addressOf(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.length > LINK_URL_MAX_BYTES) return undefined;
  const url = URL.parse(trimmed);
  if (url === null) return undefined;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  // A name and password in an address would be shown to all who see the alert.
  url.username = '';
  url.password = '';
  return /^\S+$/.test(url.href) && utf8Bytes(url.href) <= LINK_URL_MAX_BYTES ? url.href : undefined;
}
