import { concatBytes, lp } from '../bytes/bytes.ts';
import { type SecretBytes, secret, wipe } from '../bytes/secret.ts';
import { fromBase64url, toBase64url } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { parseFrame } from '../wire/frame.ts';
import { type PushContent, pushContent } from '../wire/push-channel.ts';
import { deriveSecret, NO_CONTEXT } from './kdf.ts';
import { HASH_LABELS, labelBytes, SECRET_LABELS } from './labels.ts';

const ID_BYTES = 16;
const KEY_BYTES = 32;
const IV_BYTES = 16;
const TAG_BYTES = 32;

/** One push channel, as the app that has made it and whoever has its token know it; the NOC knows the id alone. */
export interface PushChannelKeys {
  readonly channelId: Uint8Array;
  readonly key: SecretBytes<'push-channel'>;
}

/** A new channel from 48 random bytes, which are its keys from here on. */
export function newPushChannel(random: Uint8Array): PushChannelKeys {
  if (random.length !== ID_BYTES + KEY_BYTES) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a push channel needs 48 random bytes');
  return { channelId: random.slice(0, ID_BYTES), key: secret(random.slice(ID_BYTES)) };
}

/** The token of a channel, for the application server; whoever has it may send. 64 characters of base64url. */
export function pushToken({ channelId, key }: PushChannelKeys): string {
  return toBase64url(concatBytes(channelId, key));
}

/** The channel of a token. @throws ProtocolError `ERR_REJECTED_CREDENTIALS` for what is no token */
export function openPushToken(token: string): PushChannelKeys {
  try {
    return newPushChannel(fromBase64url(token));
  } catch {
    throw new ProtocolError('ERR_REJECTED_CREDENTIALS', 'the push token is not valid');
  }
}

/** A message for the app; done by the Proxy. `iv`: 16 random bytes. @throws ProtocolError `ERR_WIRE_*` for content that fits no message */
export function sealPush(crypto: CryptoProvider, channel: PushChannelKeys, content: PushContent, iv: Uint8Array): Uint8Array {
  const plaintext = pushContent.encode(content);
  const { ciphertext, tag } = withKey(crypto, channel, (cbc) => cbc.seal(iv, associated(channel), plaintext));
  return concatBytes(iv, ciphertext, tag);
}

/** Opens a message; done by the app. @throws ProtocolError `ERR_CRYPTO_OPEN` for one that was not made by somebody who has the token, `ERR_WIRE_*` for other content */
export function openPush(crypto: CryptoProvider, channel: PushChannelKeys, sealed: Uint8Array): PushContent {
  const [ciphertext, tag] = [sealed.subarray(IV_BYTES, -TAG_BYTES), sealed.subarray(-TAG_BYTES)];
  const plaintext = withKey(crypto, channel, (cbc) => cbc.open(sealed.subarray(0, IV_BYTES), associated(channel), ciphertext, tag));
  return pushContent.decode(parseFrame(plaintext, { maxBodyBytes: plaintext.length }));
}

function associated({ channelId }: PushChannelKeys): Uint8Array {
  return concatBytes(lp(labelBytes(HASH_LABELS.pushMessage)), lp(channelId));
}

/** The record key is there for one message. */
function withKey<T>(crypto: CryptoProvider, { key }: PushChannelKeys, use: (cbc: ReturnType<CryptoProvider['cbcHs512']>) => T): T {
  const recordKey = deriveSecret<'push-record'>(crypto, key, SECRET_LABELS.push, NO_CONTEXT, 64);
  const cbc = crypto.cbcHs512(recordKey);
  try {
    return use(cbc);
  } finally {
    cbc.wipe();
    wipe(recordKey);
  }
}
