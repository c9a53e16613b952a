/**
 * Makes of a body a text that may be kept and shown: values under names that sound secret, credentials in headers and URLs, and keys of
 * known shapes are taken out, and the rest is cut. Rather takes out too much. Pure; never throws.
 */
import { cutBytes } from '@funnelai/domain/bytes';
import { REJECTED_BODY_BYTES, REJECTED_BODY_READ_BYTES } from '../limits.ts';

const GONE = '[redacted]';
/** Say by themselves that what follows is secret, in whatever longer name they stand. */
const LONG =
  'passw(?:or)?d|passphrase|passcode|secret|token|credential|authorization|(?:api|access|private|routing|integration|service|license|signing|encryption|account|shared|genie)[-_ ]?key|session[-_]?id|signature|connection[-_ ]?string';
/** Stand in innocent words, too: only as a word or the last part of one. */
const SHORT = 'pass|pwd|auth|sig|dsn|jwt|cookie|bearer|psk';
const NAME = `(?:[\\w.$-]{0,48}(?:${LONG})[\\w.$-]{0,48}|(?<![A-Za-z0-9])(?:[\\w.$-]{0,48}[_.-])?(?:${SHORT})(?![A-Za-z]))`;
const SECRET_NAME = new RegExp(NAME, 'i');

/** In a text, whether or not it is JSON in JSON: the name, what parts it from its value, the value. Bounded: a body may be one long word. */
const ENDS = `\\\\{0,8}["']?\\s{0,8}[:=]\\s{0,8}`;
const QUOTED = new RegExp(`(${NAME}${ENDS}\\\\{0,8}["'])(?:[^"'\\\\]|\\\\{1,8}[^"'\\\\])*`, 'gi');
/** A list or an object under such a name: where it ends cannot be told in a text that may be broken, so all that follows goes. */
const NESTED = new RegExp(`(${NAME}${ENDS})[[{][\\s\\S]*`, 'i');
const BARE = new RegExp(`(${NAME}${ENDS})(?!["'[{\\\\])[^\\s,;&"'}\\]]+`, 'gi');
const SCHEMES = /\b(bearer|basic|digest|negotiate|splunk|genie[-_]?key)(\s{1,8}|:\s{0,8})[\w.~+/=:-]{4,}/gi;
const USERINFO = /\b([a-z][a-z0-9+.-]{0,30}:\\{0,4}\/\\{0,4}\/)[^\s/@"'\\]{1,512}@/gi;
const KNOWN_SHAPES = [
  /\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(?:xox[abeoprs]|xapp)-[\w-]{10,}/g,
  /\b(?:gh[oprsu]_|github_pat_|glpat-|sk_live_|rk_live_|npm_|hvs\.|AIza)[\w-]{10,}/g,
  /https:\/\/hooks\.slack\.com\/[\w/]{8,}/g,
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
];

/** Senders also write `{"name": "password", "value": "…"}`. */
const PAIR = new RegExp(
  `("(?:name|key|label|header)":\\s{0,40}"${NAME}",\\s{0,40}"(?:value|values|content)":\\s{0,40}")(?:[^"\\\\]|\\\\.)*"`,
  'gi',
);

/** The text of a body, redacted and cut; what it is, where it is no text. */
export function redactedBody(body: Buffer, mediaType: string): string {
  const whole = body.subarray(0, REJECTED_BODY_READ_BYTES);
  const text = whole.toString('utf8');
  const odd = (text.match(/(?![\t\n\r])[\p{Cc}\ufffd]/gu) ?? []).length;
  if (odd > 3 || /protobuf|octet-stream/.test(mediaType))
    return `${body.length} bytes of ${mediaType === '' ? 'no known type' : mediaType}, which is no text`;
  const isWhole = whole.length === body.length;
  const redacted = (isWhole ? redactedJson(text) : undefined) ?? redactedText(text);
  return cutBytes(redacted.replaceAll('\u0000', '\ufffd').toWellFormed(), REJECTED_BODY_BYTES);
}

function redactedJson(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text, (name, held: unknown) => {
      if (SECRET_NAME.test(name) && held !== null && typeof held !== 'boolean') return GONE;
      return typeof held === 'string' ? redactedText(held) : held;
    });
    return JSON.stringify(value, undefined, 2).replace(PAIR, `$1${GONE}"`);
  } catch {
    return undefined;
  }
}

/** Any text, broken JSON too. */
export function redactedText(text: string): string {
  let next = text.replace(NESTED, `$1${GONE}`);
  next = next.replace(USERINFO, `$1${GONE}@`).replace(SCHEMES, `$1$2${GONE}`);
  for (const shape of KNOWN_SHAPES) next = next.replace(shape, GONE);
  return next.replace(QUOTED, `$1${GONE}`).replace(BARE, `$1${GONE}`);
}
