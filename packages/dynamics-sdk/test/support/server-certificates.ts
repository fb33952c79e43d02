import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

export interface ServerCertificates {
  readonly rootPem: string;
  /** Key and certificate of a server with this name. */
  issue(host: string): Promise<{ readonly key: string; readonly cert: string }>;
}

/** An authority of the company for its servers. */
export async function serverCertificates(): Promise<ServerCertificates> {
  const keys = await generated();
  const valid = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS), signingAlgorithm: ALGORITHM };
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...valid,
    name: 'CN=company',
    keys: keys as never,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    rootPem: root.toString('pem'),
    async issue(host) {
      const own = await generated();
      const leaf = await x509.X509CertificateGenerator.create({
        ...valid,
        subject: 'CN=server',
        issuer: root.subject,
        publicKey: own.publicKey as never,
        signingKey: keys.privateKey as never,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
      });
      const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', own.privateKey), 'PRIVATE KEY');
      return { key, cert: leaf.toString('pem') };
    },
  };
}

async function generated(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}
