import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CelInput,
  CelSyntaxError,
  celElements,
  celText,
  compileCel,
  EVALUATION_COST,
  EXPRESSION_MAX,
} from './cel.ts';
import { celInput, INPUT_DEPTH_MAX, INPUT_TEXT_MAX, INPUT_VALUES_MAX } from './cel-input.ts';

const NAMES = new Set(['item']);
const evaluate = (source: string, item: unknown, left = 10 * EVALUATION_COST) => {
  const budget = { left };
  const outcome = compileCel(source, NAMES).evaluate({ item: celInput(item).value }, budget);
  return { outcome, cost: left - budget.left };
};
const textOf = (source: string, item: unknown = {}) => {
  const { outcome } = evaluate(source, item);
  return 'value' in outcome ? celText(outcome.value) : outcome;
};
const fault = (source: string) => {
  try {
    compileCel(source, NAMES);
  } catch (error) {
    if (error instanceof CelSyntaxError) return `${error.line}:${error.column} ${error.message.replace(/^.*?: /, '')}`;
    throw error;
  }
  return 'none';
};

describe('an expression that cannot work', () => {
  it.each([
    ['item.a ==', '1:8 '],
    ['item.a\n  && ithem.b', '2:6 unknown name "ithem"'],
    ['constructor', '1:1 unknown name "constructor"'],
    ['item.shout()', '1:5 there is no function shout'],
    ['item.a.startsWith("x", 2)', '1:7 startsWith is not called so'],
    ['item.a.matches("(")', '1:16 expected a regular expression in RE2 syntax'],
    ['item.a.matches("x(?=y)")', '1:16 expected a regular expression in RE2 syntax'],
    ['google.protobuf.Struct{}', 'there are no messages here'],
    ['item.map(__result__, 1)', '__result__ cannot be the name of a variable'],
    [`"${'x'.repeat(EXPRESSION_MAX)}"`, `1:${EXPRESSION_MAX + 1} expected at most ${EXPRESSION_MAX} characters`],
    [`item${'.a'.repeat(900)}`, 'it is nested too deeply'],
    [`${'('.repeat(1000)}1${')'.repeat(1000)}`, 'brackets within brackets'],
    ['[item,'.repeat(340), 'brackets within brackets'],
    ['-('.repeat(40), '1:81'],
  ])('is refused before it runs, with its place: %s', (source, said) => {
    expect(fault(source)).toContain(said);
  });

  it('whatever its text, is refused as that and nothing else', () => {
    const bits = fc.constantFrom(
      'item',
      '.',
      'a',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '+',
      '?',
      ':',
      '!',
      '-',
      '1',
      ' ',
      '\n',
      'map',
      'has',
      ',',
      '&&',
      'r"',
      '\\',
      '日',
      'in',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(bits, { maxLength: 60 }).map((b) => b.join('')),
          fc.string({ maxLength: 200 }),
        ),
        (source) => {
          try {
            compileCel(source, NAMES).evaluate({ item: null }, { left: EVALUATION_COST });
          } catch (error) {
            expect(error).toBeInstanceOf(CelSyntaxError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('what an expression sees', () => {
  it('is JSON, whatever its names mean to JavaScript', () => {
    const item = JSON.parse('{"__proto__":"p","constructor":{"name":"c"},"$typeName":"google.protobuf.Any","n":null}');
    expect(textOf('item.__proto__ + item["constructor"].name + item["$typeName"]', item)).toBe('pcgoogle.protobuf.Any');
    expect(textOf('item.toString', item)).toEqual({ failed: 'field not found: toString' });
    expect(textOf('has(item.n) ? "there" : "absent"', item)).toBe('absent');
  });

  it('is cut where it is too deep or too long, and said to be', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}1${']'.repeat(50_000)}`);
    expect(celInput(deep).cut).toBe(true);
    expect(celInput('x'.repeat(INPUT_TEXT_MAX)).cut).toBe(false);
    expect(celInput('x'.repeat(INPUT_TEXT_MAX + 1))).toMatchObject({ cut: true });
    expect(celInput(JSON.parse(`${'['.repeat(INPUT_DEPTH_MAX)}${']'.repeat(INPUT_DEPTH_MAX)}`)).cut).toBe(false);
    expect(celInput(Array.from({ length: INPUT_VALUES_MAX - 1 }, () => 0)).tooMany).toBe(false);
    expect(celInput(Array.from({ length: INPUT_VALUES_MAX }, () => ({})))).toMatchObject({ cut: true, tooMany: true });
  });

  it('is any JSON: evaluation gives a value, a reason, or says that it cost too much', () => {
    const sources = [
      'item',
      'item == item',
      'item.a',
      'has(item.a) && item.a > 1',
      'string(item)',
      'item.map(x, x)',
      '"a" in item',
      'json(item)',
      'item.split("a")',
    ];
    const compiled = sources.map((source) => compileCel(source, NAMES));
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(sources.length - 1), (json, which) => {
        const outcome = compiled[which]?.evaluate({ item: celInput(json).value }, { left: EVALUATION_COST });
        expect(Object.keys(outcome ?? {})).toHaveLength(1);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the functions', () => {
  it.each([
    ['timestamp(1700000000) == timestamp("2023-11-14T22:13:20Z") ? "seconds" : "milliseconds"', 'seconds'],
    ['"a-b-c".split("-", 2)[1]', 'b-c'],
    ['"aXbXc".replace("X", "--", 1)', 'a--bXc'],
    ['"abc".replace("", "-")', '-a-b-c-'],
    ['["a", "b"].map(x, x + "!").join("/")', 'a!/b!'],
    ['json("{\\"a\\": [1, {\\"b\\": \\"deep\\"}]}").a[1].b', 'deep'],
    ['string(size("日本"))', '2'],
    ['[1, 2, 3].filter(x, x > 1).map(x, string(x)).join()', '23'],
    ['[1, 2].exists(x, x == 2) && ![1].exists(x, x == 2) ? "y" : "n"', 'y'],
    ['"%s has %d".format(["disk", 3])', 'disk has 3'],
  ])('do as the language says: %s', (source, said) => {
    expect(textOf(source)).toBe(said);
  });
});

describe('what an expression may cost', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => ({ i, kind: i % 2 === 0 ? 'a' : 'b' }));

  it('is enough for a filter over as many items as a body may have', () => {
    const { outcome } = evaluate('item.filter(e, e.kind == "a" && e.i >= 0.0)', many);
    expect('value' in outcome ? celElements(outcome.value)?.length : outcome).toBe(5_000);
  });

  it.each([
    ['a loop in a loop', 'item.all(a, item.all(b, true))'],
    ['a loop in a loop that swallows errors', 'item.exists(a, item.exists(b, false) || a == 7)'],
    ['a search in a loop', 'item.all(a, !(a in item) || true)'],
    ['loops over constants', `${'[0,1,2,3,4,5,6,7,8,9].all(a, '.repeat(8)}true${')'.repeat(8)}`],
    ['comparing in a loop', 'item.map(a, item == item)'],
  ])('ends %s', (_, source) => {
    const { outcome, cost } = evaluate(source, many);
    expect(outcome).toEqual({ spent: true });
    expect(cost).toBeLessThan(EVALUATION_COST * 1.5);
  });

  it.each([
    ['replace', '(item + item + item + item).replace("x", item)'],
    ['split', '(item + item + item + item + item + item + item + item + item + item + item + item + item).split("")'],
    ['matches', Array.from({ length: 8 }, (_, i) => `item.matches("(x+x+)+${i}|(a|b|ab)*c")`).join(' || ')],
    ['a pattern made of data', 'item.matches(item)'],
  ])('bounds work on long texts: %s', (_, source) => {
    const { outcome } = evaluate(source, 'x'.repeat(INPUT_TEXT_MAX));
    expect('value' in outcome).toBe(false);
  });

  it('is taken from what all expressions of a body may cost together', () => {
    expect(evaluate('item.all(e, e.i >= 0.0)', many, 1_000).outcome).toEqual({ spent: true });
    expect(evaluate('item.all(e, e.i >= 0.0)', many).cost).toBeGreaterThan(10_000);
  });

  it('does not leave the next evaluation without a budget', () => {
    evaluate('item.all(a, item.all(b, true))', many);
    const item: CelInput = celInput(many).value;
    expect(compileCel('item.size() == 10000', NAMES).evaluate({ item }, { left: 100 })).toEqual({ value: true });
  });
});
