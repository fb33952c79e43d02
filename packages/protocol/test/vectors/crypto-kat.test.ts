import { describe, expect, it } from 'vitest';
import { concatBytes, lp, sameBytes, u16be, u64be, u64le, utf8 } from '../../src/bytes/bytes.ts';
import { fromHex, toHex } from '../../src/bytes/text.ts';
import type { CryptoProvider } from '../../src/ports/crypto-provider.ts';
import { load, PROVIDERS } from './vectors.ts';

/*
 * The known answers of the design, derived here from the primitives of each provider by the formulas of docs/protocol alone,
 * so that this file is a referee of the key schedule and not its echo.
 */
type Section = Readonly<Record<string, string>>;
interface HandshakeSection {
  readonly [field: string]: string | readonly string[] | undefined;
}
interface KnownAnswers {
  readonly accessKey: { readonly userId: string; readonly accessKey: string; readonly assisted: Section; readonly manual: Section };
  readonly hc_px: HandshakeSection;
  readonly hc_sc: HandshakeSection;
  readonly record_cbc: Section;
  readonly record_gcm: Section;
  readonly activationQr: Section;
  readonly activation: Section;
}

const kat = load<KnownAnswers>('crypto-kat.json');
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ZERO = new Uint8Array(32);
const NONE = new Uint8Array(0);

function tools(crypto: CryptoProvider) {
  const xl = (secret: Uint8Array, label: string, context: Uint8Array, lengthBytes: number): Uint8Array => {
    const name = utf8(`uemkit/1 ${label}`);
    const info = concatBytes(u16be(lengthBytes), Uint8Array.of(name.length), name, Uint8Array.of(context.length), context);
    return crypto.hkdfExpand(secret, info, lengthBytes);
  };
  const ex = crypto.hkdfExtract;
  const mix = (hash: Uint8Array, bytes: Uint8Array): Uint8Array => crypto.sha256(concatBytes(hash, lp(bytes)));
  return { xl, ex, mix };
}

it('has the sections that are carried out below, and no others', () => {
  const sections = ['accessKey', 'hc_px', 'hc_sc', 'record_cbc', 'record_gcm', 'activationQr', 'activation'];
  expect(Object.keys(kat)).toEqual(['note', ...sections]);
  expect(Object.keys(kat.accessKey)).toEqual(['userId', 'accessKey', 'assisted', 'manual']);
});

/** Every field of `actual` must stand in the file with the same value; returns the names that were compared. */
function compare(section: HandshakeSection | Section, actual: Readonly<Record<string, Uint8Array>>): string[] {
  for (const [field, bytes] of Object.entries(actual)) expect([field, toHex(bytes)]).toEqual([field, section[field]]);
  return Object.keys(actual);
}

describe.each(PROVIDERS)('crypto-kat.json with $name', ({ crypto }) => {
  const { xl, ex, mix } = tools(crypto);

  it.each(['assisted', 'manual'] as const)('access key, %s', async (path) => {
    const section = kat.accessKey[path];
    const key = utf8(kat.accessKey.accessKey);
    const salt = crypto.sha256(concatBytes(lp(utf8('uemkit/1 ak salt')), lp(utf8(kat.accessKey.userId))));
    const nonce = fromHex(section.nonce as string);
    const input = concatBytes(lp(key), lp(nonce));
    const stretched = path === 'assisted' ? ex(salt, input) : await crypto.scrypt(input, salt, { N: 32_768, r: 8, p: 1 }, 32);
    const akHash = xl(stretched, 'ak noc', NONE, 32);
    const compared = compare(section, {
      salt,
      K_ak: stretched,
      akHash,
      psk_sc: xl(stretched, 'ak sc', NONE, 32),
      nocVerifier: crypto.sha256(concatBytes(lp(utf8('uemkit/1 ak verifier')), lp(akHash))),
    });
    expect([...compared, 'nonce'].sort()).toEqual(Object.keys(section).sort());
  });

  it.each([
    ['px', kat.hc_px],
    ['sc', kat.hc_sc],
  ] as const)('handshake core, %s', (name, section) => {
    const field = (key: string): Uint8Array => fromHex(section[key] as string);
    const prologue = (section.prologue as readonly string[]).map((part) => (part.startsWith('hex:') ? fromHex(part.slice(4)) : utf8(part)));
    const h0 = crypto.sha256(concatBytes(lp(utf8(`uemkit/1 hs ${name}`)), ...prologue.map(lp)));
    const es = ex(ZERO, field('psk'));
    const afterCore1 = mix(h0, field('core1'));
    const kb = xl(es, 'binder', h0, 32);
    const mac1 = crypto.hmacSha256(kb, afterCore1);
    const h1 = mix(afterCore1, mac1);
    const initiator = field('e_i_sk');
    const responderKey = crypto.p256PublicKey(field('e_r_sk'));
    const withStatic: Record<string, Uint8Array> = {};
    let secret = es;
    if (section.s_r_sk !== undefined) {
      secret = ex(xl(es, 'derived', NONE, 32), crypto.p256Ecdh(initiator, crypto.p256PublicKey(field('s_r_sk'))));
      withStatic.s1 = secret;
    }
    const hs = ex(xl(secret, 'derived', NONE, 32), crypto.p256Ecdh(initiator, responderKey));
    expect(crypto.p256Ecdh(field('e_r_sk'), crypto.p256PublicKey(initiator))).toEqual(crypto.p256Ecdh(initiator, responderKey));
    const afterCore2 = mix(h1, field('core2'));
    const mac2 = crypto.hmacSha256(xl(hs, 'r fin', NONE, 32), afterCore2);
    const h2 = mix(afterCore2, mac2);
    const afterCore3 = mix(h2, field('core3'));
    const mac3 = crypto.hmacSha256(xl(hs, 'i fin', NONE, 32), afterCore3);
    const ms = ex(xl(hs, 'derived', NONE, 32), ZERO);
    const derived = {
      h0,
      es,
      h1,
      ...(section.kb === undefined ? {} : { kb }),
      mac1,
      ...withStatic,
      hs,
      mac2,
      h2,
      mac3,
      h3: mix(afterCore3, mac3),
      ms,
      ts_i: xl(ms, 'i ap', h2, 32),
      ts_r: xl(ms, 'r ap', h2, 32),
      exp: xl(ms, 'exp', h2, 32),
    };
    const inputs = ['e_i_sk', 'e_r_sk', 's_r_sk', 'core1', 'core2', 'core3', 'psk', 'prologue'].filter((key) => section[key] !== undefined);
    expect([...compare(section, derived), ...inputs].sort()).toEqual(Object.keys(section).sort());
  });

  it('CBC record', () => {
    const section = kat.record_cbc;
    const [ts, iv, aad, plaintext] = ['ts', 'iv', 'aad', 'pt'].map((key) => fromHex(section[key] as string)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const key64 = xl(ts, 'cbc', NONE, 64);
    const { ciphertext, tag } = crypto.cbcHs512(key64).seal(iv, aad, plaintext);
    expect([...compare(section, { key64, ct: ciphertext, tag }), 'ts', 'iv', 'seq', 'dir', 'pt', 'aad'].sort()).toEqual(Object.keys(section).sort());
    expect(crypto.cbcHs512(key64).open(iv, aad, ciphertext, tag)).toEqual(plaintext);
  });

  it('GCM record and key update', () => {
    const section = kat.record_gcm;
    const [ts, aad, plaintext] = ['ts', 'aad', 'pt'].map((key) => fromHex(section[key] as string)) as [Uint8Array, Uint8Array, Uint8Array];
    const key = xl(ts, 'key', NONE, 32);
    const iv = xl(ts, 'iv', NONE, 12);
    const sequence = concatBytes(new Uint8Array(4), u64be(section.seq as unknown as number));
    const nonce = iv.map((byte, index) => byte ^ (sequence[index] as number));
    const compared = compare(section, { key, iv, nonce, ct: crypto.gcm(key).seal(nonce, aad, plaintext), ts_next: xl(ts, 'upd', NONE, 32) });
    expect([...compared, 'ts', 'seq', 'pt', 'aad'].sort()).toEqual(Object.keys(section).sort());
  });

  const secretInput = (secret: string, userId: string, coreId: string): Uint8Array => {
    const lp64 = (bytes: Uint8Array): Uint8Array => concatBytes(u64le(bytes.length), bytes);
    return concatBytes(lp64(utf8(secret)), lp64(utf8(userId)), lp64(utf8(coreId)));
  };
  const scalar = (bytes: Uint8Array): Uint8Array => fromHex((BigInt(`0x${toHex(bytes)}`) % ORDER).toString(16).padStart(64, '0'));

  it('activation with a QR secret', () => {
    const section = kat.activationQr as Section & { userId: string; coreId: string; secretText: string; salt: string };
    const both = xl(ex(fromHex(section.salt), secretInput(section.secretText, section.userId, section.coreId)), 'act qr', NONE, 80);
    const compared = compare(section, { w0s_w1s: both, w0: scalar(both.slice(0, 40)), w1: scalar(both.slice(40)) });
    expect([...compared, 'userId', 'coreId', 'secretText', 'salt'].sort()).toEqual(Object.keys(section).sort());
  });

  it('activation with a password', async () => {
    const section = kat.activation as Section & { userId: string; coreId: string; password: string; salt: string };
    const field = (key: string): Uint8Array => fromHex(section[key] as string);
    const both = await crypto.scrypt(secretInput(section.password, section.userId, section.coreId), field('salt'), { N: 32_768, r: 8, p: 1 }, 80);
    const [w0, w1] = [scalar(both.slice(0, 40)), scalar(both.slice(40))];
    const suites = load<{ suites: Record<string, Section> }>('spake2plus/rfc9383.json').suites.prover as Section;
    const [m, n] = [fromHex(suites.M as string), fromHex(suites.N as string)];
    const shareP = crypto.p256Add(crypto.p256PublicKey(field('x')), crypto.p256Multiply(w0, m));
    const shareV = crypto.p256Add(crypto.p256PublicKey(field('y')), crypto.p256Multiply(w0, n));
    const peer = crypto.p256Subtract(shareV, crypto.p256Multiply(w0, n));
    const [z, v] = [crypto.p256Multiply(field('x'), peer), crypto.p256Multiply(w1, peer)];
    const h0 = crypto.sha256(lp(utf8('uemkit/1 hs act')));
    const h2 = mix(mix(h0, field('A1')), field('A2'));
    const context = concatBytes(lp(utf8('uemkit/1 act')), h2);
    const lp64 = (bytes: Uint8Array): Uint8Array => concatBytes(u64le(bytes.length), bytes);
    const transcript = concatBytes(...[context, utf8(section.userId), utf8(section.coreId), m, n, shareP, shareV, z, v, w0].map(lp64));
    const main = crypto.sha256(transcript);
    const confirmation = crypto.hkdfExpand(ex(NONE, main), utf8('ConfirmationKeys'), 64);
    const shared = crypto.hkdfExpand(ex(NONE, main), utf8('SharedKey'), 32);
    const h4 = mix(mix(h2, field('A3')), field('A4'));
    const ms = ex(h4, shared);
    const compared = compare(section, {
      w0,
      w1,
      L: crypto.p256PublicKey(w1),
      shareP,
      shareV,
      h2,
      K_main: main,
      confirmP: crypto.hmacSha256(confirmation.slice(0, 32), shareV),
      confirmV: crypto.hmacSha256(confirmation.slice(32), shareP),
      K_shared: shared,
      h4,
      ms,
      ts_i: xl(ms, 'i ap', h4, 32),
      ts_r: xl(ms, 'r ap', h4, 32),
      pop: xl(ms, 'pop', h4, 32),
    });
    const inputs = ['userId', 'coreId', 'password', 'salt', 'scrypt', 'A1', 'A2', 'A3', 'A4', 'x', 'y'];
    expect([...compared, ...inputs].sort()).toEqual(Object.keys(section).sort());
    expect(sameBytes(w0, w1)).toBe(false);
  });
});
