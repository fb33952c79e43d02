import { x509 } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import { deviceAuthority } from '../../src/ca/device-authority.ts';
import { crypto, DAY_MS, NOW_MS, ROOT, UemBench } from '../support/uem-bench.ts';

const publicKey = crypto.p256PublicKey(seededEntropy('a device').randomBytes(32));

describe('device authority', () => {
  it('issues certificates that a device accepts, each with its own serial number', async () => {
    const { authority } = await UemBench.start();
    const serials = new Set<string>();
    for (let n = 0; n < 50; n++) {
      const issued = authority.issue('device', publicKey, NOW_MS + 123);
      const leaf = x509.verifyIssued(crypto, { certificates: [issued.der], tenantRoots: [authority.root], publicKey, deviceId: 'device', nowMs: NOW_MS });
      expect(leaf).toMatchObject({ serial: issued.serial, notBeforeMs: issued.notBeforeMs, notAfterMs: issued.notAfterMs });
      serials.add(issued.serial);
    }
    expect(serials.size).toBe(50);
  });

  it('issues nothing that outlives the root', async () => {
    const { authority } = await UemBench.start();
    expect(authority.issue('device', publicKey, NOW_MS + 3_500 * DAY_MS).notAfterMs).toBe(NOW_MS + 3_650 * DAY_MS);
  });

  it('refuses a key that is not the one of the root', () => {
    const scalar = seededEntropy('another').randomBytes(32);
    expect(() => deviceAuthority(crypto, seededEntropy('x'), { scalar, certificate: ROOT })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
    expect(() => deviceAuthority(crypto, seededEntropy('x'), { scalar, certificate: Uint8Array.of(1) })).toThrow(
      expect.objectContaining({ code: 'ERR_CERTIFICATE_FORMAT' }),
    );
  });
});
