/**
 * Makes of a body that was refused a text that may be kept and shown. What an alert's text would lose is taken out (domain), and all under
 * names that only sound secret, for such a body may be broken anywhere; the rest is cut. Rather takes out too much. Pure; never throws.
 */
import { cutBytes } from '@funnelai/domain/bytes';
import { REDACTED, redactText } from '@funnelai/domain/redaction';
import { REJECTED_BODY_BYTES, REJECTED_BODY_READ_BYTES } from '../limits.ts';

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
      if (SECRET_NAME.test(name) && held !== null && typeof held !== 'boolean') return REDACTED;
      return typeof held === 'string' ? redactedText(held) : held;
    });
    return JSON.stringify(value, undefined, 2).replace(PAIR, `$1${REDACTED}"`);
  } catch {
    return undefined;
  }
}

/** Any text, broken JSON too: as an alert's own text, and all that stands under a telling name. */
export function redactedText(text: string): string {
  return redactText(text.replace(NESTED, `$1${REDACTED}`))
    .replace(QUOTED, `$1${REDACTED}`)
    .replace(BARE, `$1${REDACTED}`);
}
