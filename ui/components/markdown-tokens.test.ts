import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Part, partsOf } from './markdown-tokens.ts';

const inParagraph = (text: string): Part[] => {
  const [first] = partsOf(text);
  return first?.kind === 'paragraph' ? first.parts : [];
};

describe('Markdown', () => {
  it('is shown with its structure', () => {
    expect(partsOf('# Impact\n\n- **checkout** is `down`\n- [x] told support').map((part) => part.kind)).toEqual([
      'heading',
      'list',
    ]);
    expect(inParagraph('**a** _b_ `c`').map((part) => part.kind)).toEqual(['strong', 'text', 'em', 'text', 'code']);
  });

  it('keeps the lines that people typed', () => {
    expect(inParagraph('one\ntwo')).toEqual([
      { kind: 'text', text: 'one' },
      { kind: 'break' },
      { kind: 'text', text: 'two' },
    ]);
  });

  it('shows HTML as the text it is', () => {
    expect(inParagraph('a <img src=x onerror=alert(1)> b')).toContainEqual({
      kind: 'text',
      text: '<img src=x onerror=alert(1)>',
    });
    expect(partsOf('<script>alert(1)</script>')).toEqual([{ kind: 'text', text: '<script>alert(1)</script>' }]);
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    '//evil.example',
    '/relative',
    'vbscript:x',
  ])('makes no link of %s', (url) => {
    expect(JSON.stringify(partsOf(`[click](${url}) ![p](${url}) <${url}>`))).not.toContain('"link"');
  });

  it('links to http and https, and to a picture instead of loading it', () => {
    expect(inParagraph('[runbook](https://runbooks.example/x)')).toMatchObject([
      { kind: 'link', url: 'https://runbooks.example/x' },
    ]);
    expect(inParagraph('![graph](http://grafana.example/g.png)')).toMatchObject([
      { kind: 'link', url: 'http://grafana.example/g.png', parts: [{ kind: 'text', text: 'graph' }] },
    ]);
  });

  it('shows what is nested too deep as text', () => {
    const deep = (parts: readonly Part[]): number =>
      1 + Math.max(0, ...parts.map((part) => ('parts' in part ? deep(part.parts) : 0)));
    expect(deep(partsOf(`${'> '.repeat(200)}here`))).toBeLessThan(13);
    expect(JSON.stringify(partsOf(`${'>'.repeat(8_000)}here`))).toContain('here');
  });

  it('is quick with what was made to be slow', () => {
    const began = performance.now();
    for (const text of ['[a]('.repeat(2_000), '*'.repeat(8_000), '`'.repeat(4_000), '![['.repeat(2_700)]) partsOf(text);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('links nowhere but to http and https, whatever is typed', () => {
    const urls = (parts: readonly Part[]): string[] => JSON.stringify(parts).match(/"url":"[^"]*"/g) ?? [];
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '[',
            ']',
            '(',
            ')',
            '<',
            '>',
            '!',
            'a',
            '\n',
            '\\',
            '`',
            'javascript:x',
            'https://x.example',
            '&#106;avascript:',
            '"',
          ),
        ),
        (bits) => {
          expect(urls(partsOf(bits.join(''))).every((url) => /^"url":"https?:/.test(url))).toBe(true);
        },
      ),
    );
  });
});
