/** The link that signs in by itself, once: a code whose hash the webhook finds in a file and strikes out when it was used. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeAtomically } from '../process/atomic-file.ts';

const POLL_MS = 500;

export interface SignIn {
  /** Path of the link, with a code that was not used yet. */
  path(): string;
  stop(): void;
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

function isUsed(file: string, code: string): boolean {
  try {
    const { codes } = JSON.parse(readFileSync(file, 'utf8')) as { codes: Record<string, string> };
    return !(hashOf(code) in codes);
  } catch {
    // Being replaced this very moment, or damaged: ask again.
    return false;
  }
}

/** Keeps one unused code for `token` in `file`. `onChange` is called when the last one was used and another stands there. */
export function offerSignIn(file: string, token: string, onChange: () => void): SignIn {
  let code = '';
  const renew = () => {
    code = randomBytes(24).toString('base64url');
    writeAtomically(file, `${JSON.stringify({ codes: { [hashOf(code)]: token } })}\n`);
  };
  renew();
  const timer = setInterval(() => {
    if (!isUsed(file, code)) return;
    renew();
    onChange();
  }, POLL_MS);
  timer.unref();
  return { path: () => `/sign-in?code=${code}`, stop: () => clearInterval(timer) };
}
