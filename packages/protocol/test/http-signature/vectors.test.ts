import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/bytes/bytes.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { requireContentDigest } from '../../src/http-signature/content-digest.ts';
import { signatureBase } from '../../src/http-signature/signature-base.ts';
import { type Member, readDictionary, writeItem } from '../../src/http-signature/structured-field.ts';
import { httpSignature } from '../../src/index.ts';
import { load, PROVIDERS } from '../vectors/vectors.ts';

interface Foreign {
  readonly signatureInput: string;
  readonly signature: string;
  readonly values: Readonly<Record<string, string>>;
}

const rfc = load<{
  readonly ecdsa: Foreign & { readonly publicKey: string };
  readonly hmac: Foreign & { readonly key: string };
  readonly digests: readonly { readonly body: string; readonly field: string }[];
}>('rfc/rfc9421-b.json');

interface Signed {
  readonly id: string;
  readonly body: string;
  readonly certificate: string;
  readonly createdS: number;
  readonly base: string;
  readonly signature: string;
  readonly fields: httpSignature.SignatureFields;
}

const vectors = load<{
  readonly root: string;
  readonly requests: readonly (Signed & { readonly targetUri: string; readonly epoch: string; readonly random: string })[];
  readonly refused: readonly {
    readonly id: string;
    readonly targetUri: string;
    readonly body: string;
    readonly fields: httpSignature.SignatureFields;
    readonly code: string;
  }[];
  readonly answers: readonly (Signed & { readonly requestSignature: string })[];
}>('uemkit/signatures.json');

const roots = [fromHex(vectors.root)];

function onlyMember(text: string): Member {
  return [...readDictionary('field', text).values()][0] as Member;
}

/** Base and signature of an example, made from its fields and the values of its message. */
function rebuilt({ signatureInput, signature, values }: Foreign): { readonly base: Uint8Array; readonly signature: Uint8Array } {
  const [input, value] = [onlyMember(signatureInput), onlyMember(signature)];
  if (input.kind !== 'list' || value.kind !== 'bytes') throw new Error('not a signature');
  const components = input.items.map((item) => ({ ...item, value: values[writeItem(item)] as string }));
  return { base: signatureBase(components, input.parameters), signature: value.value };
}

describe.each(PROVIDERS)('examples of RFC 9421 and RFC 9530 with $name', ({ crypto }) => {
  it('verifies B.2.4, an answer signed by ecdsa-p256-sha256', () => {
    const { base, signature } = rebuilt(rfc.ecdsa);
    expect(crypto.p256Verify(fromHex(rfc.ecdsa.publicKey), base, signature)).toBe(true);
  });

  it('makes the base of B.2.5, as its HMAC shows', () => {
    const { base, signature } = rebuilt(rfc.hmac);
    expect(toHex(crypto.hmacSha256(fromHex(rfc.hmac.key), base))).toBe(toHex(signature));
  });

  it('makes and takes the digests of RFC 9530', () => {
    for (const { body, field } of rfc.digests) {
      expect(httpSignature.contentDigest(crypto, utf8(body))).toBe(field);
      expect(() => requireContentDigest(crypto, field, utf8(body))).not.toThrow();
    }
    expect(rfc.digests).toHaveLength(2);
  });
});

describe.each(PROVIDERS)('vectors of the second implementation, signatures, with $name', ({ crypto }) => {
  const plain = { sha256: crypto.sha256 };

  it.each(vectors.requests.map((request) => [request.id, request] as const))('%s', (_id, request) => {
    const [body, certificate, epoch, random] = [request.body, request.certificate, request.epoch, request.random].map(fromHex) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const { targetUri, createdS } = request;
    const prepared = httpSignature.prepareRequest(plain, { targetUri, body, certificate, createdS, epoch, random });
    expect(new TextDecoder().decode(prepared.base)).toBe(request.base);
    expect(prepared.fields(fromHex(request.signature))).toEqual(request.fields);
    const proof = httpSignature.verifyRequest(crypto, { targetUri, body, fields: request.fields, roots });
    expect(proof).toMatchObject({ createdS, expiresS: createdS + 60, certificate, epoch, signature: fromHex(request.signature) });
  });

  it.each(vectors.refused.map((refused) => [refused.id, refused] as const))('%s', (_id, { targetUri, body, fields, code }) => {
    expect(() => httpSignature.verifyRequest(crypto, { targetUri, body: fromHex(body), fields, roots })).toThrow(expect.objectContaining({ code }));
  });

  it.each(vectors.answers.map((answer) => [answer.id, answer] as const))('%s', (_id, answer) => {
    const [body, certificate, requestSignature] = [answer.body, answer.certificate, answer.requestSignature].map(fromHex) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const { createdS, fields } = answer;
    const prepared = httpSignature.prepareAnswer(plain, { body, certificate, createdS, requestSignature });
    expect(new TextDecoder().decode(prepared.base)).toBe(answer.base);
    expect(prepared.fields(fromHex(answer.signature))).toEqual(fields);
    expect(() => httpSignature.verifyAnswer(crypto, { body, fields, requestSignature, roots, nowMs: createdS * 1_000 })).not.toThrow();
  });

  it('ran them all', () => {
    expect([vectors.requests.length, vectors.refused.length, vectors.answers.length]).toEqual([3, 30, 1]);
  });
});
