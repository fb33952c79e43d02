import { afterEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../src/bytes/bytes.ts';
import { secret } from '../../src/bytes/secret.ts';
import { assistedAccessKey } from '../../src/key-schedule/access-key.ts';
import { activationKeys, wipeActivationKeys } from '../../src/key-schedule/activation-schedule.ts';
import { fakeVerifier, passwordStretch, stretchQrSecret, verifierFromStretched, witnessFromStretched } from '../../src/key-schedule/activation-secret.ts';
import { createHandshakeSchedule, HANDSHAKES, wipeHandshakeKeys } from '../../src/key-schedule/index.ts';
import { proverSecrets, proverShare, verifierSecrets, verifierShare } from '../../src/key-schedule/spake2plus.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { seededEntropy } from '../../src/testing/index.ts';
import type { HandshakeName } from '../../src/wire/handshake.ts';
import { watchedCrypto } from '../watched-crypto.ts';

/*
 * What is left in memory after each derivation, seen by the crypto provider that made it: nothing but what the caller has to wipe.
 */

const IDENTITY = { userId: 'alice@example.com', coreId: 'core-1' };
const SALT = new Uint8Array(16).fill(3);
const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const stretched = (): Uint8Array => Uint8Array.from({ length: 80 }, (_, index) => index + 1);

afterEach(() => void vi.restoreAllMocks());

describe('activation leaves in memory', () => {
  it('of SPAKE2+ the results, at either side', () => {
    const { crypto, left } = watchedCrypto(nodeCrypto(), { spake2: true });
    const witness = witnessFromStretched(stretched());
    const verifier = verifierFromStretched(crypto, stretched());
    if (witness === undefined || verifier === undefined) throw new Error('no witness');
    expect(left(verifier.w0, verifier.L)).toEqual([]);
    const [x, y] = [secret<'spake2-scalar'>(bytes(32, 5)), secret<'spake2-scalar'>(bytes(32, 6))];
    const shares = { shareP: proverShare(crypto, witness.w0, x), shareV: verifierShare(crypto, verifier.w0, y) };
    const owned = [witness.w0, witness.w1, verifier.w0, verifier.L];
    expect(left(...owned, x, y)).toEqual([]);
    const identities = { context: bytes(4, 1), prover: utf8('p'), verifier: utf8('v') };
    const atDevice = proverSecrets(crypto, identities, witness, x, shares);
    expect(left(...owned, y, ...Object.values(atDevice))).toEqual([]);
    const atServer = verifierSecrets(crypto, identities, verifier, y, shares);
    expect(left(...owned, ...Object.values(atDevice), ...Object.values(atServer))).toEqual([]);
    expect(atServer).toEqual(atDevice);
  });

  it('of a verifier that nothing fits its two halves', () => {
    const { crypto, left, seen } = watchedCrypto(nodeCrypto(), { spake2: true });
    const verifier = fakeVerifier(crypto, seededEntropy('fake'));
    expect(left(verifier.w0, verifier.L)).toEqual([]);
    expect(seen).toBe(0);
  });

  it('of the keys of a run the keys, until they are wiped', () => {
    const { crypto, left } = watchedCrypto(nodeCrypto());
    const keys = activationKeys(crypto, bytes(32, 1), bytes(9, 2), bytes(9, 3), secret(bytes(32, 4)));
    expect(left(keys.initiatorTraffic, keys.responderTraffic, keys.possession)).toEqual([]);
    expect(left()).toHaveLength(3);
    wipeActivationKeys(keys);
    expect(left()).toEqual([]);
  });

  it('of a QR secret what it was stretched to', () => {
    const { crypto, left } = watchedCrypto(nodeCrypto());
    const encode = vi.spyOn(TextEncoder.prototype, 'encode');
    const result = stretchQrSecret(crypto, bytes(16, 0x42), IDENTITY, SALT);
    expect(left(result)).toEqual([]);
    expect(encodings(encode, 'QkJCQkJCQkJCQkJCQkJCQg')).toEqual([bytes(22, 0)]);
  });

  it('of a password the input of scrypt', () => {
    const encode = vi.spyOn(TextEncoder.prototype, 'encode');
    const request = passwordStretch('correct horse', IDENTITY, SALT, { N: 16_384, r: 8, p: 1 });
    expect(encodings(encode, 'correct horse')).toEqual([bytes(13, 0)]);
    expect(request.password.some((byte) => byte !== 0)).toBe(true);
  });
});

/** What the platform made of `text`, as it is now. */
function encodings(encode: { readonly mock: { readonly calls: unknown[][]; readonly results: { readonly value: unknown }[] } }, text: string): unknown[] {
  return encode.mock.results.filter((_, call) => encode.mock.calls[call]?.[0] === text).map(({ value }) => value);
}

it('an access key leaves in memory what was made of it', () => {
  const { crypto, left } = watchedCrypto(nodeCrypto());
  const key = assistedAccessKey(crypto, '7Q2M9X0ZK4R8A1T', IDENTITY.userId, bytes(32, 9));
  expect(left(key)).toEqual([]);
});

describe.each(Object.keys(HANDSHAKES) as HandshakeName[])('handshake %s leaves in memory', (name) => {
  function begin() {
    const { psk: hasPsk, staticKey, prologue } = HANDSHAKES[name];
    const node = nodeCrypto();
    const watched = watchedCrypto(node);
    const { crypto } = watched;
    const [psk, staticScalar] = [secret<'psk'>(bytes(32, 7)), secret<'static-scalar'>(bytes(32, 8))];
    const owned = [psk, staticScalar];
    const parts = prologue.map(() => bytes(3, 1));
    const common = { psk: hasPsk ? psk : undefined };
    const responderStaticKey = staticKey ? node.p256PublicKey(staticScalar) : undefined;
    const app = createHandshakeSchedule(crypto, name, parts, { role: 'initiator', ...common, responderStaticKey });
    const server = createHandshakeSchedule(crypto, name, parts, { role: 'responder', ...common, staticScalar: staticKey ? staticScalar : undefined });
    const [e_i, e_r] = [bytes(32, 11), bytes(32, 12)];
    const [E_i, E_r] = [node.p256PublicKey(e_i), node.p256PublicKey(e_r)];
    const m1 = app.sealStart(bytes(20, 1));
    server.openStart(bytes(20, 1), m1.subarray(20));
    const agree = () => {
      app.agree({ scalar: secret(e_i), own: E_i, peer: E_r });
      server.agree({ scalar: secret(e_r), own: E_r, peer: E_i });
    };
    return { ...watched, owned, app, server, agree };
  }

  it('nothing but its keys, and nothing once they are wiped', () => {
    const { app, server, agree, left, owned } = begin();
    agree();
    const signature = HANDSHAKES[name].signature ? nodeCrypto().p256Sign(bytes(32, 13), server.replySignatureText(bytes(20, 2))) : undefined;
    const m2 = server.sealReply(bytes(20, 2), signature);
    app.openReply(bytes(20, 2), m2.subarray(20), signature && nodeCrypto().p256PublicKey(bytes(32, 13)));
    const m3 = app.sealFinish(bytes(20, 3));
    server.openFinish(bytes(20, 3), m3.subarray(20));
    const [keys, same] = [app.takeKeys(), server.takeKeys()];
    expect(left(...owned, ...Object.values(keys), ...Object.values(same))).toEqual([]);
    wipeHandshakeKeys(keys);
    wipeHandshakeKeys(same);
    expect(left(...owned)).toEqual([]);
  });

  it('nothing when it is given up at any step', () => {
    const first = begin();
    first.app.wipe();
    first.server.wipe();
    expect(first.left(...first.owned)).toEqual([]);
    const second = begin();
    second.agree();
    second.app.wipe();
    second.server.wipe();
    expect(second.left(...second.owned)).toEqual([]);
    const third = begin();
    third.agree();
    third.server.sealReply(bytes(20, 2), HANDSHAKES[name].signature ? bytes(64, 1) : undefined);
    third.server.wipe();
    expect(() => third.app.openReply(bytes(20, 2), bytes(HANDSHAKES[name].trailerBytes.reply, 1))).toThrow();
    expect(third.left(...third.owned)).toEqual([]);
  });
});
