import 'reflect-metadata';
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** Key and certificate of a TLS end in a test. */
export interface TestIdentity {
  /** PKCS#8 in PEM. */
  readonly key: string;
  readonly certificatePem: string;
  readonly certificate: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly pin: Uint8Array;
}

/** A certificate authority for TLS tests; it is not the code under test. */
export interface TestCa {
  readonly root: Uint8Array;
  readonly rootPem: string;
  /** Certificate for 127.0.0.1 and localhost, or for a device. */
  issue(options: {
    readonly for: 'server' | 'device';
    readonly role?: string;
    readonly notBeforeMs?: number;
    readonly notAfterMs?: number;
  }): Promise<TestIdentity>;
}

/** Makes a root. */
export async function testCa(name: string): Promise<TestCa> {
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys: keys as never,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 30 * DAY_MS),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
  });
  return {
    root: new Uint8Array(root.rawData),
    rootPem: root.toString('pem'),
    async issue({ for: use, role = 'uem', notBeforeMs = Date.now() - DAY_MS, notAfterMs = Date.now() + DAY_MS }) {
      const leafKeys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `CN=${use}`,
        issuer: root.subject,
        publicKey: leafKeys.publicKey as never,
        signingKey: keys.privateKey as never,
        signingAlgorithm: ALGORITHM,
        notBefore: new Date(notBeforeMs),
        notAfter: new Date(notAfterMs),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.ExtendedKeyUsageExtension([use === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'], true),
          ...(use === 'server'
            ? [
                new x509.SubjectAlternativeNameExtension([
                  { type: 'ip', value: '127.0.0.1' },
                  { type: 'dns', value: 'localhost' },
                  { type: 'url', value: `urn:uemkit:role:${role}` },
                ]),
              ]
            : []),
        ],
      });
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', leafKeys.privateKey)).toString('base64');
      const certificate = new Uint8Array(leaf.rawData);
      const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
      return {
        key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
        certificatePem: leaf.toString('pem'),
        certificate,
        pin: new Uint8Array(createHash('sha256').update(spki).digest()),
      };
    },
  };
}
