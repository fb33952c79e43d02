import { concatBytes, utf8 } from '../../bytes/bytes.ts';
import { fromHex } from '../../bytes/text.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import { type ConformanceCase, check, checkBytes, checkRefuses } from './conformance-case.ts';

const NONE = new Uint8Array(0);
const filled = (lengthBytes: number, byte: number): Uint8Array => new Uint8Array(lengthBytes).fill(byte);

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

/** A256CBC-HS512 and AES-256-GCM. */
export const cipherCases: readonly ConformanceCase<CryptoProvider>[] = [
  {
    name: 'A256CBC-HS512 (RFC 7518, B.3)',
    run(crypto) {
      const key = Uint8Array.from({ length: 64 }, (_, index) => index);
      const plaintext = utf8(
        'A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience',
      );
      const iv = fromHex('1af38c2dc2b96ffdd86694092341bc04');
      const associatedData = utf8('The second principle of Auguste Kerckhoffs');
      const { ciphertext, tag } = crypto.cbcHs512(key).seal(iv, associatedData, plaintext);
      checkBytes(tag, fromHex('4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5'), 'tag');
      checkBytes(ciphertext.slice(0, 16), fromHex('4affaaadb78c31c5da4b1b590d10ffbd'), 'start of the ciphertext');
      check(ciphertext.length === 144, 'padded length');
      checkBytes(crypto.cbcHs512(key).open(iv, associatedData, ciphertext, tag), plaintext, 'opened');
    },
  },
  {
    name: 'A256CBC-HS512 gives back what was sealed, for sizes around the block',
    run(crypto) {
      const cipher = crypto.cbcHs512(filled(64, 1));
      for (const lengthBytes of [0, 1, 15, 16, 17, 31, 32, 33, 4_096]) {
        const plaintext = filled(lengthBytes, 0x5a);
        const { ciphertext, tag } = cipher.seal(filled(16, 2), NONE, plaintext);
        check(ciphertext.length === 16 * (Math.floor(lengthBytes / 16) + 1), 'always padded');
        checkBytes(cipher.open(filled(16, 2), NONE, ciphertext, tag), plaintext, `${lengthBytes} bytes`);
      }
    },
  },
  {
    name: 'A256CBC-HS512 opens nothing that was changed, and every failure is the same error',
    run(crypto) {
      const cipher = crypto.cbcHs512(filled(64, 1));
      const [iv, associatedData] = [filled(16, 2), utf8('associated data')];
      const { ciphertext, tag } = cipher.seal(iv, associatedData, utf8('seventeen bytes!!'));
      const refuse = (what: string, ...input: Parameters<typeof cipher.open>): void => checkRefuses('ERR_CRYPTO_OPEN', what, () => cipher.open(...input));
      for (let bit = 0; bit < 8 * tag.length; bit++) refuse(`tag bit ${bit}`, iv, associatedData, ciphertext, flipped(tag, bit));
      for (let bit = 0; bit < 8 * ciphertext.length; bit++) refuse(`ciphertext bit ${bit}`, iv, associatedData, flipped(ciphertext, bit), tag);
      for (let bit = 0; bit < 8 * iv.length; bit++) refuse(`iv bit ${bit}`, flipped(iv, bit), associatedData, ciphertext, tag);
      refuse('other associated data', iv, utf8('associated dat4'), ciphertext, tag);
      refuse('byte moved from iv to associated data', iv, concatBytes(associatedData, iv.slice(0, 1)), ciphertext, tag);
      for (const lengthBytes of [0, 1, 15, 16, 17, 31]) refuse(`ciphertext of ${lengthBytes}`, iv, associatedData, ciphertext.slice(0, lengthBytes), tag);
      for (const lengthBytes of [0, 16, 31]) refuse(`tag of ${lengthBytes}`, iv, associatedData, ciphertext, tag.slice(0, lengthBytes));
      refuse('long tag', iv, associatedData, ciphertext, concatBytes(tag, tag));
      refuse('short iv', iv.slice(1), associatedData, ciphertext, tag);
      refuse('no iv', NONE, associatedData, ciphertext, tag);
      checkRefuses('ERR_CRYPTO_OPEN', 'other key', () => crypto.cbcHs512(filled(64, 2)).open(iv, associatedData, ciphertext, tag));
    },
  },
  {
    name: 'A256CBC-HS512 takes the MAC key first and the cipher key second, and copies both',
    run(crypto) {
      const key = concatBytes(filled(32, 1), filled(32, 2));
      const cipher = crypto.cbcHs512(key);
      key.fill(0);
      const { ciphertext, tag } = cipher.seal(filled(16, 0), NONE, NONE);
      const otherMac = crypto.cbcHs512(concatBytes(filled(32, 9), filled(32, 2))).seal(filled(16, 0), NONE, NONE);
      checkBytes(otherMac.ciphertext, ciphertext, 'the MAC key does not change the ciphertext');
      check(!crypto.equal(otherMac.tag, tag), 'the MAC key changes the tag');
      const again = crypto.cbcHs512(concatBytes(filled(32, 1), filled(32, 2)));
      checkBytes(again.open(filled(16, 0), NONE, ciphertext, tag), NONE, 'the caller may wipe its key');
    },
  },
  {
    name: 'A256CBC-HS512 refuses keys and ivs of other lengths, and a wiped key',
    run(crypto) {
      for (const lengthBytes of [0, 32, 63, 65]) checkRefuses('ERR_USAGE_ARGUMENT', `key of ${lengthBytes}`, () => crypto.cbcHs512(filled(lengthBytes, 1)));
      const cipher = crypto.cbcHs512(filled(64, 1));
      for (const lengthBytes of [0, 12, 17]) checkRefuses('ERR_USAGE_ARGUMENT', `iv of ${lengthBytes}`, () => cipher.seal(filled(lengthBytes, 1), NONE, NONE));
      const { ciphertext, tag } = cipher.seal(filled(16, 1), NONE, NONE);
      cipher.wipe();
      cipher.wipe();
      checkRefuses('ERR_USAGE_STATE', 'seal after wipe', () => cipher.seal(filled(16, 1), NONE, NONE));
      checkRefuses('ERR_USAGE_STATE', 'open after wipe', () => cipher.open(filled(16, 1), NONE, ciphertext, tag));
    },
  },
  {
    name: 'AES-256-GCM (test cases 14 and 16 of the GCM specification)',
    run(crypto) {
      const zeros = crypto.gcm(filled(32, 0)).seal(filled(12, 0), NONE, filled(16, 0));
      checkBytes(zeros, fromHex('cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919'), 'case 14');
      const cipher = crypto.gcm(fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'));
      const plaintext = fromHex('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39');
      const sealed = cipher.seal(fromHex('cafebabefacedbaddecaf888'), fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2'), plaintext);
      checkBytes(sealed.slice(-16), fromHex('76fc6ece0f4e1768cddf8853bb2d551b'), 'case 16, tag');
      checkBytes(sealed.slice(0, 16), fromHex('522dc1f099567d07f47f37a32a84427d'), 'case 16, start of the ciphertext');
    },
  },
  {
    name: 'AES-256-GCM gives back what was sealed and opens nothing that was changed',
    run(crypto) {
      const key = filled(32, 3);
      const cipher = crypto.gcm(key);
      key.fill(0);
      const [nonce, associatedData] = [filled(12, 4), utf8('header')];
      for (const lengthBytes of [0, 1, 15, 16, 17, 16_384]) {
        const plaintext = filled(lengthBytes, 0x5a);
        const sealed = cipher.seal(nonce, associatedData, plaintext);
        check(sealed.length === lengthBytes + 16, 'length');
        checkBytes(cipher.open(nonce, associatedData, sealed), plaintext, `${lengthBytes} bytes`);
        for (const headBytes of [0, 3]) {
          const expected = concatBytes(filled(headBytes, 0), sealed);
          checkBytes(cipher.seal(nonce, associatedData, plaintext, headBytes), expected, `${lengthBytes} bytes behind ${headBytes}`);
        }
      }
      const sealed = cipher.seal(nonce, associatedData, utf8('plaintext'));
      const refuse = (what: string, ...input: Parameters<typeof cipher.open>): void => checkRefuses('ERR_CRYPTO_OPEN', what, () => cipher.open(...input));
      for (let bit = 0; bit < 8 * sealed.length; bit++) refuse(`bit ${bit}`, nonce, associatedData, flipped(sealed, bit));
      for (let lengthBytes = 0; lengthBytes < sealed.length; lengthBytes++) refuse(`${lengthBytes} bytes`, nonce, associatedData, sealed.slice(0, lengthBytes));
      refuse('one byte more', nonce, associatedData, concatBytes(sealed, Uint8Array.of(0)));
      refuse('other nonce', filled(12, 5), associatedData, sealed);
      refuse('short nonce', filled(11, 4), associatedData, sealed);
      refuse('no nonce', NONE, associatedData, sealed);
      refuse('other associated data', nonce, utf8('Header'), sealed);
      checkRefuses('ERR_CRYPTO_OPEN', 'other key', () => crypto.gcm(filled(32, 4)).open(nonce, associatedData, sealed));
    },
  },
  {
    name: 'AES-256-GCM refuses keys and nonces of other lengths, and a wiped key',
    run(crypto) {
      for (const lengthBytes of [0, 16, 31, 33]) checkRefuses('ERR_USAGE_ARGUMENT', `key of ${lengthBytes}`, () => crypto.gcm(filled(lengthBytes, 1)));
      const cipher = crypto.gcm(filled(32, 1));
      for (const lengthBytes of [0, 8, 13])
        checkRefuses('ERR_USAGE_ARGUMENT', `nonce of ${lengthBytes}`, () => cipher.seal(filled(lengthBytes, 1), NONE, NONE));
      const sealed = cipher.seal(filled(12, 1), NONE, NONE);
      cipher.wipe();
      cipher.wipe();
      checkRefuses('ERR_USAGE_STATE', 'seal after wipe', () => cipher.seal(filled(12, 1), NONE, NONE));
      checkRefuses('ERR_USAGE_STATE', 'open after wipe', () => cipher.open(filled(12, 1), NONE, sealed));
    },
  },
];
