/** What is said of an acknowledgement in the system that sent an alert. Pure. */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import type { AlertItem } from '@funnelai/domain/wire';

export interface AcknowledgedWords {
  /** ", by Icinga"; empty where its sender did not say. */
  who: string;
  /** The newest that is trusted, where that is another one than the first. */
  again?: { at: string; who: string };
  meaning: string;
}

const whoOf = ({ by }: { by?: string }): string => (by === undefined ? '' : `, by ${by}`);

export function acknowledgedWords(word: NonNullable<AlertSpec['acknowledgedUpstream']>): AcknowledgedWords {
  const { at, trusted } = word;
  if (trusted === undefined) return { who: whoOf(word), meaning: 'that changes nothing here' };
  const meaning = 'its source is trusted in that. The incident is acknowledged once all of its alerts that fire are';
  if (trusted.at === at) return { who: whoOf(word), meaning };
  return { who: whoOf(word), again: { at: trusted.at, who: whoOf(trusted) }, meaning };
}

/** The same beside one of many alerts of an incident. */
export const acknowledgedInShort = (word: NonNullable<AlertItem['acknowledged']>): string =>
  `Acknowledged in the system that sent it${whoOf(word)}${word.isTrusted ? '' : ', which changes nothing here'}`;
