import type { CryptoProvider, SecretBytes } from '@uemkit/protocol';
import { nobleCrypto } from '@uemkit/protocol/noble';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import { createCbcOpener, createCbcSealer, createGcmOpener, createGcmSealer } from '../packages/protocol/src/record/index.ts';
import { atLeast, type Bench, compared, type Figure, pairOps } from './harness.ts';

const traffic = new Uint8Array(32).fill(7) as SecretBytes<'traffic'>;
const LARGE = 0.8;
const SMALL = 0.5;

/** Records/s of sealing, and of sealing and opening, against the cipher of the provider alone on the same bytes. */
export const bench: Bench = (progress) => {
  const figures: Figure[] = [];
  for (const crypto of [nodeCrypto(), nobleCrypto()]) {
    for (const [lengthBytes, least] of [
      [1_024, SMALL],
      [32_768, LARGE],
    ] as const) {
      progress(`${crypto.name}: CBC ${lengthBytes}`);
      figures.push(...cbc(crypto, lengthBytes, least));
    }
    for (const [lengthBytes, least] of [
      [1_024, SMALL],
      [16_384, LARGE],
    ] as const) {
      progress(`${crypto.name}: GCM ${lengthBytes}`);
      figures.push(...gcm(crypto, lengthBytes, least));
    }
  }
  return Promise.resolve(figures);
};

function cbc(crypto: CryptoProvider, lengthBytes: number, least: number): Figure[] {
  const entropy = nodeEntropy();
  const plaintext = new Uint8Array(lengthBytes).fill(1);
  const aad = new Uint8Array(14);
  const key = crypto.cbcHs512(new Uint8Array(64).fill(7));
  // A key takes 2^20 records; the bench makes a new pair before that, outside the measured path.
  let used = 0;
  let sealer = createCbcSealer(crypto, entropy, { traffic, direction: 'initiator-to-responder', bornMs: 0 });
  let opener = createCbcOpener(crypto, { traffic, direction: 'initiator-to-responder', bornMs: 0 });
  const renew = (): void => {
    used = 0;
    sealer = createCbcSealer(crypto, entropy, { traffic, direction: 'initiator-to-responder', bornMs: 0 });
    opener = createCbcOpener(crypto, { traffic, direction: 'initiator-to-responder', bornMs: 0 });
  };
  const bareSeal = (): { ciphertext: Uint8Array; tag: Uint8Array; iv: Uint8Array } => {
    const iv = entropy.randomBytes(16);
    return { ...key.seal(iv, aad, plaintext), iv };
  };
  const seal = pairOps(() => {
    if (++used > 1_000_000) renew();
    sealer.seal(plaintext, 0);
  }, bareSeal);
  renew();
  const both = pairOps(
    () => {
      if (++used > 1_000_000) renew();
      opener.open(sealer.seal(plaintext, 0), 0);
    },
    () => {
      const { ciphertext, tag, iv } = bareSeal();
      key.open(iv, aad, ciphertext, tag);
    },
  );
  const name = `${crypto.name} CBC ${lengthBytes} B`;
  return [compared(`${name} seal`, 'records/s', seal, atLeast(least)), compared(`${name} seal+open`, 'records/s', both, atLeast(least))];
}

function gcm(crypto: CryptoProvider, lengthBytes: number, least: number): Figure[] {
  const plaintext = new Uint8Array(lengthBytes).fill(1);
  const aad = new Uint8Array(3);
  const nonce = new Uint8Array(12);
  const key = crypto.gcm(new Uint8Array(32).fill(7));
  const sealer = createGcmSealer(crypto, { traffic, bornMs: 0 });
  const seal = pairOps(
    () => sealer.sealData(plaintext, 0),
    () => key.seal(nonce, aad, plaintext),
  );
  const pairSealer = createGcmSealer(crypto, { traffic, bornMs: 0 });
  const pairOpener = createGcmOpener(crypto, { traffic, bornMs: 0 });
  const both = pairOps(
    () => pairOpener.open(pairSealer.sealData(plaintext, 0), 0),
    () => key.open(nonce, aad, key.seal(nonce, aad, plaintext)),
  );
  const name = `${crypto.name} GCM ${lengthBytes} B`;
  return [compared(`${name} seal`, 'records/s', seal, atLeast(least)), compared(`${name} seal+open`, 'records/s', both, atLeast(least))];
}
