import { expect, it } from 'vitest';
import { createNarrator } from './say.ts';

/** What stands on a terminal after these writes, line by line. */
function screen(columns = 80) {
  const lines = [''];
  return {
    lines,
    isTTY: true,
    columns,
    write(text: string) {
      for (const [at, line] of text.split('\n').entries()) {
        if (at > 0) lines.push('');
        const [before = '', ...cleared] = line.split('\r\x1b[2K');
        const last = lines.length - 1;
        lines[last] = cleared.at(-1) ?? lines[last] + before;
      }
    },
  };
}

it('what is said scrolls above what is going on, and leaves no trace of it', () => {
  const terminal = screen();
  const narrator = createNarrator(terminal);
  const [pages, postgres] = [Symbol('pages'), Symbol('postgres')];
  narrator.status(pages, 'building the pages: 2 s');
  narrator.say('Postgres 15');
  expect(terminal.lines).toEqual(['Postgres 15', 'building the pages: 2 s']);
  narrator.status(postgres, 'starting Postgres: 2 s');
  expect(terminal.lines.at(-1)).toBe('starting Postgres: 2 s (and 1 more)');
  narrator.status(pages, undefined);
  narrator.say('pages built');
  expect(terminal.lines).toEqual(['Postgres 15', 'pages built', 'starting Postgres: 2 s']);
  narrator.end();
  expect(terminal.lines).toEqual(['Postgres 15', 'pages built', '']);
});

it('what is going on never fills more than one line', () => {
  const terminal = screen(20);
  createNarrator(terminal).status(Symbol('x'), 'a line that is longer than the terminal is wide');
  expect(terminal.lines).toEqual(['a line that is long']);
});
