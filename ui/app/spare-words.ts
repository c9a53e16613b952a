/** What people are told while alerts come in by the inbox. Pure. */
import type { IntakeSpare } from '@funnelai/domain/wire';

/** The sentence around the time since when it is so. */
export function spareWords({ why, waiting }: IntakeSpare): { before: string; after: string } {
  const wait = waiting === 1 ? '1 alert waits there' : `${waiting.toLocaleString('en')} alerts wait there`;
  if (why === 'apiServerAway')
    return {
      before: 'New alerts are not shown: the API server has not taken any',
      after: `. They are kept in Postgres and none is lost; ${waiting === 0 ? 'none waits yet' : wait}.`,
    };
  return {
    before: 'Some new alerts are late: they have been kept in Postgres',
    after: ` until the API server has taken them. None is lost; ${wait}.`,
  };
}
