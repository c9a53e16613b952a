/** What came to a source, in words: rates, counts, and why bodies were refused. Pure. */
import type { Rate } from '@funnelai/domain/rate';
import type { SourceInbox, SourceItem } from '@funnelai/domain/wire-sources';
import { number } from '../../components/number.ts';

type Traffic = SourceItem['traffic'];

/** Why, by the code of the answer; one that is not known here is shown as it is. */
const REASONS: Record<string, string> = {
  Unauthenticated: 'wrong or no token',
  Forbidden: 'not allowed',
  Invalid: 'not understood',
  NotFound: 'wrong path',
  UnsupportedMediaType: 'wrong content type',
  TooLarge: 'too large',
  TooMany: 'too many at once',
  Unavailable: 'not stored for now',
  Internal: 'a fault of funnelAI',
};
export const reasonWord = (code: string): string => REASONS[code] ?? code;

/** `0`, `<0.1`, `0.4`, `12`: what a person compares, per minute. */
export function rateWord(perMinute: number): string {
  if (perMinute === 0) return '0';
  if (perMinute < 0.1) return '<0.1';
  return perMinute < 10 ? String(Math.round(perMinute * 10) / 10) : number(perMinute);
}

export const refusedOf = ({ rejected }: Traffic): number =>
  Object.values(rejected).reduce((sum, bodies) => sum + bodies, 0);

/** What a source may have taken: `50 alerts a second, 500 at once`. */
export const mayWords = ({ ratePerSecond, burst }: Rate): string =>
  `${number(ratePerSecond)} ${ratePerSecond === 1 ? 'alert' : 'alerts'} a second, ${number(burst)} at once`;

/** The reasons, most frequent first: `12 wrong or no token, 3 not understood`. */
export function refusalsInWords({ rejected }: Traffic): string {
  return Object.entries(rejected)
    .filter(([, bodies]) => bodies > 0)
    .sort(([a, x], [b, y]) => y - x || a.localeCompare(b))
    .map(([code, bodies]) => `${number(bodies)} ${reasonWord(code)}`)
    .join(', ');
}

/** What lies in the inbox: `30,412 wait`, `1 waits`; `4 set aside`, `5,000 or more set aside`. */
export const waitWords = (alerts: number): string => `${number(alerts)} ${alerts === 1 ? 'waits' : 'wait'}`;
export const asideWords = ({ setAside, hasMoreAside }: Pick<SourceInbox, 'setAside' | 'hasMoreAside'>): string =>
  `${number(setAside)}${hasMoreAside ? ' or more' : ''} set aside`;

const TRAFFIC: Record<string, string> = { Refused: 'Some refused', Taken: 'All taken', None: 'Nothing came' };
/** The word for a value of the facet `traffic`. */
export const trafficWord = (value: string): string => TRAFFIC[value] ?? value;

/** What an acknowledgement in the system that sends is worth here. */
export const trustWord = (isTrusted: boolean | undefined): string =>
  isTrusted ? 'count here: the source is trusted in them' : 'are noted, and change nothing here';
