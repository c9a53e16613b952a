/** The preview of a body of which nothing becomes an alert: what its sender would be told, and nothing else. Pure. */
import type { SourcePreview } from './wire-sources.ts';

/** What is said of a body that is refused as a whole. */
export const refusedPreview = (answer: SourcePreview['answer']): SourcePreview => ({
  answer,
  alerts: [],
  total: 0,
  noted: [],
  limits: [],
  problems: [],
  warnings: [],
  ignored: [],
  truncated: 0,
});
