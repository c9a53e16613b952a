/** Throw-away X.509 certificates for TLS tests, signed here so that no key lies in the repository and no program is needed. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  cert: string;
  key: string;
  /** `keys` of another kind, for what must be signed with RSA. */
  issue(name: string, keys?: Pair): Certificate;
}

/** A certificate that signs others, for `127.0.0.1`, under that common name. */
export function selfSigned(name: string): Certificate {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return make(name, pair, name, pair.privateKey);
}

type Pair = { publicKey: KeyObject; privateKey: KeyObject };

function make(name: string, pair: Pair, issuer: string, signer: KeyObject): Certificate {
  const algorithm = seq(oid('2a8648ce3d040302'));
  const body = seq(
    tag(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer),
    seq(time('20200101000000Z'), time('20991231235959Z')),
    distinguishedName(name),
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    tag(
      0xa3,
      seq(
        extension('551d13', seq(tag(0x01, Buffer.from([0xff])))),
        // iPAddress 127.0.0.1, dNSName localhost and the name itself.
        extension('551d11', seq(tag(0x87, Buffer.from([127, 0, 0, 1])), tag(0x82, Buffer.from(name)))),
      ),
    ),
  );
  const signature = sign('sha256', body, signer);
  const der = seq(body, algorithm, tag(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    issue: (other, keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })) =>
      make(other, keys, name, pair.privateKey),
  };
}

/** DER: tag, length, content. */
function tag(type: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([type, ...size]), content]);
}
const seq = (...parts: Buffer[]): Buffer => tag(0x30, Buffer.concat(parts));
const oid = (hex: string): Buffer => tag(0x06, Buffer.from(hex, 'hex'));
const integer = (bytes: Buffer): Buffer => tag(0x02, bytes);
const time = (text: string): Buffer => tag(0x18, Buffer.from(text));
const distinguishedName = (name: string): Buffer => seq(tag(0x31, seq(oid('550403'), tag(0x0c, Buffer.from(name)))));
const extension = (id: string, value: Buffer): Buffer => seq(oid(id), tag(0x04, value));
