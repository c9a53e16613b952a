/** Where a person goes on after signing in. Pure. */

/** The sign-in page, with where to go on afterwards. */
export const signInPath = (returnTo: string): string =>
  returnTo === '/' ? '/sign-in' : `/sign-in?return=${encodeURIComponent(returnTo)}`;

/** A path of ours, never another site's: `//host` and `/\host` would be, and so would they be with a tab in between, which browsers drop. */
export const safeReturn = (wanted: string | null): string =>
  wanted !== null && /^\/(?![/\\])/.test(wanted) && !/[\t\n\r]/.test(wanted) && !wanted.startsWith('/sign-in')
    ? wanted
    : '/incidents';
