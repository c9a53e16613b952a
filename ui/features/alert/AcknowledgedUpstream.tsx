/** That someone has taken an alert in the system that sent it, since when, and what that means here. */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { Dated } from '../../components/Time.tsx';
import { acknowledgedWords } from './acknowledged-words.ts';

export function AcknowledgedUpstream({ word }: { word: NonNullable<AlertSpec['acknowledgedUpstream']> }) {
  const { who, again, meaning } = acknowledgedWords(word);
  return (
    <span>
      <Dated at={word.at} /> in the system that sent it{who}
      {again && (
        <>
          , and again <Dated at={again.at} />
          {again.who}
        </>
      )}
      : {meaning}
    </span>
  );
}
