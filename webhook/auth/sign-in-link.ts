/** One-time codes of `npm start`'s link: each is exchanged for its token once, whoever comes first, and is off the disk before the answer. */
import { createHash } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';

export interface SignInLinks {
  /** Returns the token of a code that still stands, and leaves it standing. */
  peek(code: string): Promise<string | undefined>;
  /** Takes the code away and returns its token; undefined for everyone but the first. */
  consume(code: string): Promise<string | undefined>;
}

const NO_LINKS: SignInLinks = { peek: async () => undefined, consume: async () => undefined };
const FILE_BYTES = 1024 * 1024;

/** `path` absent: there are no codes. The file is read at each use, so that codes may be added while this runs. */
export function createSignInLinks(path: string | undefined): SignInLinks {
  if (path === undefined) return NO_LINKS;
  let last: Promise<unknown> = Promise.resolve();
  return {
    async peek(code) {
      return lookUp(await readCodes(path), code);
    },
    consume(code) {
      const mine = last.then(async () => {
        const codes = await readCodes(path);
        const token = lookUp(codes, code);
        if (token === undefined) return undefined;
        delete codes[hashOf(code)];
        await writeCodes(path, codes);
        return token;
      });
      last = mine.catch(() => {});
      return mine;
    },
  };
}

function lookUp(codes: Record<string, string>, code: string): string | undefined {
  // The hash is looked up, not the code: how long that takes says nothing about a code.
  const hash = hashOf(code);
  return Object.hasOwn(codes, hash) ? codes[hash] : undefined;
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

async function readCodes(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    if ((await stat(path)).size > FILE_BYTES) throw new Error(`the sign-in file is larger than ${FILE_BYTES} bytes`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  const parsed: unknown = JSON.parse(text);
  const codes = typeof parsed === 'object' && parsed !== null && 'codes' in parsed ? parsed.codes : undefined;
  if (typeof codes !== 'object' || codes === null) throw new Error('the sign-in file: expected an object "codes"');
  return Object.fromEntries(Object.entries(codes).filter((e): e is [string, string] => typeof e[1] === 'string'));
}

/** Whole or not at all, and on the disk: a crash after the answer must not bring a code back. */
async function writeCodes(path: string, codes: Record<string, string>): Promise<void> {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ codes })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}
