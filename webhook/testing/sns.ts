/** Amazon SNS as far as a subscriber meets it: signs messages, serves its certificate and confirms subscriptions, over TLS of its own. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from '@funnelai/kube/testing/certificates';
import { readEnvelope, signedText } from '../receivers/aws-sns-message.ts';

export const SNS_HOST = 'sns.eu-west-1.amazonaws.com';

export interface FakeSns {
  /** Leads every connection here, and trusts the authority of this SNS alone. */
  connection: RequestOptions;
  /** Paths that were asked for, in order. */
  asked: string[];
  /** The same envelope with a signature of that version. */
  sign(envelope: object, version?: '1' | '2'): Record<string, unknown>;
  /** Answers everything with that status. */
  answer(status: number): void;
  stop(): Promise<void>;
}

export async function startSns(): Promise<FakeSns> {
  const authority = selfSigned('Test Authority');
  const tls = authority.issue(SNS_HOST);
  const signer = authority.issue('sns.amazonaws.com', generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const asked: string[] = [];
  let status = 200;
  const server = createServer({ key: tls.key, cert: tls.cert }, (request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status, { connection: 'close' });
    response.end(request.url?.endsWith('.pem') ? signer.cert : '<ConfirmSubscriptionResponse/>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    connection: { ca: authority.cert, agent: false, ...leadTo(port) },
    asked,
    sign(envelope, version = '2') {
      const whole = {
        ...envelope,
        SignatureVersion: version,
        SigningCertURL: `https://${SNS_HOST}/cert-1.pem`,
        Signature: 'x',
      };
      const hash = version === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
      const signature = createSign(hash)
        .update(signedText(readEnvelope(whole)), 'utf8')
        .sign(signer.key, 'base64');
      return { ...whole, Signature: signature };
    },
    answer(next) {
      status = next;
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Whatever the host, the bytes go to this port; the name in TLS stays that of the host. */
function leadTo(port: number): RequestOptions {
  return { lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]), port };
}
