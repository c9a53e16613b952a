/** Counts as people read them. Pure. */

const format = new Intl.NumberFormat('en-GB');

/** `1,240`. */
export const number = (n: number): string => format.format(Math.round(n));
