/**
 * Secrets that stand beside their name and not behind it: `{"name": "DB_PASSWORD", "value": "…"}` as Kubernetes writes environments, lists of
 * headers, elements of XML. Promises to need time in proportion to the text, and to be the same when it is done again.
 */
import { isSecretName } from './secret-names.ts';

/** A quote, or one inside of text that was quoted again, or none. */
const QUOTE = `\\\\{0,7}["']?`;
const IS = `${QUOTE}\\s{0,3}[:=]\\s{0,3}${QUOTE}`;
const NAMED = new RegExp(
  `\\b(?:name|key|field|label|header)${IS}([A-Za-z][\\w.-]{0,63})${QUOTE}\\s{0,3}[,;\\n]\\s{0,40}${QUOTE}(?:value|content)` +
    `${QUOTE}\\s{0,3}[:=]\\s{0,3}(?:\\{\\s{0,3}${QUOTE}(?:string_?[vV]alue)${QUOTE}\\s{0,3}:\\s{0,3})?`,
  'g',
);
/** A name of two words at least: what is one word may be a list of words. */
const LISTED = /\[\s{0,3}\\{0,7}["']([A-Za-z]\w{0,31}[-_][\w.-]{1,31})\\{0,7}["']\s{0,3},\s{0,3}/g;
const VALUE =
  /\\{0,7}"(?:[^"\\]|\\[^"]){0,4096}|\\{0,7}'[^'\\]{0,4096}|[^\s,;&"'<>{}()[\]\\][^\s,;&"'<>{}()[\]]{0,4095}/y;
const ELEMENT = /<([A-Za-z][\w.:-]{0,63})(\s[^<>]{0,256})?>[^<>]{1,4096}<\//g;

/** Returns the text with `shown` in place of each. */
export function withoutPaired(text: string, shown: string): string {
  let clean = text;
  if (/value|content/i.test(clean)) clean = withoutBehind(clean, NAMED, shown);
  if (clean.includes('[')) clean = withoutBehind(clean, LISTED, shown);
  if (!clean.includes('</')) return clean;
  return clean.replace(ELEMENT, (all, name: string, attributes = '') =>
    isSecretName(name) ? `<${name}${attributes}>${shown}</` : all,
  );
}

function withoutBehind(text: string, pattern: RegExp, shown: string): string {
  let clean = '';
  let kept = 0;
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    if (!isSecretName(found[1] ?? '')) continue;
    VALUE.lastIndex = pattern.lastIndex;
    const value = VALUE.exec(text)?.[0];
    const quote = /^\\{0,7}["']?/.exec(value ?? '')?.[0] ?? '';
    if (value === undefined || value === quote || value.startsWith(shown, quote.length)) continue;
    clean += `${text.slice(kept, pattern.lastIndex)}${quote}${shown}`;
    kept = VALUE.lastIndex;
    pattern.lastIndex = VALUE.lastIndex;
  }
  return clean + text.slice(kept);
}
