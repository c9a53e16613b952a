/** Which addresses may be links. Pure. */

/** Links that lead away are http(s); a `javascript:` one, however it is written, is text. */
export const isOutwardUrl = (url: string): boolean => /^https?:\/\/[^\s]+$/i.test(url);
