import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** The company's own certificate authority, for its servers. */
export interface CompanyCertificates {
  /** PEM: what an app of the company is built with. */
  readonly ca: string;
  /** Key and certificate of a server, as PEM. */
  issue(host: string): Promise<{ readonly key: string; readonly cert: string }>;
}

/** An authority for a day. */
export async function companyCertificates(): Promise<CompanyCertificates> {
  const valid = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS), signingAlgorithm: ALGORITHM };
  const keys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...valid,
    name: 'CN=Company',
    keys: keys as never,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    ca: root.toString('pem'),
    async issue(host) {
      const own = await newKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        ...valid,
        subject: 'CN=Server',
        issuer: root.subject,
        publicKey: own.publicKey as never,
        signingKey: keys.privateKey as never,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
      });
      const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', own.privateKey), 'PRIVATE KEY');
      return { key, cert: certificate.toString('pem') };
    },
  };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}
