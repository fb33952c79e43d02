import { describe, expect, it } from 'vitest';
import { composeCbcHs512 } from '../../src/providers/cbc-hs512.ts';
import { composeGcm } from '../../src/providers/gcm.ts';
import { nobleCbcParts, nobleGcmParts } from '../../src/providers/noble/ciphers.ts';
import { nodeCbcParts, nodeGcmParts } from '../../src/providers/node/ciphers.ts';

const filled = (lengthBytes: number, byte: number): Uint8Array => new Uint8Array(lengthBytes).fill(byte);
const NONE = new Uint8Array(0);
const opened = expect.objectContaining({ code: 'ERR_CRYPTO_OPEN', message: 'record could not be opened', details: {} });

describe.each([
  ['noble', nobleCbcParts, nobleGcmParts],
  ['node', nodeCbcParts, nodeGcmParts],
] as const)('ciphers of %s', (_name, cbcParts, gcmParts) => {
  it.each([
    ['iv of 15 bytes', 15, 32],
    ['iv of 17 bytes', 17, 32],
    ['no iv', 0, 32],
    ['no ciphertext', 16, 0],
    ['half a block', 16, 8],
    ['a block and a half', 16, 24],
    ['wrong padding', 16, 32],
  ])('a record with a valid tag and %s fails like any other', (_what, ivBytes, ciphertextBytes) => {
    const parts = cbcParts(filled(32, 1), filled(32, 2));
    const [iv, ciphertext] = [filled(ivBytes, 3), filled(ciphertextBytes, 4)];
    const tag = parts.mac(iv, ciphertext, new Uint8Array(8)).slice(0, 32);
    expect(() => composeCbcHs512(parts).open(iv, NONE, ciphertext, tag)).toThrow(opened);
  });

  it('opens nothing under a nonce of another length, even if it was sealed under it', () => {
    const parts = gcmParts(filled(32, 1));
    const sealed = parts.encrypt(filled(16, 2), NONE, filled(5, 3));
    expect(parts.decrypt(filled(16, 2), NONE, sealed)).toEqual(filled(5, 3));
    expect(() => composeGcm(parts).open(filled(16, 2), NONE, sealed)).toThrow(opened);
  });

  it('does not decrypt before the tag is right', () => {
    let decrypted = 0;
    const parts = cbcParts(filled(32, 1), filled(32, 2));
    const cipher = composeCbcHs512({
      ...parts,
      decrypt(iv, ciphertext) {
        decrypted++;
        return parts.decrypt(iv, ciphertext);
      },
    });
    const { ciphertext, tag } = cipher.seal(filled(16, 0), NONE, NONE);
    expect(() => cipher.open(filled(16, 0), NONE, ciphertext, filled(32, 0))).toThrow(opened);
    expect(decrypted).toBe(0);
    cipher.open(filled(16, 0), NONE, ciphertext, tag);
    expect(decrypted).toBe(1);
  });

  it('leaves no raw key behind after wipe', () => {
    const [aesKey, macKey, gcmKey] = [filled(32, 1), filled(32, 2), filled(32, 3)];
    composeCbcHs512(cbcParts(aesKey, macKey)).wipe();
    composeGcm(gcmParts(gcmKey)).wipe();
    expect([aesKey, macKey, gcmKey]).toEqual([filled(32, 0), filled(32, 0), filled(32, 0)]);
  });
});

describe('handles of node:crypto', () => {
  it('are gone after wipe', () => {
    const [cbc, gcm] = [nodeCbcParts(filled(32, 1), filled(32, 2)), nodeGcmParts(filled(32, 3))];
    cbc.wipe();
    gcm.wipe();
    for (const use of [() => cbc.encrypt(filled(16, 0), NONE), () => cbc.mac(NONE), () => gcm.encrypt(filled(12, 0), NONE, NONE)]) {
      expect(use).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
    }
  });

  it('hold their own copy before that', () => {
    const key = filled(32, 1);
    const cbc = nodeCbcParts(key, filled(32, 2));
    expect(key).toEqual(filled(32, 0));
    expect(cbc.encrypt(filled(16, 0), NONE)).toEqual(nobleCbcParts(filled(32, 1), filled(32, 2)).encrypt(filled(16, 0), NONE));
  });
});
