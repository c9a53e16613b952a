/** What must not be committed: tests that do not run, words of unfinished work, names of one person's machine. */
import { codeOf, type Finding, findAll, isCode, isTest, type Source } from './sources.ts';

/** Written apart, so that this file does not find itself. */
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`, 'g');
const MACHINE = new RegExp(
  `(?<![\\w.~/-])/(?:${['wo' + 'rk', 'ro' + 'ot', 'ho' + 'me/[a-z]'].join('|')})/[\\w.-]+`,
  'g',
);
const NEVER_RUNS = /\b(?:it|test|describe)\.(?:skip|only|todo|fails)\b/g;

export function checkWords(sources: Source[]): Finding[] {
  return sources.flatMap((source) => {
    const { path, text } = source;
    return [
      ...findAll(path, text, UNFINISHED, (match) => `"${match[0]}": finish it or write an issue`),
      ...findAll(path, text, MACHINE, (match) => `"${match[0]}" is a path of one machine`),
      ...(isCode(source) && isTest(path)
        ? findAll(path, codeOf(text), NEVER_RUNS, (match) => `${match[0]}: a test runs always, or it is deleted`)
        : []),
    ];
  });
}
