/** Time has one door, kube/clock.ts: everywhere else it is an argument or a Clock. */
import { codeOf, type Finding, findAll, isCode, isTest, type Source } from './sources.ts';

const HELD = /^(crds|domain|operator|kube|history|webhook)\//;
const DOOR = 'kube/clock.ts';
const TIME =
  /\bDate\.now\b|\bnew Date\(\s*\)|(?<![.\w])Date\(\s*\)|\b(?:setTimeout|setInterval)\b|\bTemporal\.Now\b|['"](?:node:)?timers(?:\/promises)?['"]/g;

export function checkClock(sources: Source[]): Finding[] {
  return sources
    .filter((source) => isCode(source) && HELD.test(source.path) && source.path !== DOOR && !isTest(source.path))
    .flatMap(({ path, text }) =>
      findAll(
        path,
        codeOf(text),
        TIME,
        (match) => `${match[0].trim()}: time comes from a Clock (${DOOR}) or as an argument`,
      ),
    );
}
