/** What tells one fault from all others. */
export interface FaultKey {
  namespace: string;
  source: string;
  fingerprint: string;
}

/** The same as one text; names of Kubernetes hold no slash. */
export const faultKey = ({ namespace, source, fingerprint }: FaultKey): string =>
  `${namespace}/${source}/${fingerprint}`;
