/** Our own files as git sees them, and their code without what only looks like code: comments and the insides of strings. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Source {
  /** Below the root, with forward slashes. */
  path: string;
  text: string;
}

export interface Finding {
  path: string;
  line: number;
  message: string;
}

const CODE = /\.(ts|tsx|js)$/;
const TEXT = /\.(ts|tsx|js|css|html|svg|sql|json|ya?ml|md|mod)$|(^|\/)(\.ci\/run|\.editorconfig|\.gitignore)$/;
const NOT_OURS = /(^|\/)(node_modules|dist|generated)\//;

/** Every text file that is tracked, or would be if it were added. */
export function textFiles(root: string): Source[] {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], options).split('\0');
  return listed
    .filter(
      (path) => TEXT.test(path) && !NOT_OURS.test(path) && path !== 'package-lock.json' && existsSync(join(root, path)),
    )
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

export const isCode = ({ path }: Source): boolean => CODE.test(path);
/** Tests, and what only they use. */
export const isTest = (path: string): boolean => /\.test\.tsx?$|\/testing\//.test(path);

/** Before a slash: this begins a regular expression, not a division. */
const REGEX_MAY_FOLLOW = /(^|[=(,:[!&|?{};+\-*%<>~]|=>|\b(?:return|typeof|case|in|of|await|yield|void|do|else))\s*$/;

/**
 * The code with comments blanked, and with the insides of strings blanked too but for those that name a module. Same length
 * and same lines as the text.
 */
export function codeOf(text: string): string {
  let out = '';
  let at = 0;
  const blank = (to: number) => {
    out += text.slice(at, to).replace(/[^\n]/g, ' ');
    at = to;
  };
  const endOf = (pattern: RegExp, from: number, fallback: number) => {
    pattern.lastIndex = from;
    const found = pattern.exec(text);
    return found ? found.index + found[0].length : fallback;
  };
  while (at < text.length) {
    const here = text[at] ?? '';
    const pair = text.slice(at, at + 2);
    const line = endOf(/\n|$/g, at, text.length);
    if (pair === '//') blank(line);
    else if (pair === '/*') blank(endOf(/\*\//g, at + 2, text.length));
    else if (here === '`') blank(endOf(/(?<!\\)(?:\\\\)*`/g, at + 1, text.length));
    else if (here === "'" || here === '"') {
      // An apostrophe in the text of a page closes on no line: it ends where the line does.
      const end = Math.min(endOf(here === "'" ? /(?<!\\)(?:\\\\)*'/g : /(?<!\\)(?:\\\\)*"/g, at + 1, line), line);
      if (/(\bfrom|\bimport)\s*\(?\s*$/.test(out.slice(-40))) {
        out += text.slice(at, end);
        at = end;
      } else blank(end);
    } else if (here === '/' && REGEX_MAY_FOLLOW.test(out.slice(-40))) {
      blank(Math.min(endOf(/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/g, at + 1, at + 1), line));
    } else {
      out += here;
      at++;
    }
  }
  return out;
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Every match of `pattern` in `code`, as findings. */
export function findAll(
  path: string,
  code: string,
  pattern: RegExp,
  message: (match: RegExpExecArray) => string | undefined,
): Finding[] {
  return [...code.matchAll(pattern)].flatMap((match) => {
    const said = message(match);
    return said === undefined ? [] : [{ path, line: lineOf(code, match.index), message: said }];
  });
}
