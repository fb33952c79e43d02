import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { httpSignature, isProtocolError } from '../../src/index.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { certificate, certificateInfo } from '../../src/x509/certificate-writer.ts';
import type { CertificateUsage } from '../../src/x509/index.ts';

const crypto = nodeCrypto();
const NOW_MS = 1_748_800_000_000;
const YEAR_MS = 31_536_000_000;
const TARGET = 'https://uem.example:8443/uemkit/1/device';
const BODY = Uint8Array.of(1, 2, 3);
const EPOCH = new Uint8Array(8).fill(5);
const scalarOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

const ROOT = scalarOf(1);
const issuer = { commonName: 'Root', publicKey: crypto.p256PublicKey(ROOT) };

function issued(scalar: Uint8Array, purpose: Parameters<typeof certificateInfo>[1]['purpose'], days = { from: -1, to: 365 }): Uint8Array {
  const publicKey = crypto.p256PublicKey(scalar);
  const [notBeforeMs, notAfterMs] = [NOW_MS + days.from * 86_400_000, NOW_MS + days.to * 86_400_000];
  const content = {
    serial: Uint8Array.of(9),
    issuer,
    commonName: purpose.kind === 'authority' ? 'Root' : 'device',
    publicKey,
    notBeforeMs,
    notAfterMs,
    purpose,
  };
  const info = certificateInfo(crypto, content);
  return certificate(info, crypto.p256Sign(ROOT, info));
}

function leaf(uri: string, ...usages: CertificateUsage[]): Parameters<typeof certificateInfo>[1]['purpose'] {
  return { kind: 'leaf', usages, uris: [uri], dnsNames: [], ipAddresses: [] };
}

const root = issued(ROOT, { kind: 'authority', pathLength: 0 }, { from: -2, to: 3_650 });
const DEVICE = scalarOf(2);
const device = issued(DEVICE, leaf('urn:uuid:device', 'clientAuth'));
const UEM = scalarOf(3);
const uem = issued(UEM, leaf('urn:uemkit:role:uem', 'serverAuth', 'clientAuth'));

function request(more: Partial<httpSignature.RequestToSign> = {}): httpSignature.SignatureFields {
  const prepared = httpSignature.prepareRequest(crypto, {
    targetUri: TARGET,
    body: BODY,
    certificate: device,
    createdS: NOW_MS / 1_000,
    epoch: EPOCH,
    random: new Uint8Array(16),
    ...more,
  });
  return prepared.fields(crypto.p256Sign(DEVICE, prepared.base));
}

const verify = (fields: httpSignature.ReceivedFields, more: Partial<httpSignature.SignedRequest> = {}): httpSignature.RequestProof =>
  httpSignature.verifyRequest(crypto, { targetUri: TARGET, body: BODY, fields, roots: [root], ...more });

describe('signed requests', () => {
  it('are believed for their certificate, whatever its dates: those are for the role to judge', () => {
    expect(verify(request())).toMatchObject({ certificate: device, createdS: NOW_MS / 1_000, expiresS: NOW_MS / 1_000 + 60, epoch: EPOCH });
    const old = issued(DEVICE, leaf('urn:uuid:device', 'clientAuth'), { from: 1, to: 2 });
    expect(verify(request({ certificate: old })).certificate).toEqual(old);
  });

  it('are refused without any one of the fields', () => {
    for (const name of httpSignature.SIGNATURE_FIELDS) {
      expect(() => verify({ ...request(), [name]: undefined })).toThrow(expect.objectContaining({ code: 'ERR_WIRE_FIELD', details: { field: name } }));
    }
  });

  it('are refused for another body, place, root or purpose', () => {
    const refused = (code: string, work: () => unknown): void => expect(work).toThrow(expect.objectContaining({ code }));
    refused('ERR_CRYPTO_SIGNATURE', () => verify(request(), { body: Uint8Array.of(1, 2, 4) }));
    refused('ERR_CRYPTO_SIGNATURE', () => verify(request(), { targetUri: TARGET.replace('device', 'activation') }));
    refused('ERR_CERTIFICATE_CHAIN', () => verify(request(), { roots: [] }));
    const server = issued(DEVICE, leaf('urn:uemkit:role:uem', 'serverAuth'));
    refused('ERR_CERTIFICATE_CHAIN', () => verify(request({ certificate: server })));
    refused('ERR_CERTIFICATE_FORMAT', () => verify(request({ certificate: Uint8Array.of(0x30, 0x00) })));
  });

  it('are refused after any change of one character', () => {
    const whole = request();
    fc.assert(
      fc.property(fc.constantFrom(...httpSignature.SIGNATURE_FIELDS), fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (name, at, character) => {
        const text = whole[name];
        const index = at % text.length;
        const changed = text.slice(0, index) + String.fromCharCode(character) + text.slice(index + 1);
        fc.pre(changed !== text);
        try {
          verify({ ...whole, [name]: changed });
        } catch (error) {
          return isProtocolError(error) && /^ERR_(WIRE_FIELD|CRYPTO_SIGNATURE|CERTIFICATE_FORMAT|CERTIFICATE_CHAIN)$/.test(error.code);
        }
        return false;
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['a byte sequence as input', { 'signature-input': 'uemkit=:YQ==:' }],
    ['a list as signature', { signature: 'uemkit=()' }],
    ['a signature with a parameter', { signature: `${request().signature};a` }],
    ['a list as digest', { 'content-digest': 'sha-256=()' }],
    ['a digest with a parameter', { 'content-digest': `${request()['content-digest']};a` }],
    ['two inputs', { 'signature-input': `${request()['signature-input']}, other=()` }],
  ])('are refused with %s', (_name, changed) => {
    expect(() => verify({ ...request(), ...changed })).toThrow(expect.objectContaining({ code: 'ERR_WIRE_FIELD' }));
  });

  it('name one place in one way', () => {
    expect(httpSignature.targetUri('UEM.example:443', '/a')).toBe('https://uem.example/a');
    expect(httpSignature.targetUri('[2001:DB8::1]:8443', '/a')).toBe('https://[2001:db8::1]:8443/a');
    expect(httpSignature.targetUri('uem.example:4430', '/a')).toBe('https://uem.example:4430/a');
  });
});

describe('signed answers', () => {
  const requestSignature = new Uint8Array(64).fill(6);

  function answer(more: Partial<httpSignature.AnswerToSign> = {}, scalar = UEM): httpSignature.SignatureFields {
    const prepared = httpSignature.prepareAnswer(crypto, { body: BODY, certificate: uem, createdS: NOW_MS / 1_000, requestSignature, ...more });
    return prepared.fields(crypto.p256Sign(scalar, prepared.base));
  }

  const check = (fields: httpSignature.ReceivedFields, more: Partial<httpSignature.SignedAnswer> = {}): void =>
    httpSignature.verifyAnswer(crypto, { body: BODY, fields, requestSignature, roots: [root], nowMs: NOW_MS, ...more });

  it('are believed when UEM signed them for this request', () => {
    expect(() => check(answer())).not.toThrow();
  });

  it.each([
    ['another body', answer(), { body: Uint8Array.of(9) }, 'ERR_CRYPTO_SIGNATURE'],
    ['the answer to another request', answer(), { requestSignature: new Uint8Array(64) }, 'ERR_CRYPTO_SIGNATURE'],
    ['another key', answer({}, DEVICE), {}, 'ERR_CRYPTO_SIGNATURE'],
    ['another root', answer(), { roots: [] }, 'ERR_CERTIFICATE_CHAIN'],
    ['a device that poses as UEM', answer({ certificate: device }, DEVICE), {}, 'ERR_CERTIFICATE_CHAIN'],
    [
      'another role of the same root',
      answer({ certificate: issued(DEVICE, leaf('urn:uemkit:role:notification', 'serverAuth', 'clientAuth')) }, DEVICE),
      {},
      'ERR_CERTIFICATE_CHAIN',
    ],
    ['a certificate that is out of date', answer(), { nowMs: NOW_MS + 2 * YEAR_MS }, 'ERR_CERTIFICATE_VALIDITY'],
    ['the signature of a request', request(), {}, 'ERR_WIRE_FIELD'],
    ['a time that is text', { ...answer(), 'signature-input': answer()['signature-input'].replace(/created=\d+/, 'created="1"') }, {}, 'ERR_WIRE_FIELD'],
  ] as const)('are refused: %s', (_name, fields, more, code) => {
    expect(() => check(fields, more)).toThrow(expect.objectContaining({ code }));
  });
});
