/** What people are told while alerts come in by the inbox. Pure. */
import type { IntakeSpare } from '@funnelai/domain/wire';
import { waitWords } from '../features/sources/words.ts';

export interface SpareWords {
  /** Before the time since when it is so. */
  what: string;
  /** After it: why, what is still true, and what that means for who is on duty. */
  stillTrue: string;
  /** What changes every few seconds. */
  waiting: string;
}

export function spareWords({ why, waiting }: IntakeSpare): SpareWords {
  const wait = waitWords(waiting);
  switch (why) {
    case 'apiServerAway':
      return {
        what: 'New alerts have not been shown here',
        stillTrue:
          ': the Kubernetes API server takes none. None is lost: they wait in Postgres and follow by themselves, but open no incident until then.',
        waiting: waiting === 0 ? 'None waits yet.' : `${wait} now.`,
      };
    case 'late':
      return {
        what: 'Some new alerts have come late',
        stillTrue: '. None is lost: they wait in Postgres and follow by themselves, but open no incident until then.',
        waiting: waiting === 0 ? 'None waits yet.' : `${wait} now.`,
      };
    case 'bothAway':
      return {
        what: 'No alert has been stored',
        stillTrue:
          ': neither the Kubernetes API server nor Postgres takes any. Senders are told to keep what they have and to send it again; until then look there for what is new.',
        waiting: waiting === 0 ? '' : `${wait} in Postgres from before.`,
      };
  }
}
