/** The title of an incident: a rule's Liquid template rendered once at opening, bounded in what it may do and in how long it is. */
import { Liquid, type Template } from 'liquidjs';
import { CUT_MARK, cleanText } from './bytes.ts';
import type { Labels } from './labels.ts';

export const TITLE_MAX_CHARS = 256;
const TEMPLATE_MAX_CHARS = 4096;

/** Templates reach own properties only, no files, no clock, and stop at these bounds. */
const liquid = new Liquid({
  ownPropertyOnly: true,
  strictFilters: true,
  parseLimit: TEMPLATE_MAX_CHARS,
  renderLimit: 50,
  memoryLimit: 100_000,
  relativeReference: false,
  templates: {},
});
/** Files are not a rule's to read, and a title does not depend on when it was rendered. */
for (const name of ['include', 'render', 'layout', 'block']) delete liquid.tags[name];
for (const name of ['date', 'date_to_xmlschema', 'date_to_rfc822', 'date_to_string', 'date_to_long_string', 'sample']) {
  delete liquid.filters[name];
}

export class TitleSyntaxError extends Error {}
export type TitleTemplate = readonly Template[];

/** What a title may speak of. */
export interface TitleContext {
  /** The group's values by label. */
  group: Labels;
  /** The alert that opens it, and all so far: one. */
  alert: { title: string; severity: string; labels: Labels; annotations: Labels };
  alerts: { title: string; severity: string; labels: Labels; annotations: Labels }[];
}

/** Returns the template ready to be rendered. Throws TitleSyntaxError with line and column. */
export function compileTitle(text: string): TitleTemplate {
  try {
    return liquid.parse(text);
  } catch (e) {
    throw new TitleSyntaxError(e instanceof Error ? e.message : String(e));
  }
}

/** Returns the title in one line, cut to 256 characters; undefined when the template yields nothing or fails on these values. */
export function renderTitle(template: TitleTemplate, context: TitleContext): string | undefined {
  try {
    const text: unknown = liquid.renderSync([...template], context);
    return oneLine(typeof text === 'string' ? text : '', TITLE_MAX_CHARS) || undefined;
  } catch {
    return undefined;
  }
}

/** As the schema has it: spaces of all scripts, control characters, and those without a width make no title. */
const VISIBLE = /[^\s\p{Z}\p{Cc}\p{Cf}]/u;

/** Returns the text in one line of at most `maxChars` characters, with a mark where it was cut; '' where there is nothing to see. */
export function oneLine(text: string, maxChars: number): string {
  if (!VISIBLE.test(text)) return '';
  const points = [
    ...cleanText(text)
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim(),
  ];
  return points.length <= maxChars ? points.join('') : points.slice(0, maxChars - 1).join('') + CUT_MARK;
}
