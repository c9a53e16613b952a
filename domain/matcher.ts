/** Asks of a label set what Alertmanager's matchers ask: =, !=, =~ and !~, where an absent label is the empty string. */
import { RE2JS } from '@bufbuild/re2';
import { type Labels, labelValue } from './labels.ts';
import { MatcherSyntaxError, type MatcherText, readMatchers } from './matcher-syntax.ts';

export interface Matcher extends MatcherText {
  matches(value: string): boolean;
}

/** Longest regular expression, in characters. */
export const PATTERN_MAX = 1024;

/** Returns the one matcher that the text holds. Throws MatcherSyntaxError for none, for several, and for what is none. */
export function parseMatcher(text: string): Matcher {
  const [first, second] = parseMatchers(text);
  if (!first) throw new MatcherSyntaxError(text, 0, 'a matcher such as severity="critical"', 'nothing');
  if (second) throw new MatcherSyntaxError(text, second.at, 'one matcher', `a second one, ${second.name}${second.op}…`);
  return first;
}

/** Returns the matchers of a list, all of which must hold. Throws MatcherSyntaxError. */
export function parseMatchers(text: string): Matcher[] {
  return readMatchers(text).map((m) => ({ ...m, matches: predicate(text, m) }));
}

/** Does the label set agree? */
export function matches(matcher: Matcher, labels: Labels | undefined): boolean {
  return matcher.matches(labelValue(labels, matcher.name));
}

function predicate(text: string, m: MatcherText): (value: string) => boolean {
  if (m.op === '=') return (value) => value === m.value;
  if (m.op === '!=') return (value) => value !== m.value;
  if (m.value.length > PATTERN_MAX) {
    throw new MatcherSyntaxError(
      text,
      m.valueAt,
      `a regular expression of at most ${PATTERN_MAX} characters`,
      `${m.value.length}`,
    );
  }
  const pattern = compile(text, m);
  return m.op === '=~' ? (value) => pattern.test(value) : (value) => !pattern.test(value);
}

/** The expression is checked alone first: pasted between anchors, `a)|(?:b` would compile and be anchored at one end only. */
function compile(text: string, m: MatcherText): RE2JS {
  try {
    new RE2JS(m.value);
    return new RE2JS(`^(?:${m.value})$`);
  } catch (e) {
    const why = e instanceof Error ? e.message : String(e);
    throw new MatcherSyntaxError(
      text,
      m.valueAt,
      'a regular expression in RE2 syntax',
      `${JSON.stringify(m.value)} (${why})`,
    );
  }
}
