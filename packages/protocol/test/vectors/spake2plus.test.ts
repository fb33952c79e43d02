import { describe, expect, it } from 'vitest';
import { concatBytes, u64le, utf8 } from '../../src/bytes/bytes.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import { load, PROVIDERS } from './vectors.ts';

type Suite = Readonly<Record<string, string>>;

const { suites } = load<{ suites: Readonly<Record<string, Suite>> }>('spake2plus/rfc9383.json');
const RFC_SUITES = Object.entries(suites).filter(([name]) => name.startsWith('SPAKE2+-P256'));
const { M, N } = suites.prover as Suite & { M: string; N: string };

/** Keys of the other suites: the port has SHA-256 and HMAC, so it runs the schedule of one suite and the points of all. */
const SCHEDULE_SUITE = 'SPAKE2+-P256-SHA256-HKDF-SHA256-HMAC-SHA256';

const lp64 = (bytes: Uint8Array): Uint8Array => concatBytes(u64le(bytes.length), bytes);

describe.each(PROVIDERS)('SPAKE2+ (RFC 9383) with $name', ({ crypto }) => {
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
  });

  it('keys of the suite that the protocol uses', () => {
    const suite = suites[SCHEDULE_SUITE] as Suite;
    const main = crypto.sha256(fromHex(suite.TT as string));
    const confirmation = crypto.hkdfExpand(crypto.hkdfExtract(new Uint8Array(0), main), utf8('ConfirmationKeys'), 64);
    const shared = crypto.hkdfExpand(crypto.hkdfExtract(new Uint8Array(0), main), utf8('SharedKey'), 32);
    const [keyP, keyV] = [confirmation.slice(0, 32), confirmation.slice(32)];
    expect({
      K_main: toHex(main),
      K_confirmP: toHex(keyP),
      K_confirmV: toHex(keyV),
      HMAC_K_confirmP_shareV: toHex(crypto.hmacSha256(keyP, fromHex(suite.shareV as string))),
      HMAC_K_confirmV_shareP: toHex(crypto.hmacSha256(keyV, fromHex(suite.shareP as string))),
      K_shared: toHex(shared),
    }).toEqual({
      K_main: suite.K_main,
      K_confirmP: suite.K_confirmP,
      K_confirmV: suite.K_confirmV,
      HMAC_K_confirmP_shareV: suite.HMAC_K_confirmP_shareV,
      HMAC_K_confirmV_shareP: suite.HMAC_K_confirmV_shareP,
      K_shared: suite.K_shared,
    });
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
