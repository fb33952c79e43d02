import { describe, expect, it } from 'vitest';
import { secret } from '../../src/bytes/secret.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { createCbcOpener, createCbcSealer } from '../../src/record/cbc-record.ts';
import { createGcmOpener, createGcmSealer } from '../../src/record/gcm-record.ts';
import { seededEntropy } from '../../src/testing/index.ts';
import { watchedCrypto } from '../watched-crypto.ts';

const TEXT = new Uint8Array(9).fill(5);
const traffic = () => secret<'traffic'>(new Uint8Array(32).fill(7));
/** Of each generation of GCM: a copy of its traffic secret, for the next one, and a nonce base. The key itself goes at once. */
const IN_USE = ['expanded', 'derived', 'GCM'];

describe('CBC records leave in memory', () => {
  it('the prepared keys, and nothing once they are wiped or a record was refused', () => {
    const { crypto, left: leftOf } = watchedCrypto(nodeCrypto());
    const options = { traffic: traffic(), direction: 'initiator-to-responder', bornMs: 0 } as const;
    const left = () => leftOf(options.traffic);
    const sealer = createCbcSealer(crypto, seededEntropy('iv'), options);
    const [opener, other] = [createCbcOpener(crypto, options), createCbcOpener(crypto, options)];
    opener.open(sealer.seal(TEXT, 0), 0);
    expect(left()).toEqual(['CBC', 'CBC', 'CBC']);
    sealer.wipe();
    expect(left()).toEqual(['CBC', 'CBC']);
    opener.wipe();
    expect(left()).toEqual(['CBC']);
    expect(() => other.open(new Uint8Array(94), 0)).toThrow();
    expect(left()).toEqual([]);
  });
});

describe('GCM records leave in memory', () => {
  it('one generation of keys for each direction, and nothing once they are wiped', () => {
    const { crypto, left } = watchedCrypto(nodeCrypto());
    const sealer = createGcmSealer(crypto, { traffic: traffic(), bornMs: 0 });
    expect(left()).toEqual(IN_USE);
    const update = sealer.updateKey(0);
    expect(left()).toEqual(IN_USE);
    sealer.wipe();
    expect(left()).toEqual([]);
    const opener = createGcmOpener(crypto, { traffic: traffic(), bornMs: 0 });
    opener.open(update, 0);
    expect(left()).toEqual(IN_USE);
    opener.wipe();
    expect(left()).toEqual([]);
  });

  it('nothing after a close, at either end, nor after a refusal', () => {
    const { crypto, left } = watchedCrypto(nodeCrypto());
    const [sealer, opener] = [createGcmSealer(crypto, { traffic: traffic(), bornMs: 0 }), createGcmOpener(crypto, { traffic: traffic(), bornMs: 0 })];
    const close = sealer.close();
    expect(left()).toEqual(IN_USE);
    opener.open(close, 0);
    expect(left()).toEqual([]);
    const refusing = createGcmOpener(crypto, { traffic: traffic(), bornMs: 0 });
    expect(() =>
      refusing.open(
        close.map((byte) => byte ^ 1),
        0,
      ),
    ).toThrow();
    expect(left()).toEqual([]);
  });
});
