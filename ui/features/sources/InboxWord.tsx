/** What of a source lies in the inbox, in a few words: those that wait for a person first. */
import type { SourceInbox } from '@funnelai/domain/wire-sources';
import { Age } from '../../components/Time.tsx';
import { asideWords, waitWords } from './words.ts';

export function InboxWord({ inbox }: { inbox: SourceInbox | undefined }) {
  if (inbox === undefined) return 'not known';
  const { waiting, oldestAt, setAside } = inbox;
  if (waiting + setAside === 0) return 'nothing';
  return (
    <>
      {setAside > 0 && <strong>{asideWords(inbox)}</strong>}
      {setAside > 0 && waiting > 0 && ', '}
      {waiting > 0 && waitWords(waiting)}
      {waiting > 0 && oldestAt !== undefined && (
        <>
          , oldest <Age at={oldestAt} />
        </>
      )}
    </>
  );
}
