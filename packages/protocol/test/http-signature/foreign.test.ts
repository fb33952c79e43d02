import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createSigner, createVerifier, httpbis } from 'http-message-signatures';
import { expect, it } from 'vitest';
import { toBase64url } from '../../src/bytes/text.ts';
import { httpSignature } from '../../src/index.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { certificate, certificateInfo } from '../../src/x509/certificate-writer.ts';

/**
 * The referee: `http-message-signatures` of npm, an implementation of RFC 9421 that shares nothing with ours. It reads the real clock and verifies `expires` by it,
 * so requests are made now.
 */
const crypto = nodeCrypto();
const TARGET = 'https://uem.example:8443/uemkit/1/device';
const BODY = Uint8Array.of(1, 2, 3);
const nowS = Math.floor(Date.now() / 1_000);

function pair(): { readonly publicKey: Uint8Array; readonly scalar: Uint8Array; readonly privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { d, x, y } = privateKey.export({ format: 'jwk' });
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');
  return { privateKey, scalar: new Uint8Array(bytes(d)), publicKey: new Uint8Array(Buffer.concat([Buffer.of(4), bytes(x), bytes(y)])) };
}

const rootKeys = pair();
const deviceKeys = pair();
const uemKeys = pair();

function issued(publicKey: Uint8Array, purpose: Parameters<typeof certificateInfo>[1]['purpose']): Uint8Array {
  const issuer = { commonName: 'Root', publicKey: rootKeys.publicKey };
  const [notBeforeMs, notAfterMs] = [(nowS - 86_400) * 1_000, (nowS + 86_400) * 1_000];
  const info = certificateInfo(crypto, { serial: Uint8Array.of(9), issuer, commonName: 'Root', publicKey, notBeforeMs, notAfterMs, purpose });
  return certificate(info, crypto.p256Sign(rootKeys.scalar, info));
}

const root = issued(rootKeys.publicKey, { kind: 'authority', pathLength: 0 });
const leaf = { kind: 'leaf', dnsNames: [], ipAddresses: [] } as const;
const device = issued(deviceKeys.publicKey, { ...leaf, usages: ['clientAuth'], uris: ['urn:uuid:device'] });
const uem = issued(uemKeys.publicKey, { ...leaf, usages: ['serverAuth', 'clientAuth'], uris: ['urn:uemkit:role:uem'] });
const keyIdOf = (der: Uint8Array): string => toBase64url(crypto.sha256(der));

function ourRequest(): httpSignature.SignatureFields {
  const prepared = httpSignature.prepareRequest(crypto, {
    targetUri: TARGET,
    body: BODY,
    certificate: device,
    createdS: nowS,
    epoch: new Uint8Array(8),
    random: new Uint8Array(16),
  });
  return prepared.fields(crypto.p256Sign(deviceKeys.scalar, prepared.base));
}

/** What the referee needs to verify: who signs with which key id. */
function lookUp(keyId: string, privateKey: KeyObject): Parameters<typeof httpbis.verifyMessage>[0] {
  const verify = createVerifier(createPublicKey(privateKey), 'ecdsa-p256-sha256');
  return {
    keyLookup: async ({ keyid }) => (keyid === keyId ? { id: keyId, algs: ['ecdsa-p256-sha256'], verify } : null),
    requiredFields: ['content-digest'],
    requiredParams: ['created', 'keyid', 'tag'],
    tolerance: 5,
  };
}

it('has its requests verified by the referee', async () => {
  const sent = { method: 'POST', url: TARGET, headers: { ...ourRequest() } };
  expect(await httpbis.verifyMessage(lookUp(keyIdOf(device), deviceKeys.privateKey), sent)).toBe(true);
  // The referee can say no.
  expect(await httpbis.verifyMessage(lookUp(keyIdOf(device), deviceKeys.privateKey), { ...sent, url: `${TARGET}2` })).toBe(false);
  expect(await httpbis.verifyMessage(lookUp(keyIdOf(device), uemKeys.privateKey), sent)).toBe(false);
});

it('verifies the requests of the referee', async () => {
  const signed = await httpbis.signMessage(
    {
      key: createSigner(createPrivateKey(deviceKeys.privateKey.export({ format: 'pem', type: 'pkcs8' })), 'ecdsa-p256-sha256', keyIdOf(device)),
      name: 'uemkit',
      // Another order than ours.
      params: ['tag', 'keyid', 'nonce', 'created', 'expires', 'alg'],
      fields: ['@method', '@target-uri', 'content-digest'],
      paramValues: {
        created: new Date(nowS * 1_000),
        expires: new Date((nowS + 30) * 1_000),
        nonce: toBase64url(new Uint8Array(24).fill(3)),
        tag: 'uemkit-request-1',
      },
    },
    {
      method: 'POST',
      url: TARGET,
      headers: { 'content-digest': httpSignature.contentDigest(crypto, BODY), 'uemkit-certificate': `:${Buffer.from(device).toString('base64')}:` },
    },
  );
  const headers = Object.fromEntries(Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const proof = httpSignature.verifyRequest(crypto, { targetUri: TARGET, body: BODY, fields: headers as httpSignature.ReceivedFields, roots: [root] });
  expect(proof).toMatchObject({ certificate: device, createdS: nowS, expiresS: nowS + 30, epoch: new Uint8Array(8).fill(3) });
});

it('has its answers verified by the referee, bound to the request', async () => {
  const request = { method: 'POST', url: TARGET, headers: { ...ourRequest() } };
  const requestSignature = new Uint8Array(Buffer.from(/:(.*):/.exec(request.headers.signature)?.[1] ?? '', 'base64'));
  const prepared = httpSignature.prepareAnswer(crypto, { body: BODY, certificate: uem, createdS: nowS, requestSignature });
  const answer = { status: 200, headers: { ...prepared.fields(crypto.p256Sign(uemKeys.scalar, prepared.base)) } };
  expect(await httpbis.verifyMessage(lookUp(keyIdOf(uem), uemKeys.privateKey), answer, request)).toBe(true);
  const other = { ...request, headers: { ...ourRequest() } };
  expect(other.headers.signature).not.toBe(request.headers.signature);
  expect(await httpbis.verifyMessage(lookUp(keyIdOf(uem), uemKeys.privateKey), answer, other)).toBe(false);
});
