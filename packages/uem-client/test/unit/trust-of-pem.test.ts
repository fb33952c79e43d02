import { describe, expect, it } from 'vitest';
import { trustOfPem } from '../../src/index.ts';
import { testCa } from '../support/test-ca.ts';

describe('trustOfPem', () => {
  it('takes every certificate of a text', async () => {
    const [a, b] = await Promise.all([testCa('a'), testCa('b')]);
    expect(trustOfPem(`first\n${a.rootPem}\n# second\n${b.rootPem}`)).toEqual({ roots: [a.root, b.root], spkiPins: [] });
  });

  it.each(['', 'hello', '-----BEGIN CERTIFICATE-----\nA=A\n-----END CERTIFICATE-----'])('refuses %j', (text) => {
    expect(() => trustOfPem(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});
