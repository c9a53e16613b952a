import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parseMatcher, parseMatchers } from './matcher.ts';
import { MatcherSyntaxError } from './matcher-syntax.ts';

const read = (text: string) => parseMatchers(text).map(({ name, op, value }) => [name, op, value]);
const holds = (text: string, labels: Record<string, string>) => parseMatchers(text).every((m) => matches(m, labels));

describe('what Alertmanager takes', () => {
  it.each<[string, string[][]]>([
    ['severity="critical"', [['severity', '=', 'critical']]],
    ['severity=critical', [['severity', '=', 'critical']]],
    [' severity != "a b" ', [['severity', '!=', 'a b']]],
    ['alertname=~"Kube(Pod|Deployment).+"', [['alertname', '=~', 'Kube(Pod|Deployment).+']]],
    [
      '{a="1",b!~"2"}',
      [
        ['a', '=', '1'],
        ['b', '!~', '2'],
      ],
    ],
    [
      'a="1", b="2",',
      [
        ['a', '=', '1'],
        ['b', '=', '2'],
      ],
    ],
    ['{a=1,}', [['a', '=', '1']]],
    ['', []],
    ['{}', []],
    [' { } ', []],
    ['service.name="x"', [['service.name', '=', 'x']]],
    ['"föö bar"="x"', [['föö bar', '=', 'x']]],
    ['0foo=bar', [['0foo', '=', 'bar']]],
    ['föö="🙂"', [['föö', '=', '🙂']]],
    ['"a"="\\xf0\\x9f\\x99\\x82"', [['a', '=', '🙂']]],
    ['"a"="\\u00e9\\U0001F642\\101"', [['a', '=', 'é🙂A']]],
    ['__proto__="x"', [['__proto__', '=', 'x']]],
    ['a="x,y}"', [['a', '=', 'x,y}']]],
    ['a\u00a0=\u3000b', [['a', '=', 'b']]],
    // Only the classic parser takes these.
    ['job=', [['job', '=', '']]],
    ['job=a b', [['job', '=', 'a b']]],
    ['job="\\d+"', [['job', '=', '\\d+']]],
    ['job=~"a\\.b"', [['job', '=~', 'a\\.b']]],
    // Both take it and differ: the classic reading holds.
    ['a="\\t"', [['a', '=', '\\t']]],
    ['a="x\\ny\\"z\\\\"', [['a', '=', 'x\ny"z\\']]],
  ])('reads %s', (text, expected) => expect(read(text)).toEqual(expected));

  it.each<[string, number, number, RegExp, RegExp]>([
    ['a', 1, 2, /operator/, /the end/],
    ['=b', 1, 1, /label name/, /"=b"/],
    [',', 1, 1, /label name/, /","/],
    ['{,}', 1, 2, /label name/, /",}"/],
    ['{a="b"', 1, 1, /closing brace/, /none/],
    ['{a="b"} c', 1, 9, /the end/, /"c"/],
    ['"a="b', 1, 5, /operator/, /"b"/],
    ['föö="b', 1, 5, /closing quote/, /none/],
    ['a="1" b="2"', 1, 7, /comma/, /"b=\\"2\\""/],
    ['"a"="\\d"', 1, 6, /escape/, /\\\\d/],
    ['"a"="\\xff"', 1, 5, /UTF-8/, /xff/],
    ["a='b'", 1, 3, /value/, /'b'/],
    ['""="x"', 1, 1, /label name/, /empty/],
    ['a="1",\n\nb~"2"', 3, 2, /operator/, /~/],
    ['a=~"["', 1, 4, /RE2/, /missing/],
    ['a=~"a)|(?:b"', 1, 4, /RE2/, /a\)/],
    ['a=~"(?=x)"', 1, 4, /RE2/, /\(\?=/],
    ['a=~"x{1001}"', 1, 4, /RE2/, /1001/],
  ])('refuses %j with the place', (text, line, column, expected, found) => {
    let error: unknown;
    try {
      parseMatchers(text);
    } catch (e) {
      error = e;
    }
    if (!(error instanceof MatcherSyntaxError)) return expect.fail(`no error for ${text}`);
    expect([error.line, error.column]).toEqual([line, column]);
    expect(error.expected).toMatch(expected);
    expect(error.found).toMatch(found);
    expect(error.message).toContain(`line ${line}, column ${column}: expected`);
  });

  it('bounds text, number and expression', () => {
    expect(() => parseMatchers(`a="${'x'.repeat(5000)}"`)).toThrow(/at most 4096 characters/);
    expect(() => parseMatchers(Array.from({ length: 65 }, () => 'a=b').join(','))).toThrow(/at most 64 matchers/);
    expect(() => parseMatchers(`a=~"${'x'.repeat(1025)}"`)).toThrow(/at most 1024 characters/);
  });

  it('parseMatcher wants exactly one', () => {
    expect(parseMatcher('a=b').name).toBe('a');
    expect(() => parseMatcher('')).toThrow(/found nothing/);
    expect(() => parseMatcher('a=b,c=d')).toThrow(/column 5.*one matcher/);
  });
});

describe('what a matcher means', () => {
  it('an absent label is the empty string', () => {
    for (const text of ['x=""', 'x!="a"', 'x=~".*"', 'x=~"a|"', 'x!~".+"'])
      expect([text, holds(text, {})]).toEqual([text, true]);
    for (const text of ['x!=""', 'x=~".+"', 'x="a"', 'x!~".*"']) expect([text, holds(text, {})]).toEqual([text, false]);
    for (const name of ['__proto__', 'constructor', 'toString']) expect(holds(`${name}=""`, {})).toBe(true);
    expect(holds('__proto__="x"', JSON.parse('{"__proto__":"x"}'))).toBe(true);
  });

  it.each<[string, string, boolean]>([
    ['x=~"a|b"', 'ab', false],
    ['x=~"a|b"', 'b', true],
    ['x=~"a"', 'ba', false],
    ['x=~"^a$"', 'a', true],
    ['x=~".*"', 'a\nb', false],
    ['x=~"(?s).*"', 'a\nb', true],
    ['x=~"a"', 'a\n', false],
    ['x=~"(?i)k"', '\u212a', true],
    ['x=~"\\\\s"', '\u00a0', false],
    ['x=~"[[:alpha:]]+"', 'ab', true],
    ['x=~"\\\\pL+"', 'éa', true],
    ['x=~"a{,3}"', 'a{,3}', true],
    ['x!~"a|b"', 'c', true],
  ])('%s of %j is %s', (text, value, expected) => expect(holds(text, { x: value })).toBe(expected));

  it('all matchers of a list must hold', () => {
    expect(holds('a="1",b="2"', { a: '1', b: '2' })).toBe(true);
    expect(holds('a="1",b="2"', { a: '1' })).toBe(false);
  });
});

it('any name and value survive quoting', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((s) => s.isWellFormed());
  const quote = (s: string) => `"${s.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  fc.assert(
    fc.property(
      text.filter((s) => s !== ''),
      text,
      (name, value) => {
        expect(read(`${quote(name)}=${quote(value)}`)).toEqual([[name, '=', value]]);
      },
    ),
  );
});

it('whatever is typed is read or refused with a place, never anything else', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', '}', '=', '!', '~', ',', ' ', '\n', 'é') }),
      (text) => {
        try {
          parseMatchers(text);
        } catch (e) {
          expect(e).toBeInstanceOf(MatcherSyntaxError);
        }
      },
    ),
    { numRuns: 500 },
  );
});
