import { fromHex, x509 } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { changed, type WrongServer } from './wrong-server.ts';

type About = Omit<WrongServer, 'options'>;
/** Second byte of a record: who sends it. */
const FROM_DEVICE = 0;
const BLOCK_BYTES = 16;
/** Of a record: header, iv and tag. */
const OVERHEAD_BYTES = 62;

/** What is changed in the sealed content of A5 and A6. */
interface Changes {
  request?(content: wire.ActivationRequestContent): wire.ActivationRequestContent;
  outcome?(outcome: wire.ActivationOutcome): wire.ActivationOutcome;
}

/** A wrong server that reads another content in A5 than was sealed, or seals another one in A6: between its records and its cipher. */
export function onContent(about: About, changes: () => Changes): WrongServer {
  const right = nodeCrypto();
  return {
    ...about,
    options() {
      const { request, outcome } = changes();
      return {
        crypto: {
          ...right,
          cbcHs512(key) {
            const cipher = right.cbcHs512(key);
            return {
              open(iv, head, ciphertext, tag) {
                const plaintext = cipher.open(iv, head, ciphertext, tag);
                if (request === undefined || head[1] !== FROM_DEVICE) return plaintext;
                return wire.activationRequestContent.encodeBody(request(wire.activationRequestContent.decodeBody(plaintext)));
              },
              seal(iv, head, plaintext) {
                if (outcome === undefined || head[1] === FROM_DEVICE) return cipher.seal(iv, head, plaintext);
                const other = wire.encodeActivationOutcome(outcome(wire.decodeActivationOutcome(plaintext)));
                const newHead = head.slice();
                setCiphertextBytes(newHead, other.length + BLOCK_BYTES - (other.length % BLOCK_BYTES));
                return cipher.seal(iv, newHead, other);
              },
              wipe: () => cipher.wipe(),
            };
          },
        },
        // The sealer has written the header of the record for the content that it knew.
        interceptor: {
          exchange: async (_role, request, next) =>
            changed(await next(request), wire.activationResult, ({ record }) => {
              const mended = record.slice();
              setCiphertextBytes(mended, record.length - OVERHEAD_BYTES);
              return { record: mended };
            }),
        },
      };
    },
  };
}

/** Length of the ciphertext in the header of a record. */
function setCiphertextBytes(record: Uint8Array, lengthBytes: number): void {
  new DataView(record.buffer, record.byteOffset).setUint32(10, lengthBytes);
}

/** A wrong server that gives devices other details in A6. */
function detailing(about: About, change: (details: wire.ActivationDetails) => wire.ActivationDetails): WrongServer {
  return onContent(about, () => ({ outcome: (outcome) => (wire.isActivationRefused(outcome) ? outcome : change(outcome)) }));
}

/** A wrong server that gives devices a certificate with other content. */
function certifying(about: About, change: (leaf: x509.Certificate) => Partial<x509.CertificateContent>): WrongServer {
  return detailing(about, (details) => {
    const [leaf, ...above] = details.certificates as readonly [Uint8Array, ...Uint8Array[]];
    return { ...details, certificates: [issued(x509.readCertificate(leaf), change), ...above] };
  });
}

/** The same certificate with other content, by an authority of its own. */
function issued(leaf: x509.Certificate, change: (leaf: x509.Certificate) => Partial<x509.CertificateContent>): Uint8Array {
  const crypto = nodeCrypto();
  const scalar = new Uint8Array(32).fill(1);
  const issuer = { commonName: 'another authority', publicKey: crypto.p256PublicKey(scalar) };
  const info = x509.certificateInfo(crypto, { ...leaf, serial: fromHex(leaf.serial), issuer, ...change(leaf) });
  return x509.certificate(info, crypto.p256Sign(scalar, info));
}

const NIL = '00000000-0000-4000-8000-000000000000';

/** DER of one value without what stands behind it: a length in two bytes follows the tag. */
function firstValue(der: Uint8Array): Uint8Array {
  return der.slice(0, 4 + ((der[2] as number) << 8) + (der[3] as number));
}

/** Servers that are wrong inside the records of A5 and A6. */
export const WRONG_CONTENT: readonly WrongServer[] = [
  detailing({ name: 'sends-elsewhere', breaks: 'A6 names another device listener', caughtBy: 'a6-details' }, (details) => ({
    ...details,
    configuration: { ...details.configuration, deviceAddress: 'other.invalid:443' },
  })),
  {
    name: 'takes-any-tag',
    breaks: 'tags of records are not looked at',
    caughtBy: 'a5-record-damaged',
    options() {
      const right = nodeCrypto();
      return {
        crypto: {
          ...right,
          cbcHs512(key) {
            const cipher = right.cbcHs512(key);
            // Nothing but a wrong tag makes an opening of these bytes fail, so the right tag is found by sealing.
            const open: typeof cipher.open = (iv, head, ciphertext, tag) => {
              try {
                return cipher.open(iv, head, ciphertext, tag);
              } catch {
                const mended = tag.slice();
                mended[mended.length - 1] = (mended.at(-1) as number) ^ 1;
                return cipher.open(iv, head, ciphertext, mended);
              }
            };
            return { ...cipher, open };
          },
        },
      };
    },
  },
  onContent({ name: 'takes-bytes-behind-requests', breaks: 'bytes behind a certificate request are passed over', caughtBy: 'csr-trailing-bytes' }, () => ({
    request: (content) => ({ ...content, csr: firstValue(content.csr) }),
  })),
  certifying({ name: 'names-nobody', breaks: 'the certificate has another name than the device', caughtBy: 'certificate-names-device' }, () => ({
    commonName: NIL,
  })),
  certifying({ name: 'lets-devices-serve', breaks: 'the certificate of a device is good for servers', caughtBy: 'certificate-purpose' }, ({ purpose }) => ({
    purpose: { ...(purpose as Extract<x509.CertificatePurpose, { kind: 'leaf' }>), usages: ['clientAuth', 'serverAuth'] },
  })),
  certifying({ name: 'certifies-by-another', breaks: 'the certificate comes from another authority', caughtBy: 'certificate-chain' }, () => ({})),
  certifying({ name: 'counts-short', breaks: 'serial numbers are short', caughtBy: 'certificate-serial' }, () => ({
    serial: Uint8Array.of(1, ...nodeEntropy().randomBytes(7)),
  })),
  onContent(
    { name: 'believes-subjects', breaks: 'the subject of the request becomes the name in the certificate', caughtBy: 'certificate-ignores-subject' },
    () => {
      let commonName: string | undefined;
      return {
        request(content) {
          commonName = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(Buffer.from(content.csr).toString('latin1'))?.[0];
          return content;
        },
        outcome(outcome) {
          const leaf = wire.isActivationRefused(outcome) ? undefined : outcome.certificates[0];
          if (leaf === undefined || commonName === undefined) return outcome;
          const name = commonName;
          return { ...(outcome as wire.ActivationDetails), certificates: [issued(x509.readCertificate(leaf), () => ({ commonName: name }))] };
        },
      };
    },
  ),
];
