import { describe, expect, it } from 'vitest';
import { concatBytes, u64le, utf8 } from '../../src/bytes/bytes.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { load, PROVIDERS } from './vectors.ts';

type Suite = Readonly<Record<string, string>>;

const { suites } = load<{ suites: Readonly<Record<string, Suite>> }>('spake2plus/rfc9383.json');
const RFC_SUITES = Object.entries(suites).filter(([name]) => name.startsWith('SPAKE2+-P256'));
const { M, N } = suites.prover as Suite & { M: string; N: string };

const lp64 = (bytes: Uint8Array): Uint8Array => concatBytes(u64le(bytes.length), bytes);

describe.each(PROVIDERS)('SPAKE2+ (RFC 9383) with $name', ({ crypto }) => {
  const executed = new Set<string>();
  const { p256PublicKey: base, p256Multiply: multiply, p256Add: add, p256Subtract: subtract } = crypto;

  it('has four suites of the RFC and one of the draft', () => {
    expect(RFC_SUITES).toHaveLength(4);
    expect(Object.keys(suites)).toHaveLength(7);
  });

  it.each(RFC_SUITES)('points and transcript of %s', (name, suite) => {
    const value = (field: string): Uint8Array => fromHex(suite[field] as string);
    const [w0, w1, x, y] = [value('w0'), value('w1'), value('x'), value('y')];
    const [m, n] = [fromHex(M), fromHex(N)];
    expect(base(w1)).toEqual(value('L'));
    const shareP = add(base(x), multiply(w0, m));
    const shareV = add(base(y), multiply(w0, n));
    expect([shareP, shareV]).toEqual([value('shareP'), value('shareV')]);
    const atProver = subtract(shareV, multiply(w0, n));
    const atVerifier = subtract(shareP, multiply(w0, m));
    expect([multiply(x, atProver), multiply(w1, atProver)]).toEqual([value('Z'), value('V')]);
    expect([multiply(y, atVerifier), multiply(y, value('L'))]).toEqual([value('Z'), value('V')]);
    const parts = [utf8(`${name} Test Vectors`), utf8('client'), utf8('server'), m, n, shareP, shareV, value('Z'), value('V'), w0];
    expect(toHex(concatBytes(...parts.map(lp64)))).toBe(suite.TT);
    for (const field of ['w0', 'w1', 'x', 'y', 'L', 'shareP', 'shareV', 'Z', 'V', 'TT']) executed.add(`${name}.${field}`);
  });

  it.each(RFC_SUITES.filter(([name]) => name.includes('-HKDF-SHA256-')))('keys of %s', (name, suite) => {
    const main = crypto.sha256(fromHex(suite.TT as string));
    const keyBytes = (suite.K_confirmP as string).length / 2;
    const confirmation = crypto.hkdfExpand(crypto.hkdfExtract(new Uint8Array(0), main), utf8('ConfirmationKeys'), 2 * keyBytes);
    const [keyP, keyV] = [confirmation.slice(0, keyBytes), confirmation.slice(keyBytes)];
    const derived: Record<string, Uint8Array> = {
      K_main: main,
      K_confirmP: keyP,
      K_confirmV: keyV,
      K_shared: crypto.hkdfExpand(crypto.hkdfExtract(new Uint8Array(0), main), utf8('SharedKey'), (suite.K_shared as string).length / 2),
    };
    if (name.endsWith('-HMAC-SHA256')) {
      derived.HMAC_K_confirmP_shareV = crypto.hmacSha256(keyP, fromHex(suite.shareV as string));
      derived.HMAC_K_confirmV_shareP = crypto.hmacSha256(keyV, fromHex(suite.shareP as string));
    }
    for (const [field, bytes] of Object.entries(derived)) expect([field, toHex(bytes)]).toEqual([field, suite[field]]);
    for (const field of Object.keys(derived)) executed.add(`${name}.${field}`);
  });

  it('has run every value but those of primitives that the port does not have', () => {
    const skipped: Record<string, number> = {};
    for (const [name, suite] of RFC_SUITES) {
      for (const field of Object.keys(suite).filter((candidate) => !executed.has(`${name}.${candidate}`))) {
        const reason = name.includes('SHA512') ? 'the port has no SHA-512' : field.startsWith('CMAC') ? 'the port has no CMAC' : field;
        skipped[reason] = (skipped[reason] ?? 0) + 1;
      }
    }
    expect({ executed: executed.size, skipped }).toEqual({ executed: 50, skipped: { 'the port has no SHA-512': 12, 'the port has no CMAC': 2 } });
  });

  it('points of the draft that Matter uses; its key schedule is another one and is left out', () => {
    const { prover, verifier } = suites as { prover: Suite; verifier: Suite };
    const point = (field: string): Uint8Array => concatBytes(Uint8Array.of(4), fromHex(verifier[field] as string));
    const scalar = (field: string): Uint8Array => fromHex(verifier[field] as string);
    expect(add(base(scalar('x')), multiply(scalar('w0'), fromHex(M)))).toEqual(point('X'));
    expect(add(base(scalar('y')), multiply(scalar('w0'), fromHex(N)))).toEqual(point('Y'));
    expect(base(scalar('w1'))).toEqual(point('L'));
    const atVerifier = subtract(point('X'), multiply(scalar('w0'), fromHex(M)));
    expect([multiply(scalar('y'), atVerifier), multiply(scalar('y'), point('L'))]).toEqual([point('Z'), point('V')]);
    const skipped = Object.keys(verifier).filter((field) => !['M', 'N', 'w0', 'w1', 'x', 'y', 'X', 'Y', 'L', 'Z', 'V'].includes(field));
    expect(skipped).toEqual(['K', 'K1', 'K2', 'M1', 'M2', 'Kenc', 'Kmac', 'Krmac', 'LONG_TERM_SHARED_SECRET']);
    expect(Object.entries(prover).filter(([field, text]) => verifier[field] !== text)).toEqual([]);
  });
});
