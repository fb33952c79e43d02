import { type CryptoProvider, type Entropy, type SecretBytes, secret, wipe } from '@uemkit/protocol';
import type { DeviceKey } from '../container/ports.ts';

/** The key of a phone, in memory: `destroy` is what takes the last way to the container away. */
export function memoryDeviceKey({ crypto, entropy }: { readonly crypto: CryptoProvider; readonly entropy: Entropy }): DeviceKey {
  let key: SecretBytes<'device'> | undefined;
  return {
    async create() {
      key ??= secret(entropy.randomBytes(32));
    },
    mac: async (data) => key && crypto.hmacSha256(key, data),
    async destroy() {
      wipe(key);
      key = undefined;
    },
  };
}
