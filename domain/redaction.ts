/**
 * Takes out of what senders say all that looks like a secret: values under telling names, bearer tokens and passwords in text, the
 * user and password of addresses, tokens of well-known shapes. Promises to leave identity and everything else as it was, to say
 * what it took, and to need time in proportion to the text. It cannot know a secret that looks like a word and has no name.
 */
import type { AlertInput } from './alert-input.ts';
import { CUT_MARK, headBytes } from './bytes.ts';
import { type Labels, labelsFrom } from './labels.ts';
import { isSecretName, isSecretParameter, PERHAPS_SECRET } from './secret-names.ts';
import { withoutPaired } from './secret-pairs.ts';

export const REDACTED = '[redacted]';

/** Of a longer text only the beginning is read and kept; less than half of it would be stored anyway. */
const READ_CHARACTERS = 16_384;
/** Names that one note lists, and bytes of them. */
const NAMED = 8;
const NAMED_BYTES = 200;

const PRIVATE_KEY =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g;
/** RFC 3986's userinfo, and passwords that nobody encoded: after a colon that begins no port everything up to an @. */
const USERINFO =
  /\b([a-z][a-z0-9+.-]{1,20}:\/\/)(?:[^\s/:?#"'<>]{0,256}:(?!\d{1,5}(?:[/?#]|$))[^\s"'<>]{1,512}@|[^\s/?#"'<>]{1,512}@)/gi;
const PARAMETER = /([?&;])([A-Za-z0-9_.~%-]{1,64})=(?!\[redacted\](?!\w))([^&;\s"'<>#]{1,4096})/g;
/** What follows to the end of the line, or of the quotes, belongs to the header. */
const HEADER =
  /\b((?:proxy-)?authorization|(?:set-)?cookie)(\\{0,3}["']?[ \t]{0,3}[:=][ \t]{0,3}\\{0,3}["']?)[^\r\n"'\\]{1,4096}/gi;
const BEARER =
  /\b(bearer)([ \t]{1,8})(?!(?:tokens?|auth|authentication|authorization|scheme|header)\b)[A-Za-z0-9._~+/=-]{1,4096}/gi;
const BASIC = /\b(basic)([ \t]{1,8})([A-Za-z0-9+/_-]{4,4096}={0,2})/gi;
/** `name =`, `"name":`, also inside of text that was quoted again, or encoded to stand in an address; and the value behind it. */
const NAME = /(?:\b|(?<=%[0-9A-Fa-f]{2}))([A-Za-z][A-Za-z0-9_.-]{0,63})(\\{0,3}["']?\s{0,3}(?::|=>?|%3[AaDd])\s{0,3})/g;
const VALUE = /\\{0,3}"(?:[^"\\]|\\[^"]){0,4096}|'[^']{0,4096}|[^\s,;&"'<>{}()[\]\\][^\s,;&"'<>{}()[\]]{0,4095}/y;
const FLAG = /(^|\s)(--?[a-z][a-z0-9-]{1,40})([ \t]{1,4})([^\s-][^\s]{0,1023})/gi;
/** As curl takes a user and a password. */
const USER = /(\s(?:-u|--(?:proxy-)?user)[ =]{1,4})["']?[^\s:"']{1,256}:[^\s"']{1,256}/g;
/** As mysql takes them. */
const GLUED = /(\s-u[ =]{0,4}[^\s:"'-][^\s:"']{0,64}[ \t]{1,4}-p)(?!\[redacted\])[^\s"']{1,256}/g;
/** Begins as its issuer makes it begin, so that scanners find it. */
const SHAPES = new RegExp(
  [
    'eyJ[\\w-]{8,2048}\\.[\\w-]{4,4096}(?:\\.[\\w-]{0,4096})?',
    '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}',
    'gh[pousr]_\\w{20,255}',
    'github_pat_\\w{20,255}',
    'gl(?:pat|dt|ptt|rt|cbt|soat|ft|imt|agent)-[\\w-]{10,255}',
    'xox[abeoprs]-[\\w-]{8,255}',
    'xapp-[\\w-]{8,255}',
    'AIza[\\w-]{35}',
    'ya29\\.[\\w-]{20,2048}',
    '(?:sk|rk|pk)_(?:live|test)_\\w{10,255}',
    'whsec_[\\w+/=]{16,255}',
    'sk-[\\w-]{20,255}',
    'npm_[A-Za-z0-9]{36}',
    'pypi-[\\w-]{16,1024}',
    'SG\\.[\\w-]{16,255}\\.[\\w-]{16,255}',
    'hv[sbr]\\.[\\w-]{20,1024}',
    'do[opr]_v1_[a-f0-9]{64}',
    'gl(?:sa|c)_[\\w=+/-]{20,1024}',
    'dapi[a-f0-9]{32}',
    'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}',
    'AGE-SECRET-KEY-1[0-9A-Z]{50,64}',
    'hooks\\.slack\\.com/(?:services|workflows|triggers)/[\\w/-]{10,255}',
    'discord(?:app)?\\.com/api/webhooks/\\d{5,32}/[\\w-]{10,255}',
    'webhook\\.office\\.com/webhookb2/[\\w@/-]{10,512}',
  ]
    .map((shape) => `(?:${shape})`)
    .join('|')
    .replace(/^/, '(?<![A-Za-z0-9_])(?:')
    .concat(')'),
  'g',
);
const SHORTEST_SHAPE = 16;
/** Says nothing about what the secret is. */
const HARMLESS_VALUE = /^(?:|true|false|null|none|nil|undefined|\*+|\[?redacted\]?|<redacted>|<secret>)$/i;

const PERHAPS_SCHEME = /\b(?:bearer|basic)[ \t]/i;

/** Returns the text without what looks like a secret in it. */
export function redactText(text: string): string {
  if (text.length > READ_CHARACTERS) return redacted(beginningOf(text)) + CUT_MARK;
  if (text.length > ADDRESS_LENGTH || !text.includes('://')) return redacted(text);
  if (addresses.has(text)) return text;
  const clean = redacted(text);
  if (clean === text) {
    if (addresses.size >= ADDRESSES_REMEMBERED) addresses.clear();
    addresses.add(text);
  }
  return clean;
}

/** Texts with an address in which nothing was found: what costs most, and is the same for all alerts of a rule. Emptied when full. */
const addresses = new Set<string>();
const ADDRESSES_REMEMBERED = 256;
const ADDRESS_LENGTH = 512;

function redacted(text: string): string {
  let clean = text;
  if (clean.includes('-----BEGIN')) clean = clean.replace(PRIVATE_KEY, REDACTED);
  if (clean.includes('://')) clean = clean.replace(USERINFO, `$1${REDACTED}@`);
  if (clean.includes('=')) clean = clean.replace(PARAMETER, withoutParameter);
  if (PERHAPS_SECRET.test(clean)) {
    clean = withoutAssigned(clean.replace(HEADER, `$1$2${REDACTED}`)).replace(FLAG, withoutArgument);
    clean = withoutPaired(clean, REDACTED);
  }
  if (clean.includes(' -u') || clean.includes('user'))
    clean = clean.replace(USER, `$1${REDACTED}`).replace(GLUED, `$1${REDACTED}`);
  if (PERHAPS_SCHEME.test(clean)) clean = clean.replace(BEARER, `$1$2${REDACTED}`).replace(BASIC, withoutPair);
  return clean.length < SHORTEST_SHAPE ? clean : clean.replace(SHAPES, REDACTED);
}

const OF_TOKEN = /[\w.~+/=-]/;

/** Ends before whatever may be half of a token, or an address whose password is not over: neither would look like one any more. */
function beginningOf(text: string): string {
  let end = READ_CHARACTERS;
  while (end > 0 && OF_TOKEN.test(text.charAt(end - 1))) end -= 1;
  const address = text.lastIndexOf('://', end);
  if (address !== -1 && !/[\s"'<>]/.test(text.slice(address, end))) end = address;
  return text.slice(0, end).toWellFormed();
}

function withoutParameter(all: string, before: string, name: string): string {
  return isSecretParameter(name) ? `${before}${name}=${REDACTED}` : all;
}

/** One name after the other, for what stands under a harmless one may begin with another: `failed: DB_PASSWORD=…`. */
function withoutAssigned(text: string): string {
  let clean = '';
  let kept = 0;
  NAME.lastIndex = 0;
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    if (!isSecretName(found[1] ?? '')) continue;
    VALUE.lastIndex = NAME.lastIndex;
    const value = VALUE.exec(text)?.[0];
    if (value === undefined) continue;
    const quote = /^\\{0,3}["']?/.exec(value)?.[0] ?? '';
    if (!HARMLESS_VALUE.test(value.slice(quote.length))) {
      clean += `${text.slice(kept, NAME.lastIndex)}${quote}${REDACTED}`;
      kept = VALUE.lastIndex;
    }
    NAME.lastIndex = VALUE.lastIndex;
  }
  return clean + text.slice(kept);
}

/** "Basic plan" is none. */
function withoutPair(all: string, scheme: string, space: string, encoded: string): string {
  try {
    const decoded = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
    return decoded.includes(':') ? `${scheme}${space}${REDACTED}` : all;
  } catch {
    return all;
  }
}

function withoutArgument(all: string, before: string, flag: string, space: string, value: string): string {
  return isSecretName(flag) && !HARMLESS_VALUE.test(value) ? `${before}${flag}${space}${REDACTED}` : all;
}

/** Returns what may be shown of a value that stands under this name. */
export function redactNamed(name: string, value: string): string {
  return isSecretName(name) && !HARMLESS_VALUE.test(value.trim()) ? REDACTED : redactText(value);
}

/** Names of labels and annotations in which nothing was found: there are a few dozen, and each alert brings them again. Emptied when full. */
const harmless = new Set<string>();
const HARMLESS_REMEMBERED = 1_024;
const HARMLESS_LENGTH = 64;

function isHarmlessName(name: string): boolean {
  if (harmless.has(name)) return true;
  if (isSecretName(name) || redactText(name) !== name) return false;
  if (harmless.size >= HARMLESS_REMEMBERED) harmless.clear();
  if (name.length <= HARMLESS_LENGTH) harmless.add(name);
  return true;
}

/** Would all of it stay as it is? */
function isHarmless(values: Labels): boolean {
  for (const name of Object.keys(values)) {
    const value = values[name] ?? '';
    if (!isHarmlessName(name) || redactText(value) !== value) return false;
  }
  return true;
}

/** Would all of the report stay as it is, as nearly every one does? Then nothing is made anew. */
function isClean(input: AlertInput): boolean {
  const { labels, annotations, title, description, severity, dedupKey, acknowledgedBy, notes = [], links } = input;
  const stays = (text: string | undefined) => text === undefined || redactText(text) === text;
  return (
    isHarmless(labels) &&
    isHarmless(annotations) &&
    stays(title) &&
    stays(description) &&
    stays(severity) &&
    stays(dedupKey) &&
    stays(acknowledgedBy) &&
    notes.every(stays) &&
    links.every((link) => stays(link.title) && stays(link.url))
  );
}

/** Returns the report as it may be stored and shown, and a note for people where something was taken out. */
export function redactInput(input: AlertInput): { input: AlertInput; notes: string[] } {
  if (isClean(input)) return { input, notes: [] };
  const taken: string[] = [];
  const text = (what: string, value: string): string => {
    const clean = redactText(value);
    if (clean !== value && clean.includes(REDACTED)) taken.push(what);
    return clean;
  };
  const map = (what: string, values: Labels): Labels => {
    let changed = false;
    const entries = Object.entries(values).map(([name, value]): [string, string] => {
      const clean: [string, string] = [redactText(name), redactNamed(name, value)];
      if (clean[0] === name && clean[1] === value) return clean;
      changed = true;
      if (clean.some((part) => part.includes(REDACTED))) taken.push(`${what} ${clean[0]}`);
      return clean;
    });
    return changed ? labelsFrom(entries) : values;
  };
  const optional = (what: string, value: string | undefined) => (value === undefined ? value : text(what, value));
  const link = (sent: AlertInput['links'][number]) => {
    const [title, url] = [text('link', sent.title), text('link', sent.url)];
    return title === sent.title && url === sent.url ? sent : { ...sent, title, url };
  };
  const clean: AlertInput = {
    ...input,
    labels: map('label', input.labels),
    annotations: map('annotation', input.annotations),
    title: optional('title', input.title),
    description: optional('description', input.description),
    severity: optional('severity', input.severity),
    dedupKey: optional('key', input.dedupKey),
    acknowledgedBy: optional('acknowledgement', input.acknowledgedBy),
    notes: input.notes?.map(redactText),
    links: input.links.map(link),
  };
  if (taken.length === 0) return { input: clean, notes: [] };
  const names = [...new Set(taken)];
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  const note = `secrets taken out of: ${headBytes(names.slice(0, NAMED).join(', '), NAMED_BYTES)}${more}`;
  return { input: clean, notes: [note] };
}
