import { describe, expect, it } from 'vitest';
import { checkClock } from './clock.ts';
import { checkImports } from './imports.ts';
import { codeOf } from './sources.ts';
import { checkWords } from './words.ts';

const at = (path: string, text: string) => [{ path, text }];
const messages = (findings: { path: string; line: number; message: string }[]) =>
  findings.map(({ line, message }) => `${line}: ${message}`);

describe('the import column', () => {
  it.each([
    ['domain/a.ts', `import { x } from '@funnelai/kube/client';`],
    ['domain/a.ts', `import { readFileSync } from 'node:fs';`],
    ['domain/a.ts', `import pg from 'pg';`],
    ['domain/a.ts', `const id = crypto.randomUUID();`],
    ['crds/a.ts', `export { x } from '@funnelai/domain/x';`],
    ['kube/a.ts', `const x = await import('@funnelai/history/pool');`],
    ['ui/a/b.tsx', `import type { X } from '@funnelai/webhook/api';`],
    ['webhook/a.ts', `import '@funnelai/operator/main';`],
    ['operator/a/b.ts', `import {\n  x,\n  y,\n} from '../../kube/client.ts';`],
    ['dev/a.ts', `import { x } from "@funnelai/domain/x";`],
  ])('refuses in %s: %s', (path, text) => {
    expect(checkImports(at(path, text))).toHaveLength(1);
  });

  it.each([
    ['operator/a.ts', `import { x } from '@funnelai/history/pool';`],
    ['ui/a.tsx', `import { x } from '@funnelai/domain/matcher';\nimport React from 'react';`],
    ['domain/a.ts', `import { Temporal } from 'temporal-polyfill';`],
    ['domain/a.test.ts', `import { readFileSync } from 'node:fs';`],
    ['kube/a.int.test.ts', `import { until } from '@funnelai/test/harness/wait';`],
    ['kube/a.ts', `// import { x } from '@funnelai/operator/x';\nconst s = "import x from '@funnelai/operator/x'";`],
    ['kube/a.ts', 'const s = `import x from "@funnelai/operator/x"`;'],
    ['kube/a.ts', `const r = /import "@funnelai\\/operator"/;`],
  ])('accepts in %s: %s', (path, text) => {
    expect(checkImports(at(path, text))).toEqual([]);
  });

  it('names the line and what is allowed', () => {
    const text = `/** Two\n lines. */\nimport { x } from '@funnelai/operator/x';`;
    expect(messages(checkImports(at('ui/a.ts', text)))).toEqual([
      '3: ui/ may import crds, domain, found @funnelai/operator/x',
    ]);
  });
});

describe('the clock rule', () => {
  it.each([
    'Date.now()',
    'new Date()',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'Temporal.Now.instant()',
    'globalThis.setTimeout(f)',
  ])('refuses %s', (code) => {
    expect(checkClock(at('operator/a.ts', `const x = ${code};`))).toHaveLength(1);
  });

  it('refuses the timers module', () => {
    expect(checkClock(at('webhook/a.ts', `import { setTimeout } from 'node:timers/promises';`)).length).toBeGreaterThan(
      0,
    );
  });

  it.each([
    ['kube/clock.ts', 'setTimeout(f, 1)'],
    ['operator/a.test.ts', 'Date.now()'],
    ['dev/a.ts', 'Date.now()'],
    ['domain/a.ts', 'new Date(text)'],
    ['domain/a.ts', '/* Date.now() */ clock.now()'],
    ['domain/a.ts', `'Date.now()'`],
  ])('leaves %s alone with %s', (path, code) => {
    expect(checkClock(at(path, code))).toEqual([]);
  });
});

describe('words that stay out', () => {
  it('finds unfinished work, tests that never run and paths of a machine', () => {
    expect(checkWords(at('docs/a.md', `see TO${'DO'}`))).toHaveLength(1);
    expect(checkWords(at('a.test.ts', 'it' + '.only(1)'))).toHaveLength(1);
    expect(checkWords(at('docs/a.md', `cd /wo${'rk'}/main`))).toHaveLength(1);
    expect(checkWords(at('docs/a.md', 'cd ~/work/main, https://example.com/work/main'))).toEqual([]);
  });
});

describe('code without comments and strings', () => {
  it('keeps length and lines', () => {
    const text = `a; // b 'c\n/* d\n e */ f('g', \`h\n i\`, /j'k/) / 2;`;
    const code = codeOf(text);
    expect(code).toHaveLength(text.length);
    expect(code.replace(/ +/g, ' ')).toBe('a; \n \n f( , \n , ) / 2;');
  });
});
