/**
 * The one door to Amazon SNS: fetches the certificates that it signs with, and visits the address that confirms a subscription. Promises
 * that nothing but SNS' own hosts is asked, that each answer is bounded in size and time, and that redirects are not followed.
 */
import { Agent, get, type RequestOptions } from 'node:https';
import type { Clock } from '@funnelai/kube/clock';
import { createBoundedCache } from '../auth/bounded-cache.ts';
import { SNS_ANSWER_BYTES, SNS_CERTIFICATE_TTL_MS, SNS_CERTIFICATES, SNS_DEADLINE_MS } from '../limits.ts';
import { snsAddress } from './aws-sns-message.ts';

export interface SnsDoor {
  /** Returns the certificate in PEM. Throws when it cannot be had now. */
  certificate(url: string): Promise<string>;
  /** Visits the address of a SubscriptionConfirmation. Throws when SNS did not confirm. */
  confirm(url: string): Promise<void>;
}

/** `connection` is for tests: another authority, or another way to the host. */
export function createSnsDoor(deps: { clock: Clock; connection?: RequestOptions }): SnsDoor {
  const agent = new Agent({ keepAlive: false, maxSockets: 8 });
  const certificates = createBoundedCache<string>(deps.clock, SNS_CERTIFICATE_TTL_MS, SNS_CERTIFICATES);
  const ask = (text: string) => fetchText(text, { agent, ...deps.connection }, deps.clock);
  return {
    certificate: (url) => certificates.get(url, () => ask(url)),
    async confirm(url) {
      await ask(url);
    },
  };
}

function fetchText(text: string, options: RequestOptions, clock: Clock): Promise<string> {
  const url = snsAddress(text);
  if (url === undefined) return Promise.reject(new Error('the address is none of Amazon SNS'));
  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const disarm = clock.after(SNS_DEADLINE_MS, () => abort.abort(new Error(`no answer of ${url.hostname} in time`)));
    const fail = (error: Error) => {
      disarm();
      reject(abort.signal.aborted ? abort.signal.reason : error);
    };
    const request = get(url, { ...options, signal: abort.signal }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('error', fail);
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > SNS_ANSWER_BYTES) request.destroy(new Error(`the answer of ${url.hostname} is too large`));
        else parts.push(part);
      });
      response.on('end', () => {
        disarm();
        if (response.statusCode === 200) resolve(Buffer.concat(parts).toString('utf8'));
        else reject(new Error(`${url.hostname} answered ${response.statusCode}`));
      });
    });
    request.on('error', fail);
  });
}
