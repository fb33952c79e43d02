import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/bytes/bytes.ts';
import { type SecretBytes, secret } from '../../src/bytes/secret.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { randomScalar } from '../../src/key-schedule/scalar.ts';
import { proverSecrets, proverShare, SPAKE2_M, SPAKE2_N, verifierSecrets, verifierShare } from '../../src/key-schedule/spake2plus.ts';
import { seededEntropy } from '../../src/testing/fakes/seeded-entropy.ts';
import { load, PROVIDERS, thrown } from '../vectors/vectors.ts';

type Suite = Readonly<Record<string, string>>;
const NAME = 'SPAKE2+-P256-SHA256-HKDF-SHA256-HMAC-SHA256';
const { suites } = load<{ suites: Readonly<Record<string, Suite>> }>('spake2plus/rfc9383.json');
const suite = suites[NAME] as Suite;

function value<P extends string>(field: string): SecretBytes<P> {
  return secret(fromHex(suite[field] as string));
}

const identities = { context: utf8(`${NAME} Test Vectors`), prover: utf8('client'), verifier: utf8('server') };

describe.each(PROVIDERS)('SPAKE2+ functions with $name', ({ crypto }) => {
  const shares = { shareP: value('shareP') as Uint8Array, shareV: value('shareV') as Uint8Array };
  const witness = () => ({ w0: value<'w0'>('w0'), w1: value<'w1'>('w1') });

  it('give the values of RFC 9383, appendix C, on both sides', () => {
    expect(toHex(proverShare(crypto, value('w0'), value('x')))).toBe(suite.shareP);
    expect(toHex(verifierShare(crypto, value('w0'), value('y')))).toBe(suite.shareV);
    const x = value<'spake2-scalar'>('x');
    const y = value<'spake2-scalar'>('y');
    const sides = [proverSecrets(crypto, identities, witness(), x, shares), verifierSecrets(crypto, identities, { w0: value('w0'), L: value('L') }, y, shares)];
    for (const side of sides) {
      expect([side.confirmP, side.confirmV, side.sharedKey].map(toHex)).toEqual([suite.HMAC_K_confirmP_shareV, suite.HMAC_K_confirmV_shareP, suite.K_shared]);
    }
    expect([x, y].map(toHex)).toEqual(['00'.repeat(32), '00'.repeat(32)]);
  });

  it('have the points M and N of the RFC', () => {
    expect([SPAKE2_M, SPAKE2_N].map(toHex)).toEqual([suites.prover?.M, suites.prover?.N]);
  });

  it('do not agree when an identity, the context or the password differs', () => {
    const entropy = seededEntropy('spake2+ differs');
    const honest = proverSecrets(crypto, identities, witness(), value('x'), shares);
    const others = [
      proverSecrets(crypto, { ...identities, context: utf8('other') }, witness(), value('x'), shares),
      proverSecrets(crypto, { ...identities, prover: utf8('cliens') }, witness(), value('x'), shares),
      proverSecrets(crypto, { ...identities, verifier: utf8('serves') }, witness(), value('x'), shares),
      proverSecrets(crypto, { ...identities, prover: utf8('clients'), verifier: utf8('erver') }, witness(), value('x'), shares),
      proverSecrets(crypto, identities, { ...witness(), w1: randomScalar(entropy) }, value('x'), shares),
      proverSecrets(crypto, identities, { ...witness(), w0: randomScalar(entropy) }, value('x'), shares),
    ];
    for (const other of others) {
      expect(toHex(other.confirmV)).not.toBe(toHex(honest.confirmV));
      expect(toHex(other.confirmP)).not.toBe(toHex(honest.confirmP));
      expect(toHex(other.sharedKey)).not.toBe(toHex(honest.sharedKey));
    }
  });

  it('refuse an empty identity', () => {
    for (const bad of [
      { ...identities, prover: new Uint8Array(0) },
      { ...identities, verifier: new Uint8Array(0) },
    ]) {
      expect(thrown(() => proverSecrets(crypto, bad, witness(), value('x'), shares))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
      expect(thrown(() => verifierSecrets(crypto, bad, { w0: value('w0'), L: value('L') }, value('y'), shares))).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    }
  });

  it('check a share before a provider that would take other forms sees it', () => {
    const lax = { ...crypto, p256Subtract: () => crypto.p256PublicKey(value('x')) };
    const compressed = Uint8Array.of(2 + ((shares.shareV[64] as number) & 1), ...shares.shareV.subarray(1, 33));
    const attempt = (shareV: Uint8Array) => () => proverSecrets(lax, identities, witness(), value('x'), { ...shares, shareV });
    expect(thrown(attempt(compressed))).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
    expect(thrown(attempt(shares.shareV))).toBeUndefined();
  });

  const mask = crypto.p256Multiply(value('w0'), SPAKE2_M);
  const offCurve = fromHex(suite.shareP as string);
  offCurve[64] = (offCurve[64] as number) ^ 1;
  const badShares: readonly (readonly [string, Uint8Array])[] = [
    ['off the curve', offCurve],
    ['compressed', Uint8Array.of(2 + ((shares.shareP[64] as number) & 1), ...shares.shareP.subarray(1, 33))],
    ['hybrid', Uint8Array.of(6 + ((shares.shareP[64] as number) & 1), ...shares.shareP.subarray(1))],
    ['the identity', Uint8Array.of(0)],
    ['empty', new Uint8Array(0)],
    ['w0·M, which leads to the identity', mask],
  ];

  it.each(badShares)('refuse a share that is %s, and forget the scalar', (_name, share) => {
    const y = value<'spake2-scalar'>('y');
    const attempt = () => verifierSecrets(crypto, identities, { w0: value('w0'), L: value('L') }, y, { ...shares, shareP: share });
    expect(thrown(attempt)).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
    expect(toHex(y)).toBe('00'.repeat(32));
    const x = value<'spake2-scalar'>('x');
    const atProver = share === mask ? crypto.p256Multiply(value('w0'), SPAKE2_N) : share;
    expect(thrown(() => proverSecrets(crypto, identities, witness(), x, { ...shares, shareV: atProver }))).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
    expect(toHex(x)).toBe('00'.repeat(32));
  });
});
