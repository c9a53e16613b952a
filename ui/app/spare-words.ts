/** What people are told while alerts come in by the inbox, and while something that they rely on is away. Pure. */
import type { IntakeSpare } from '@funnelai/domain/wire';
import { waitWords } from '../features/sources/words.ts';

export interface SpareWords {
  /** Before the time since when it is so. */
  what: string;
  /** After it: why, what is still true, and what that means for who is on duty. */
  stillTrue: string;
  /** What changes every few seconds. */
  waiting: string;
  /** Do the sources say more? Those whose alerts wait, or whose alerts were refused. */
  look: 'waiting' | 'refused' | undefined;
}

const TURNED_AWAY = 'Senders are told to keep them and to send them again; until then look there for what is new.';

export function spareWords({ why, waiting, isRefusing }: IntakeSpare): SpareWords {
  const wait = waitWords(waiting);
  switch (why) {
    case 'apiServerAway':
      return {
        what: 'New alerts have not been shown here',
        stillTrue:
          ': the Kubernetes API server takes none. None is lost: they wait in Postgres and follow by themselves, but open no incident until then.',
        waiting: waiting === 0 ? 'None waits yet.' : `${wait} now.`,
        look: 'waiting',
      };
    case 'late':
      return {
        what: 'Some new alerts have come late',
        stillTrue: '. None is lost: they wait in Postgres and follow by themselves, but open no incident until then.',
        waiting: waiting === 0 ? 'None waits yet.' : `${wait} now.`,
        look: 'waiting',
      };
    case 'bothAway':
      return {
        what: 'No alert has been stored',
        stillTrue:
          ': neither the Kubernetes API server nor Postgres takes any. Senders are told to keep what they have and to send it again; until then look there for what is new.',
        waiting: waiting === 0 ? '' : `${wait} in Postgres from before.`,
        look: undefined,
      };
    case 'databaseAway':
      return {
        what: 'The history database has not been reached',
        stillTrue:
          isRefusing === true
            ? `: some new alerts are turned away, as their source is at its bound. ${TURNED_AWAY} All others come in, and incidents open, move and close; earlier ones cannot be shown, and nothing expires.`
            : ': alerts still come in, and incidents open, move and close; earlier ones cannot be shown, nothing expires, and a source at its bound takes no new alerts.',
        waiting: waiting === 0 ? '' : `${wait} in it from before.`,
        look: isRefusing === true ? 'refused' : undefined,
      };
    case 'databaseOld':
      return {
        what: 'The history database has lacked tables of this version',
        stillTrue:
          isRefusing === true
            ? `: some new alerts are turned away, as their source is at its bound, and there is no place for them until the operator of this version has started. ${TURNED_AWAY} All others come in, and incidents open, move and close.`
            : ': the operator of this version makes them when it starts. Until then alerts still come in, and incidents open, move and close; part of history cannot be shown, and new alerts of a source at its bound wait there.',
        waiting: waiting === 0 ? '' : `${wait} now.`,
        look: isRefusing === true ? 'refused' : waiting > 0 ? 'waiting' : undefined,
      };
    case 'full':
      return {
        what: 'Some alerts have been turned away',
        stillTrue: `: their source is at its bound, and no database keeps what is beyond it. ${TURNED_AWAY}`,
        waiting: '',
        look: 'refused',
      };
  }
}
