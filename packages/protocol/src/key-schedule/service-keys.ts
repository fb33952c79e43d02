import { concatBytes, lp } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { deriveSecret } from './kdf.ts';
import { SECRET_LABELS } from './labels.ts';

/**
 * Pre-shared key of `svc` from one installation of an app to another one. UEM alone has the services key; each of the two apps is told this one.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for ids that have not 16 bytes
 */
export function servicePsk(crypto: CryptoProvider, servicesKey: SecretBytes<'services'>, initiatorId: Uint8Array, responderId: Uint8Array): SecretBytes<'psk'> {
  if (initiatorId.length !== 16 || responderId.length !== 16) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'an instance id has another length');
  return deriveSecret(crypto, servicesKey, SECRET_LABELS.service, crypto.sha256(concatBytes(lp(initiatorId), lp(responderId))), 32);
}
