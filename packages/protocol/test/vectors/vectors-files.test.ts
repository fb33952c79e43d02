import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { load } from './vectors.ts';

it('has the nine whole Wycheproof files', () => {
  const files = readdirSync(new URL('../../vectors/wycheproof/', import.meta.url)).sort();
  const counts = files.map((file) => {
    const { numberOfTests, testGroups } = load<{ numberOfTests: number; testGroups: { tests: unknown[] }[] }>(`wycheproof/${file}`);
    return [file, numberOfTests, testGroups.reduce((sum, group) => sum + group.tests.length, 0)];
  });
  expect(counts).toEqual([
    ['a256cbc_hs512_test.json', 94, 94],
    ['aes_cbc_pkcs5_test.json', 216, 216],
    ['aes_gcm_test.json', 316, 316],
    ['ecdh_secp256r1_ecpoint_test.json', 355, 355],
    ['ecdsa_secp256r1_sha256_p1363_test.json', 262, 262],
    ['ecdsa_secp256r1_sha256_test.json', 484, 484],
    ['hkdf_sha256_test.json', 86, 86],
    ['hmac_sha256_test.json', 174, 174],
    ['hmac_sha512_test.json', 174, 174],
  ]);
});
