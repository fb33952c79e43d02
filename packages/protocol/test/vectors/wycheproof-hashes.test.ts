import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes/text.ts';
import { PROVIDERS, runWholeFile, thrown } from './vectors.ts';

describe.each(PROVIDERS)('Wycheproof hashes with $name', ({ crypto }) => {
  it('hmac_sha256, whole file', () => {
    runWholeFile(
      'hmac_sha256_test.json',
      (test, group) => {
        const mac = crypto.hmacSha256(fromHex(test.key as string), fromHex(test.msg as string));
        const truncated = mac.subarray(0, (group.tagSize as number) / 8);
        expect(crypto.equal(truncated, fromHex(test.tag as string))).toBe(test.result === 'valid');
        return true;
      },
      { executed: 174 },
    );
  });

  it('hkdf_sha256, whole file', () => {
    runWholeFile(
      'hkdf_sha256_test.json',
      (test) => {
        const derive = (): Uint8Array => {
          const pseudoRandomKey = crypto.hkdfExtract(fromHex(test.salt as string), fromHex(test.ikm as string));
          return crypto.hkdfExpand(pseudoRandomKey, fromHex(test.info as string), test.size as number);
        };
        if (test.result === 'valid') expect(derive()).toEqual(fromHex(test.okm as string));
        else expect(thrown(derive)).toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
        return true;
      },
      { executed: 86 },
    );
  });
});
