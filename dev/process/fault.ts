/** The one error that dev/ shows to people without a stack: what failed, why, and what to do about it. */
export class Fault extends Error {
  override name = 'Fault';
}

/** The message of whatever was thrown, for a line in the terminal. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stable code of a system error such as ENOENT, where it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
